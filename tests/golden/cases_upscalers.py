#!/usr/bin/env python3
"""Cases of small upscalers, by spandrel's form of them. Usage: tests/golden/cases_upscalers.py [CASE...]"""
from network_golden import Case, write_all
from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact


def compact(channels, scale):
    net = SRVGGNetCompact(num_in_ch=channels, num_out_ch=channels, num_feat=8, num_conv=2, upscale=scale)
    return Case(net, 6, 5, bands=channels, factors={"body.6.weight": 0.3})


def rrdb_grey():
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet
    net = RRDBNet(in_nc=1, out_nc=1, num_filters=8, num_blocks=1, scale=2)
    return Case(net, 7, 5, bands=1, factors={"model.6.weight": 0.3})


CASES = {
    "rrdb_grey_x2": rrdb_grey,
    "compact_x4": lambda: compact(3, 4),
    "compact_x1": lambda: compact(3, 1),
    "compact_grey_x2": lambda: compact(1, 2),
}

write_all(CASES, "spandrel 0.4.2")
