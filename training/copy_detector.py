#!/usr/bin/env python3
"""Trains a small network for finding copies of images by contrastive learning, on the photos of BSDS500 and of scikit-image, on a CPU.

Usage: training/copy_detector.py --photos shared/assets/photos --pairs shared/assets/dedup/cifar10-near-duplicates
         --imgmill build/release/bin/imgmill -o /tmp/copy.safetensors
Needs torch, numpy, pillow and safetensors (bench/peers/setup.sh makes an environment that has them).

The network is a ResNet of the CIFAR kind (three stages, an average at the end) on 32x32 pixels, in the key layout that imgmill reads. In
each step, rectangles are cut out of photos at random; two edited versions of each (cropped, resized, re-encoded, recoloured, blurred,
noised, written on) are to be nearer to each other than to those of all other rectangles (the loss of SimCLR, Chen et al. 2020, with
the spreading term of SSCD, Pizzi et al. 2022). BSDS500's photos whose place in the sorted listing is divisible by five are held out.

At the end it compares the network with imgmill's built-in descriptor on the judged pairs of CIFAR-10 (recall and precision over all
pairs of the 565 images) and on edited versions of the held-out photos. All that is drawn at random comes from --seed.
"""

import argparse
import csv
import io
import math
import random
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

SIDE = 32
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


