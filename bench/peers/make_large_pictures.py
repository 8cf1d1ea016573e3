#!/usr/bin/env python3
"""Draws the corpus of the tile benchmark: PNG files of 4000x3000 RGB pixels, some 18 MB each.

Usage: venv/bin/python make_large_pictures.py --photos FOLDER_OF_JPEG --out FOLDER [--count 20]

Each is a mosaic of twelve enlarged photos with grain, as much as a camera's, written at compression level 1. The seed
is fixed. Files that are there already are left as they are.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np


def draw(photos, seed):
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(photos), 12, replace=False)
    parts = [cv2.resize(cv2.imread(str(photos[i])), (1000, 1000), interpolation=cv2.INTER_CUBIC) for i in chosen]
    mosaic = np.vstack([np.hstack(parts[row * 4:row * 4 + 4]) for row in range(3)])
    return np.clip(mosaic + rng.normal(0, 2, (3000, 4000, 1)), 0, 255).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20)
    options = parser.parse_args()
    photos = sorted(options.photos.glob("*.jpg"))
    options.out.mkdir(parents=True, exist_ok=True)
    for i in range(options.count):
        target = options.out / f"{i:02d}.png"
        if not target.exists():
            cv2.imwrite(str(target), draw(photos, i), [cv2.IMWRITE_PNG_COMPRESSION, 1])


if __name__ == "__main__":
    main()
