#!/usr/bin/env python3
"""Writes what imagededup says about test pictures: the expected values of tests/signals.

Run by hand, in an environment with imagededup (bench/peers/setup.sh makes one):

    ~/.cache/imgmill-peers/venv/bin/python tests/golden/make_hash_golden.py ASSETS

It writes beside itself
    imagededup_hashes.csv          all files under ASSETS/photos that imagededup can read
    imagededup_formula_hashes.csv  pictures made of a formula that the C++ test knows too
    opencv_sharpness.csv           variance of cv2.Laplacian without the border, of some of the photos, in grey

The committed files were made with imagededup 0.3.3.post2, Pillow 13.0.0, SciPy 1.17.1, PyWavelets 1.8.0, NumPy 2.4.6
and OpenCV 5.0.0. Pillow matters: before version 13 it resized pictures that are much taller than wide in the other
order, which changes a bit or two of their hashes.
"""
import csv
import sys
from pathlib import Path

import cv2
import numpy as np
from imagededup.methods import AHash, DHash, PHash, WHash
from PIL import Image

HERE = Path(__file__).resolve().parent
METHODS = [method(verbose=False) for method in (PHash, DHash, AHash, WHash)]
NAMES = ["phash", "dhash", "ahash", "whash"]
PATTERNS = ["noise", "blocks", "flat", "diagonal", "checks", "dots"]
SIZES = [(1, 1), (8000, 1), (1, 8000), (2, 3), (8, 8), (9, 8), (32, 32), (256, 256), (32, 77), (77, 32), (9, 100),
         (100, 8), (256, 300), (300, 256), (31, 33), (50, 49), (50, 400), (150, 270), (150, 269), (640, 427), (427, 640),
         (1023, 17), (257, 255), (500, 2100)]


def mix(x):
    """A number 0..255 from each 32-bit number; the same as Mix in tests/signals/formula_picture.h."""
    x = x * 2654435761 & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 2246822519 & 0xFFFFFFFF
    x ^= x >> 13
    return x & 255


# Letters of 5x7 pixels, a row in 5 bits: E, A, R, T, S, N, H, O.
GLYPHS = np.array([[31, 16, 16, 30, 16, 16, 31], [14, 17, 17, 31, 17, 17, 17], [30, 17, 17, 30, 20, 18, 17], [31, 4, 4, 4, 4, 4, 4],
                   [15, 16, 16, 14, 1, 1, 30], [17, 25, 21, 19, 17, 17, 17], [17, 17, 17, 31, 17, 17, 17], [14, 17, 17, 17, 17, 17, 14]])


def letters(y, x, seed):
    """Dark on light, each pixel of a letter 2x2 of the picture's."""
    y, x = y // 2, x // 2
    which = mix(y // 9 * 1000 + x // 6 + seed * 7919) % 8
    row, column = (y % 9).astype(int), (x % 6).astype(int)
    bits = GLYPHS[which.astype(int), np.minimum(row, 6)] >> np.maximum(4 - column, 0) & 1
    return np.where((row < 7) & (column < 5) & (bits == 1), 25, 225).astype(np.uint64)


def picture(width, height, bands, pattern, seed):
    y, x, band = np.meshgrid(np.arange(height, dtype=np.uint64), np.arange(width, dtype=np.uint64),
                             np.arange(bands, dtype=np.uint64), indexing="ij")
    seed = np.uint64(seed)
    if pattern == "noise":
        value = mix(((y * width + x) * bands + band) + seed * 7919)
    elif pattern == "blocks":
        value = mix((y // 23 * 1000 + x // 31) * 3 + band + seed * 7919)
    elif pattern == "flat":
        value = np.full_like(x, 0) + seed * 37 % 256
    elif pattern == "diagonal":
        value = (x + y + band * 50 + seed) % 256
    elif pattern == "checks":
        value = (x // 5 + y // 5) % 2 * 200 + seed
    elif pattern == "letters":
        value = letters(y, x, seed)
    else:
        value = mix(y * width + x + seed * 7919) % 2 * 255
    pixels = value.astype(np.uint8)
    return pixels[:, :, 0] if bands == 1 else pixels


def main():
    photos = Path(sys.argv[1]) / "photos"
    with open(HERE / "imagededup_hashes.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["path"] + NAMES)
        for path in sorted(p for p in photos.rglob("*") if p.is_file() and p.suffix != ".txt"):
            hashes = [method.encode_image(image_file=path) for method in METHODS]
            if all(hashes):
                out.writerow([path.relative_to(photos)] + hashes)

    with open(HERE / "imagededup_formula_hashes.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["width", "height", "bands", "pattern", "seed"] + NAMES)
        seed = 0
        for width, height in SIZES:
            for pattern in PATTERNS:
                seed += 1
                bands = 3 if seed % 3 else 1
                pixels = picture(width, height, bands, pattern, seed)
                out.writerow([width, height, bands, pattern, seed] +
                             [method.encode_image(image_array=pixels) for method in METHODS])

    with open(HERE / "opencv_sharpness.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["path", "sharpness"])
        for path in sorted((photos / "bsds500-val").glob("*.jpg"))[::10]:
            grey = np.array(Image.open(path).convert("L"))
            laplacian = cv2.Laplacian(grey, cv2.CV_64F, ksize=1)[1:-1, 1:-1]
            out.writerow([path.relative_to(photos), repr(float(laplacian.var()))])


if __name__ == "__main__":
    main()