class Block(nn.Module):
    def __init__(self, taken, given, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(taken, given, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(given)
        self.conv2 = nn.Conv2d(given, given, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(given)
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(taken, given, 1, stride, bias=False), nn.BatchNorm2d(given))
        else:
            self.shortcut = nn.Identity()

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


class Network(nn.Module):
    """N x 3 x 32 x 32, normalised, to N x widths[-1]; the projection is used in training only, as `linear`."""

    def __init__(self, widths, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        taken = widths[0]
        for stage, given in enumerate(widths, 1):
            layers = []
            for block in range(blocks):
                layers.append(Block(taken, given, 2 if stage > 1 and block == 0 else 1))
                taken = given
            self.add_module(f"layer{stage}", nn.Sequential(*layers))
        self.linear = nn.Linear(taken, taken)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return x.mean((2, 3))


def edited(image, draw):
    """One of the edits that copies on the web have gone through, or several."""
    width, height = image.size
    if draw.random() < 0.7:
        kept = draw.uniform(0.75, 1) if draw.random() < 0.8 else draw.uniform(0.5, 0.75)
        aspect = math.exp(draw.uniform(-0.15, 0.15))
        w = min(width, max(8, round(width * math.sqrt(kept) * aspect)))
        h = min(height, max(8, round(height * math.sqrt(kept) / aspect)))
        x, y = draw.randint(0, width - w), draw.randint(0, height - h)
        image = image.crop((x, y, x + w, y + h))
    if draw.random() < 0.2:
        image = image.rotate(draw.uniform(-6, 6), Image.Resampling.BILINEAR, fillcolor=tuple(draw.randrange(256) for _ in range(3)))
    for enhance, spread in ((ImageEnhance.Brightness, 0.3), (ImageEnhance.Contrast, 0.3), (ImageEnhance.Color, 0.5)):
        if draw.random() < 0.4:
            image = enhance(image).enhance(math.exp(draw.gauss(0, spread)))
    if draw.random() < 0.25:
        gain = [math.exp(draw.gauss(0, 0.12)) for _ in range(3)]
        image = Image.fromarray((np.asarray(image, np.float32) * gain).clip(0, 255).astype(np.uint8))
    if draw.random() < 0.1:
        image = image.convert("L").convert("RGB")
    if draw.random() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(draw.uniform(0.3, 1.2) * image.width / 64))
    if draw.random() < 0.2:
        noise = np.random.default_rng(draw.randrange(1 << 30)).normal(0, draw.uniform(2, 14), (image.height, image.width, 3))
        image = Image.fromarray((np.asarray(image, np.float32) + noise).clip(0, 255).astype(np.uint8))
    if draw.random() < 0.25:
        image = image.copy()
        canvas = ImageDraw.Draw(image)
        colour = tuple(draw.randrange(256) for _ in range(3))
        if draw.random() < 0.5:
            canvas.text((draw.uniform(0, 0.5) * image.width, draw.uniform(0, 0.9) * image.height), "sample text", fill=colour)
        else:
            x, y = draw.uniform(0, 0.8) * image.width, draw.uniform(0, 0.8) * image.height
            canvas.rectangle((x, y, x + draw.uniform(0.05, 0.25) * image.width, y + draw.uniform(0.05, 0.25) * image.height), fill=colour)
    if draw.random() < 0.15:
        edge = round(draw.uniform(0.02, 0.1) * image.width)
        wide = Image.new("RGB", (image.width + 2 * edge, image.height + 2 * edge), draw.choice(["black", "white"]))
        wide.paste(image, (edge, edge))
        image = wide
    if draw.random() < 0.4:
        buffer = io.BytesIO()
        image.save(buffer, "jpeg", quality=draw.randint(15, 90))
        image = Image.open(buffer)
        image.load()
    return image


def small(image):
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def prepared(images):
    return (torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255 - MEAN) / DEVIATION


def vectors_of(model, images):
    model.eval()
    with torch.no_grad():
        vectors = torch.cat([model(prepared([small(i) for i in images[k : k + 128]])) for k in range(0, len(images), 128)])
    model.train()
    return F.normalize(vectors).numpy()


def curve(vectors, truth):
    """Over all pairs: [(cosine, recall, precision)], from the most similar pair on. truth: set of (i, j) with i < j."""
    i, j = np.triu_indices(len(vectors), 1)
    similarity = (vectors @ vectors.T)[i, j]
    order = np.argsort(-similarity, kind="stable")
    right = np.array([(a, b) in truth for a, b in zip(i[order], j[order])])
    found = np.cumsum(right)
    return similarity[order], found / len(truth), found / np.arange(1, len(order) + 1)


def described(name, vectors, truth):
    cosine, recall, precision = curve(vectors, truth)
    average = float(np.sum(precision[np.diff(recall, prepend=0) > 0]) / len(truth))
    parts = []
    for wanted in (0.5, 0.6, 0.7, 0.8, 0.9):
        good = np.nonzero(precision >= wanted)[0]
        parts.append(f"{recall[good[-1]] * 100:.0f} % at {wanted * 100:.0f} %" if len(good) else f"none at {wanted * 100:.0f} %")
    print(f"  {name}: average precision {average:.3f}; recall at a precision: {', '.join(parts)}", flush=True)


def builtin(imgmill, paths):
    """Vectors of the built-in descriptor, in the order of `paths`."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "v.npy"
        subprocess.run([imgmill, "embed", *map(str, paths), "--catalog", f"{scratch}/c", "--export", str(out), "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        names = Path(str(out).replace(".npy", ".paths.txt")).read_text().split("\n")
        place = {name: i for i, name in enumerate(names)}
        return np.load(out)[[place[str(path)] for path in paths]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--imgmill", required=True)
    parser.add_argument("--widths", default="24,48,96")
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--spread", type=float, default=0.3, help="weight of the term that spreads vectors")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    draw = random.Random(options.seed)

    bsds = sorted((options.photos / "bsds500-val").glob("*.jpg"))
    held_out = bsds[::5]
    learnt = [path for i, path in enumerate(bsds) if i % 5]
    learnt += sorted(p for p in (options.photos / "scikit-image").rglob("*") if p.suffix in (".jpg", ".png", ".jpeg"))
    photos = []
    for path in learnt:
        try:
            image = Image.open(path).convert("RGB")
        except OSError as problem:
            print(f"left out: {path}: {problem}", flush=True)
            continue
        if min(image.size) >= 96:
            photos.append(image)
    print(f"{len(photos)} photos to learn from, {len(held_out)} held out", flush=True)

    def rectangle():
        photo = draw.choice(photos)
        side = min(photo.size) * draw.uniform(0.3, 1)
        w, h = (min(round(side * f), limit) for f, limit in zip((draw.uniform(0.8, 1.25), 1), photo.size))
        x, y = draw.randint(0, photo.width - w), draw.randint(0, photo.height - h)
        image = photo.crop((x, y, x + w, y + h))
        if draw.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if draw.random() < 0.3:  # colours that nature has not
            image = Image.merge("RGB", draw.sample(image.split(), 3))
        image.thumbnail((96, 96), Image.Resampling.BILINEAR)
        return image

    table = [row for row in csv.DictReader((options.pairs / "pairs.csv").open())]
    paths = sorted({options.pairs / row[k] for row in table for k in ("test_path", "train_path")})
    place = {path: i for i, path in enumerate(paths)}
    truth = {tuple(sorted((place[options.pairs / r["test_path"]], place[options.pairs / r["train_path"]]))) for r in table}
    judged = [Image.open(path).convert("RGB") for path in paths]

    # Eight edits of each held-out photo and the photo itself.
    editor = random.Random(7)
    copies, copy_truth = [], set()
    for path in held_out:
        photo = Image.open(path).convert("RGB")
        first = len(copies)
        copies += [photo] + [edited(photo, editor) for _ in range(8)]
        copy_truth |= {(a, b) for a in range(first, len(copies)) for b in range(a + 1, len(copies))}

    print("before:")
    described("built-in, CIFAR pairs", builtin(options.imgmill, paths), truth)
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for i, image in enumerate(copies):
            files.append(Path(scratch) / f"{i:04d}.png")
            image.save(files[-1])
        described("built-in, edited photos", builtin(options.imgmill, files), copy_truth)

    model = Network([int(w) for w in options.widths.split(",")], options.blocks)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * min(1, step / options.steps))) + 1e-4
    )
    started = time.monotonic()
    for step in range(1, options.steps + 1):
        originals = [rectangle() for _ in range(options.batch)]
        views = [small(edited(image, draw)) for image in originals] + [small(edited(image, draw)) for image in originals]
        z = F.normalize(model(prepared(views).contiguous(memory_format=torch.channels_last)))
        similarity = z @ z.T
        own = torch.eye(len(z), dtype=torch.bool)
        target = (torch.arange(len(z)) + options.batch) % len(z)
        contrast = F.cross_entropy(similarity.masked_fill(own, -1e9) / options.temperature, target)
        # The nearest vector that is no copy is to be far: differential entropy, Kozachenko and Leonenko's estimate.
        others = own.clone()
        others[torch.arange(len(z)), target] = True
        nearest = similarity.masked_fill(others, -1).max(1).values
        spread = -(2 - 2 * nearest).clamp_min(1e-6).sqrt().log().mean()
        loss = contrast + options.spread * spread
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 250 == 0 or step == options.steps:
            print(f"step {step}, {time.monotonic() - started:.0f} s: contrast {contrast.item():.3f}, spread {spread.item():.3f}", flush=True)
            described("CIFAR pairs", vectors_of(model, judged), truth)
            described("edited photos", vectors_of(model, copies), copy_truth)
            save_file(
                {n: (v.half() if v.is_floating_point() else v).contiguous() for n, v in model.state_dict().items()
                 if not n.endswith("num_batches_tracked")},
                options.output,
            )


if __name__ == "__main__":
    main()
