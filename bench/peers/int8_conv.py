#!/usr/bin/env python3
"""What a convolution in 8-bit integers gains over float32 in PyTorch (oneDNN), which says whether one of our own could pay.

  int8_conv.py [--threads 2] [--runs 7]

For the layers that networks for enlarging are made of, prints milliseconds in both forms and the ratio of the medians.
Needs: torch
"""
import argparse
import statistics
import time

import torch

#: Channels in and out, of 3x3 convolutions on a map of 481 x 321: SRVGGNetCompact, RRDBNet's first and last of a block, SPAN.
LAYERS = [(64, 64), (64, 32), (192, 64), (48, 48)]


def milliseconds(call, runs):
    call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.quantized.engine = "onednn"
    torch.manual_seed(7)
    print("| 3x3 convolution | float32, ms | int8, ms | times as fast |\n|---|---|---|---|")
    for channels, out in LAYERS:
        x = torch.rand(1, channels, 321, 481).contiguous(memory_format=torch.channels_last)
        weight = torch.randn(out, channels, 3, 3) / (3 * channels ** 0.5)
        conv = torch.nn.Conv2d(channels, out, 3, padding=1).eval().to(memory_format=torch.channels_last)
        conv.weight.data.copy_(weight)
        scales = weight.abs().amax((1, 2, 3)) / 127
        whole = torch.quantize_per_channel(weight, scales.double(), torch.zeros(out, dtype=torch.long), 0, torch.qint8)
        packed = torch.ops.quantized.conv2d_prepack(whole, torch.zeros(out), [1, 1], [1, 1], [1, 1], 1)
        bytes_ = torch.quantize_per_tensor(x, 1 / 255, 0, torch.quint8)
        with torch.inference_mode():
            floats = milliseconds(lambda: conv(x), options.runs)
            integers = milliseconds(lambda: torch.ops.quantized.conv2d(bytes_, packed, 0.05, 128), options.runs)
        print(f"| {channels} to {out} | {floats:.1f} | {integers:.1f} | {floats / integers:.2f} |", flush=True)


if __name__ == "__main__":
    main()
