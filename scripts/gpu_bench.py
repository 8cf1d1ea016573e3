#!/usr/bin/env python3
"""How fast imgmill enlarges photos on a GPU, beside a loop of PyTorch that only computes: one table. scripts/gpu-check.sh
calls it.

PyTorch has SRVGGNetCompact's layers, channels last, and pictures of 481x321 in page-locked memory; it sends them as
bytes, and fetches bytes. imgmill reads JPEGs and writes PNG to /dev/shm. Its rate is that of the pictures beyond the
first quarter: the difference between two runs, so that neither's start counts. Several runs each, the median.

Usage: scripts/gpu_bench.py --program FOLDER --model FILE --photos FOLDER [--device cuda] [--count 400] [--runs 3]
  --program  what scripts/carry.sh made, or any folder with bin/imgmill
  --model    weights of SRVGGNetCompact, .safetensors
  --device   cpu tries the script where there is no GPU
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import tempfile
import threading
import time

import torch

from gpu_runs import copy_photos, environment_for

HEIGHT, WIDTH = 321, 481


class Compact:
    """The network, from the tensors' names and shapes."""

    def __init__(self, path, device, dtype):
        with open(path, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            data = file.read()
        header.pop("__metadata__", None)
        types = {"F32": torch.float32, "F16": torch.float16}
        self.layers = []
        for number in sorted({int(name.split(".")[-2]) for name in header}):
            layer = {}
            for name, entry in header.items():
                if int(name.split(".")[-2]) != number:
                    continue
                begin, end = entry["data_offsets"]
                tensor = torch.frombuffer(bytearray(data[begin:end]), dtype=types[entry["dtype"]])
                layer[name.split(".")[-1]] = tensor.reshape(entry["shape"]).to(device, dtype)
            if layer["weight"].dim() == 4:
                layer["weight"] = layer["weight"].contiguous(memory_format=torch.channels_last)
            self.layers.append(layer)
        self.scale = round((self.layers[-1]["weight"].shape[0] / 3) ** 0.5)

    def __call__(self, x):
        y = x
        for layer in self.layers:
            if layer["weight"].dim() == 4:
                y = torch.conv2d(y, layer["weight"], layer["bias"], padding=1)
            else:
                y = torch.prelu(y, layer["weight"])
        y = torch.pixel_shuffle(y, self.scale)
        return y + torch.nn.functional.interpolate(x, scale_factor=self.scale, mode="nearest")


def peer_rate(options, dtype, batch):
    """Pictures a second."""
    device = torch.device(options.device)
    net = Compact(options.model, device, dtype)
    pinned = device.type != "cpu"
    pictures = torch.randint(0, 256, (batch, HEIGHT, WIDTH, 3), dtype=torch.uint8)
    results = torch.empty((batch, HEIGHT * net.scale, WIDTH * net.scale, 3), dtype=torch.uint8)
    if pinned:
        pictures, results = pictures.pin_memory(), results.pin_memory()

    def one():
        x = pictures.to(device, non_blocking=True).to(dtype).div_(255).permute(0, 3, 1, 2)
        y = net(x).clamp_(0, 1).mul_(255).round_().to(torch.uint8)
        results.copy_(y.permute(0, 2, 3, 1), non_blocking=True)

    def wait():
        if pinned:
            torch.cuda.synchronize()

    with torch.inference_mode():
        for _ in range(1 if not pinned else 5):
            one()
        wait()
        start, done = time.monotonic(), 0
        while time.monotonic() - start < options.seconds:
            one()
            done += batch
            if done % (4 * batch) == 0:
                wait()
        wait()
        return done / (time.monotonic() - start)


class Busy:
    """The share of time in which the card computed, as NVIDIA's tool has it."""

    def __enter__(self):
        self.process, self.shares = None, []
        if shutil.which("nvidia-smi"):
            command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            threading.Thread(target=self.read, daemon=True).start()
        return self

    def read(self):
        for line in self.process.stdout:
            if line.strip().isdigit():
                self.shares.append(int(line))

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()

    def text(self):
        # Of the time in which it was in use at all: the start is the processor's.
        used = [share for share in self.shares if share > 0]
        return f"{statistics.mean(used):.0f} %" if used else ""


def seconds_of(options, scratch, photos, flags):
    out = scratch / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [str(pathlib.Path(options.program) / "bin" / "imgmill"), "upscale", str(photos), "-o", str(out),
               "--model", options.model, "--device", options.device, "--no-catalog", "--compression", "1", *flags]
    start = time.monotonic()
    subprocess.run(command, env=environment_for(options.program), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def own_rate(options, scratch, few, many, flags):
    """Pictures a second, and how busy the card was."""
    rates = []
    with Busy() as busy:
        for _ in range(options.runs):
            short = seconds_of(options, scratch, few, flags)
            rates.append((options.count - options.count // 4) / (seconds_of(options, scratch, many, flags) - short))
    return statistics.median(rates), busy.text()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()

    room = "/dev/shm" if os.path.isdir("/dev/shm") else None
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="imgmill-bench-", dir=room))
    try:
        folders = {}
        for count in (options.count // 4, options.count):
            folders[count] = scratch / f"photos{count}"
            copy_photos(options.photos, folders[count], count)
        few, many = folders[options.count // 4], folders[options.count]
        on_gpu = options.device != "cpu"
        precisions = [("float32", torch.float32)] + ([("half", torch.half)] if on_gpu else [])
        print("| precision | batch | PyTorch, from memory, pictures a second | imgmill, JPEG to PNG | ratio | card busy |")
        print("|---|---|---|---|---|---|")
        for name, dtype in precisions:
            for batch in (4, 8, 16) if on_gpu else (1,):
                theirs = peer_rate(options, dtype, batch)
                flags = ["--batch", str(batch)] + (["--precision", name] if on_gpu else [])
                ours, busy = own_rate(options, scratch, few, many, flags)
                print(f"| {name} | {batch} | {theirs:.1f} | {ours:.1f} | {ours / theirs:.2f} | {busy} |", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
