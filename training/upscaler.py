#!/usr/bin/env python3
"""Trains the project's own compact upscalers (models/sr-x2.safetensors, sr-x4.safetensors) on the photos of BSDS500, on a CPU.

Usage: training/upscaler.py --photos shared/assets/photos/bsds500-val --set5 shared/assets/sr/Set5 --scale 4 -o models/sr-x4.safetensors
Needs torch, numpy, pillow and safetensors (bench/peers/setup.sh makes an environment that has them).

The network is the one known as SRVGGNetCompact, so that imgmill runs it with the kernels that it has for it: 3x3 convolutions with
PReLU, a pixel shuffle, and the input enlarged by its nearest pixels added to it. The photos whose place in the sorted listing is
divisible by five are held out, and so is Set5. Small images are made by reducing the photo with a filter drawn at random (mostly
bicubic), rounded to eight bits; the loss is the mean absolute difference. What is saved is the moving average of the weights, as
float16.

A run is repeatable on one machine: all that is drawn at random comes from --seed. Every 1000 steps it prints the PSNR on the
held-out photos beside that of Pillow's bicubic and Lanczos.
"""

import argparse
import copy
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

FILTERS = [Image.Resampling.BICUBIC] * 6 + [Image.Resampling.LANCZOS] * 2 + [Image.Resampling.BOX, Image.Resampling.BILINEAR]


class Compact(nn.Module):
    """N x 3 x H x W of 0..1 to N x 3 x sH x sW; keys as the published models of this kind have them."""

    def __init__(self, features, convs, scale):
        super().__init__()
        self.scale = scale
        layers = [nn.Conv2d(3, features, 3, padding=1), nn.PReLU(features)]
        for _ in range(convs):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.PReLU(features)]
        layers += [nn.Conv2d(features, 3 * scale * scale, 3, padding=1)]
        self.body = nn.ModuleList(layers)
        for layer in self.body:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, a=0.25)
                nn.init.zeros_(layer.bias)
        # The beginning is the enlarged input itself.
        self.body[-1].weight.data *= 0.01

    def forward(self, x):
        out = x
        for layer in self.body:
            out = layer(out)
        return F.pixel_shuffle(out, self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


def luma(image):
    """Y of BT.601 in 16..235, as super-resolution papers measure; image is H x W x 3 of 0..255."""
    return 16 + (65.481 * image[..., 0] + 128.553 * image[..., 1] + 24.966 * image[..., 2]) / 255


def psnr(a, b, border):
    difference = (luma(a.astype(np.float64)) - luma(b.astype(np.float64)))[border:-border, border:-border]
    return 10 * math.log10(255**2 / np.mean(difference**2))


def enlarge(model, small):
    with torch.no_grad():
        x = torch.from_numpy(small).permute(2, 0, 1).float()[None] / 255
        y = model(x)[0].clamp(0, 1) * 255
    return y.permute(1, 2, 0).round().numpy()


def judge(model, pairs, scale):
    """Mean PSNR over (large, small) pairs: of the network, Pillow's bicubic, Pillow's Lanczos."""
    sums = np.zeros(3)
    for large, small in pairs:
        height, width = large.shape[:2]
        image = Image.fromarray(small)
        outputs = [enlarge(model, small)] + [
            np.asarray(image.resize((width, height), f)) for f in (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
        ]
        sums += [psnr(large, output, scale) for output in outputs]
    return sums / len(pairs)


def reduced(image, scale, resampling):
    height, width = image.shape[:2]
    return np.asarray(Image.fromarray(image).resize((width // scale, height // scale), resampling))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--set5", type=Path)
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--convs", type=int, default=12)
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--patch", type=int, default=32, help="side of a small patch")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start-from", type=Path, help="a saved model of another scale, whose body is taken over")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    draw = random.Random(options.seed)
    scale = options.scale

    photos = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(options.photos.glob("*.jpg"))]
    photos = [photo[: photo.shape[0] // scale * scale, : photo.shape[1] // scale * scale] for photo in photos]
    held_out = [(photo, reduced(photo, scale, Image.Resampling.BICUBIC)) for i, photo in enumerate(photos) if i % 5 == 0]
    # Every way of reducing a photo that may be drawn, made once.
    kinds = sorted(set(FILTERS))
    training = [(photo, {kind: reduced(photo, scale, kind) for kind in kinds}) for i, photo in enumerate(photos) if i % 5]
    print(f"{len(training)} photos to train on, {len(held_out)} held out", flush=True)

    def patch():
        large, small = draw.choice(training)
        small = small[draw.choice(FILTERS)]
        side = options.patch
        y, x = draw.randrange(small.shape[0] - side + 1), draw.randrange(small.shape[1] - side + 1)
        a = small[y : y + side, x : x + side]
        b = large[y * scale : (y + side) * scale, x * scale : (x + side) * scale]
        turns, mirrored = draw.randrange(4), draw.random() < 0.5
        a, b = np.rot90(a, turns), np.rot90(b, turns)
        return (a[:, ::-1], b[:, ::-1]) if mirrored else (a, b)

    model = Compact(options.features, options.convs, scale)
    if options.start_from:
        from safetensors.torch import load_file

        old = load_file(options.start_from)
        mine = model.state_dict()
        model.load_state_dict({name: (old[name].float() if old[name].shape == mine[name].shape else mine[name]) for name in mine})
    model = model.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.rate, betas=(0.9, 0.99))
    warm_up = 200
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / warm_up) * (0.5 + 0.5 * math.cos(math.pi * min(1, step / options.steps))) + 1e-4,
    )
    started = time.monotonic()
    mean_loss = 0
    for step in range(1, options.steps + 1):
        batch = [patch() for _ in range(options.batch)]
        small, large = (
            torch.from_numpy(np.stack([pair[k] for pair in batch])).permute(0, 3, 1, 2).float() / 255 for k in (0, 1)
        )
        loss = F.l1_loss(model(small.contiguous(memory_format=torch.channels_last)), large)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for mean, now in zip(average.parameters(), model.parameters()):
                mean.lerp_(now, 0.002 if step > 500 else 0.05)
        mean_loss += loss.item()
        if step % 1000 == 0 or step == options.steps:
            ours, bicubic, lanczos = judge(average, held_out, scale)
            print(
                f"step {step}, {time.monotonic() - started:.0f} s: loss {mean_loss / (step % 1000 or 1000):.5f}, held out"
                f" {ours:.3f} dB (bicubic {bicubic:.3f}, Lanczos {lanczos:.3f})",
                flush=True,
            )
            mean_loss = 0
            options.output.parent.mkdir(parents=True, exist_ok=True)
            save_file({name: value.half().contiguous() for name, value in average.state_dict().items()}, options.output)

    average.load_state_dict({name: value.half().float() for name, value in average.state_dict().items()})
    ours, bicubic, lanczos = judge(average, held_out, scale)
    print(f"held-out photos, float16 weights: {ours:.3f} dB, bicubic {bicubic:.3f}, Lanczos {lanczos:.3f}")
    if options.set5:
        pairs = [
            (np.asarray(Image.open(large).convert("RGB")), np.asarray(Image.open(str(large).replace("_HR", "_LR")).convert("RGB")))
            for large in sorted((options.set5 / f"image_SRF_{scale}").glob("*_HR.png"))
        ]
        ours, bicubic, lanczos = judge(average, pairs, scale)
        print(f"Set5: {ours:.3f} dB, bicubic {bicubic:.3f}, Lanczos {lanczos:.3f}")


if __name__ == "__main__":
    main()
