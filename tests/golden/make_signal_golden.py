#!/usr/bin/env python3
"""Writes what NumPy, SciPy and OpenCV say about the quality signals of test pictures: the expected values of tests/signals.

Run by hand, in an environment with those and Pillow (bench/peers/setup.sh makes one):

    ~/.cache/imgmill-peers/venv/bin/python tests/golden/make_signal_golden.py ASSETS

It writes beside itself
    photo_signals.csv    some of the files under ASSETS/photos and ASSETS/odd/quality-issues
    formula_signals.csv  pictures made of a formula that the C++ test knows too
An empty cell is a signal without a value. Every signal is computed from its definition in floating point, on whole images; nothing is
shared with the C++ code. The committed files were made with Pillow 13.0.0, NumPy 2.4.6, SciPy 1.17.1 and OpenCV 5.0.0.
"""
import csv
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.signal import convolve2d
from scipy.stats import entropy

from make_hash_golden import picture

HERE = Path(__file__).resolve().parent
NAMES = ["brightness", "contrast", "entropy", "sharpness", "noise", "blockiness", "colorfulness", "grayscale"]
PHOTOS = ["photos/bsds500-val/101085.jpg", "photos/bsds500-val/119082.jpg", "photos/bsds500-val/3096.jpg",
          "photos/scikit-image/astronaut.png", "photos/scikit-image/camera.png", "photos/scikit-image/chelsea.png",
          "photos/scikit-image/color.png", "photos/scikit-image/hubble_deep_field.jpg", "photos/scikit-image/rocket.jpg",
          "photos/scikit-image/palette_color.png", "odd/quality-issues/image_101.png", "odd/quality-issues/image_142.png",
          "odd/quality-issues/image_408.png", "odd/quality-issues/image_604.png"]
FORMULAS = [(1, 1, 1), (2, 3, 3), (3, 3, 3), (15, 40, 3), (16, 16, 1), (17, 23, 3), (64, 64, 1), (100, 37, 3), (1026, 19, 3),
            (1027, 33, 1), (37, 300, 3), (2500, 18, 3)]
PATTERNS = ["noise", "blocks", "flat", "diagonal", "checks", "dots"]


def blockiness(luma):
    """Every one of the 64 grids as a mask over all steps, one after the other."""
    height, width = luma.shape
    if min(height, width) < 16:
        return ""
    across = np.abs(np.diff(luma, axis=1))  # the step that ends at column x + 1
    down = np.abs(np.diff(luma, axis=0))
    best = 0.0
    for right in range(8):
        for below in range(8):
            border_across = np.zeros(across.shape, bool)
            border_across[:, (np.arange(1, width) % 8) == right] = True
            border_down = np.zeros(down.shape, bool)
            border_down[(np.arange(1, height) % 8) == below, :] = True
            border = np.concatenate([across[border_across], down[border_down]]).mean()
            inside = np.concatenate([across[~border_across], down[~border_down]]).mean()
            if border > 0:
                best = max(best, min(100 * (border / inside - 1), 10000) if inside > 0 else 10000)
    return best


def signals(image):
    """image: a Pillow image in L or RGB."""
    luma = np.asarray(image.convert("L")).astype(np.float64)
    rgb = np.asarray(image.convert("RGB")).astype(np.float64)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    shares = np.bincount(luma.astype(np.uint8).ravel(), minlength=256) / luma.size
    enough = min(luma.shape) >= 3
    sharpness = noise = ""
    if enough:
        sharpness = cv2.Laplacian(luma.astype(np.uint8), cv2.CV_64F)[1:-1, 1:-1].var()
        mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
        noise = np.sqrt(np.pi / 2) / 6 * np.abs(convolve2d(luma, mask, mode="valid")).mean()
    rg, yb = red - green, 0.5 * (red + green) - blue
    colorfulness = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    spread = (rgb.max(axis=2) - rgb.min(axis=2)).max()
    return [luma.mean(), luma.std(), entropy(shares, base=2), sharpness, noise, blockiness(luma), colorfulness,
            int(spread <= 2)]


def cell(value):
    return value if value == "" or isinstance(value, int) else repr(float(value))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(HERE / "photo_signals.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["path"] + NAMES)
        for path in PHOTOS:
            with Image.open(Path(sys.argv[1]) / path) as image:
                upright = image.convert("RGBA").convert("RGB") if image.mode in ("RGBA", "P") else image.convert("RGB")
                out.writerow([path] + [cell(value) for value in signals(upright)])
    with open(HERE / "formula_signals.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["width", "height", "bands", "pattern", "seed"] + NAMES)
        for i, (width, height, bands) in enumerate(FORMULAS):
            for k, pattern in enumerate(PATTERNS):
                seed = i + 3 * k + 1
                pixels = picture(width, height, bands, pattern, seed)
                image = Image.fromarray(pixels)
                out.writerow([width, height, bands, pattern, seed] + [cell(value) for value in signals(image)])


main()
