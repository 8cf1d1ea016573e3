#!/usr/bin/env python3
"""Cases of the information distillation family and CARN. Their peers are the Python forms beside this file, which
bench/peers/set5_psnr.py --peer measures on the published weights. Usage: tests/golden/cases_distillation.py [CASE...]"""
from network_golden import Case, write_all
import carn_network
import distillation_networks as nets

# Images of 27x21 leave 3x2 values of what the attention pools. Where a network takes 0..255, the first and the last
# layer bring its values to the size of the others'.
INNER = {"fea_conv.weight": 1 / 255}


def of_levels(net):
    return Case(net, 27, 21, factors={**INNER, "upsampler.0.weight": 200, "upsampler.0.bias": 200},
                call=lambda net, x: net(x * net.LEVELS) / net.LEVELS)


CASES = {
    "imdn_x2": lambda: Case(nets.Imdn(features=8, blocks=2, scale=2), 9, 7),
    "imdn_plus_x3": lambda: Case(nets.ImdnPlus(features=12, blocks=2, scale=3), 7, 6),
    "rfdn_x2": lambda: of_levels(nets.Rfdn(features=8, inner=4, blocks=2, scale=2)),
    "rlfn_x2": lambda: of_levels(nets.Rlfn(features=6, middle=8, inner=4, blocks=2, scale=2)),
    "efdn_x2": lambda: Case(nets.Efdn(features=8, inner=4, scale=2), 27, 21),
    "bsrn_x2": lambda: Case(nets.Bsrn(features=8, inner=4, blocks=2, scale=2), 27, 21,
                            factors={"upsampler.upsampleOneStep.0.bias": -1}),
    "carn_x3": lambda: Case(carn_network.Carn(features=4, scales=(3,)), 6, 5),
    "imdn_kept_16_x2": lambda: Case(nets.Imdn(features=64, blocks=1, scale=2), 9, 7),
    "carn_groups_x4": lambda: Case(carn_network.Carn(features=32, groups=2), 5, 4),
    "carn_m_x4": lambda: Case(carn_network.Carn(features=8, groups=4), 5, 4),
}

write_all(CASES, "a Python form of the paper's network, tests/golden/cases_distillation.py")
