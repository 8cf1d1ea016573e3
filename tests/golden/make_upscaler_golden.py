#!/usr/bin/env python3
"""Writes what spandrel's networks make of weights and images by a formula: upscaler_outputs.csv, the expected values
of tests/torch/architectures_test.cpp. Every 11th value of the output, planes one after another, not clamped.

Usage: tests/golden/make_upscaler_golden.py
Needs: spandrel (0.4.2 wrote the file)
"""
import pathlib

import numpy as np
import torch
from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet
from spandrel.architectures.SPAN.__arch.span import SPAN, Conv3XC

STEP = 11


def formula(name, count):
    """`count` numbers from -0.5 to 0.5 that depend on the name; the same as Formula in tests/torch/formula_weights.h."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.uint64(seed) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(40)).astype(np.float64) / (1 << 24) - 0.5


def weight(name, shape):
    """Of a size that keeps signals alive: by the number of inputs of each sum."""
    inputs = int(np.prod(shape[1:])) if len(shape) > 1 else 16
    factor = 3 / np.sqrt(inputs)
    if name == "upsampler.0.weight":  # of SPAN, whose layers see values of hundreds
        factor /= 64
    values = formula(name, int(np.prod(shape))) * factor
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def span(fused=False, **options):
    """`fused`: with weights of its own in place of those that the trained ones come to."""
    net = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, **options)
    if fused:
        for module in net.modules():
            if isinstance(module, Conv3XC):
                module.update_params = lambda: None
    return net


def rrdb(**options):
    return RRDBNet(num_filters=8, num_blocks=1, **options)


CASES = {
    "rrdb_x4": (rrdb(scale=4), 6, 5),
    "rrdb_x2": (rrdb(scale=2), 6, 5),
    "rrdb_x1": (rrdb(scale=1), 6, 5),
    "rrdb_squares_x2": (rrdb(in_nc=12, scale=4, shuffle_factor=2), 7, 5),
    "span_x4": (span(upscale=4), 6, 5),
    "span_x2_unnormalized": (span(upscale=2, norm=False), 5, 7),
    "span_x2_fused": (span(upscale=2, fused=True), 5, 7),
    "rrdb_squares_x1": (rrdb(in_nc=48, scale=4, shuffle_factor=4), 8, 9),
}


def main():
    lines = ["case,height,width,index,value"]
    for name, (net, height, width) in CASES.items():
        net.load_state_dict({key: weight(key, tuple(value.shape)) for key, value in net.state_dict().items()})
        image = formula("input", 3 * height * width) + 0.5
        image = torch.from_numpy(image.astype(np.float32).reshape(1, 3, height, width))
        with torch.inference_mode():
            output = net.eval().double()(image.double()).flatten()
        for index in range(0, len(output), STEP):
            lines.append(f"{name},{height},{width},{index},{output[index]:.9g}")
    path = pathlib.Path(__file__).with_name("upscaler_outputs.csv")
    path.write_text("\n".join(lines) + "\n")
    print(path, len(lines))


main()
