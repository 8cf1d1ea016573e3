#!/usr/bin/env python3
"""Cases of networks that judge and compare images: the Python forms beside this file, and LPIPS by its own package with
a sixteenth of its features. Usage: tests/golden/cases_quality.py [CASE...]"""
import torch
from torch import nn

import quality_networks as nets
from network_golden import Case, write_all


def pyiqa_names(key):
    """pyiqa's, from the authors'."""
    for i in range(1, 6):
        key = key.replace(f"fc{i}w_conv", f"fc_w_modules.{i - 1}").replace(f"fc{i}b_fc", f"fc_b_modules.{i - 1}.2")
        key = key.replace(f"fc{i}w_fc", f"fc_w_modules.{i - 1}.2").replace(f"res.lda{i}_pool.0", f"lda_modules.{i - 1}.0")
        key = key.replace(f"res.lda{i}_fc", f"lda_modules.{i - 1}." + ("3" if i < 4 else "2"))
    return key.replace("res.", "base_model.", 1)


def hyper_iqa(rename=None):
    net = nets.HyperIqa((1, 1, 2, 1), 4, (2, 2, 3), (2, 2, 3, 7), (12, 10, 7), (7, 7, 7, 7))
    return Case(net, 224, 224, task="score", rename=rename)


def narrow(module, by=16):
    """With convolutions of fewer features; the first one's three bands stay."""
    for name, child in module.named_children():
        if not isinstance(child, nn.Conv2d):
            narrow(child, by)
            continue
        bands = child.in_channels if child.in_channels == 3 else child.in_channels // by
        features = max(1, child.out_channels // by)
        setattr(module, name, nn.Conv2d(bands, features, child.kernel_size, child.stride, child.padding,
                                        bias=child.bias is not None))


def lpips_vector(net, x):
    """Whose squared distance is LPIPS: its features, as the package normalises and weighs them."""
    import lpips
    parts = []
    for i, features in enumerate(net.net(net.scaling_layer(x))):
        weights = getattr(net, f"lin{i}").model[1].weight
        places = features.shape[2] * features.shape[3]
        parts.append((lpips.normalize_tensor(features) * (weights / places).sqrt()).flatten(1))
    return torch.cat(parts, 1)


def lpips_net(name):
    import lpips
    net = lpips.LPIPS(pretrained=False, net=name, pnet_rand=True, verbose=False)
    del net.lins  # the same layers once more
    narrow(net)
    return Case(net, 35, 35, task="compare", call=lpips_vector, given=(".shift", ".scale"))


CASES = {
    "lpips_alex": lambda: lpips_net("alex"),
    "lpips_vgg": lambda: lpips_net("vgg"),
    "lpips_squeeze": lambda: lpips_net("squeeze"),
    "hyper_iqa_authors": hyper_iqa,
    "hyper_iqa_pyiqa": lambda: hyper_iqa(pyiqa_names),
    "ic_net": lambda: Case(nets.IcNet(128, 4, 6, 8, with_map=True), 128, 128, task="score"),
}

if __name__ == "__main__":
    write_all(CASES, "lpips 0.1.4; the others: a Python form of the paper's network, tests/golden/quality_networks.py")
