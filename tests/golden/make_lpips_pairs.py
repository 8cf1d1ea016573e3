#!/usr/bin/env python3
"""LPIPS of pairs of pictures by formula, as the package lpips 0.1.4 computes it in double precision on the whole
pictures, with the weights of tests/golden/networks/lpips_*.csv: tests/golden/lpips_pairs.csv.
Usage: tests/golden/make_lpips_pairs.py"""
import pathlib

import numpy as np
import torch

from cases_quality import lpips_net
from network_golden import weight

SIZES = [(32, 32), (190, 171), (700, 650), (1009, 90)]


def pictures(width, height):
    """FirstSample and SecondSample of tests/metrics/drawn_pair.h, from -1 to 1."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    a = (x * 7 + y * 13 + c * 31 + x * y // 5) % 256 // 2 + (x // 9 * 29 + y // 7 * 17 + c * 5) % 97
    b = np.maximum(a + (x * 37 + y * 101 + c * 17) % 23 - 11 - 4 * c, 0)
    return [torch.from_numpy(v / 127.5 - 1).permute(2, 0, 1)[None] for v in (a, b)]


def main():
    lines = ["# network, width, height, LPIPS: by lpips 0.1.4, see make_lpips_pairs.py"]
    for name in ("alex", "vgg", "squeeze"):
        net = lpips_net(name).net
        state = net.state_dict()
        for key, value in state.items():
            if not key.endswith((".shift", ".scale")):
                state[key] = weight(key, tuple(value.shape), 1)
        net.load_state_dict(state)
        # The package's own forward pass walks through `lins`.
        net.lins = [getattr(net, f"lin{i}") for i in range(net.L)]
        net = net.eval().double()
        for width, height in SIZES:
            with torch.inference_mode():
                distance = float(net(*pictures(width, height)))
            lines.append(f"lpips_{name},{width},{height},{distance:.9g}")
            print(lines[-1])
    pathlib.Path(__file__).with_name("lpips_pairs.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
