#!/usr/bin/env python3
"""Writes what pdqhash and OpenCV say about test pictures: the expected values of tests/signals/wide_hash_test.cpp.

Run by hand, in an environment with pdqhash, opencv-contrib-python-headless and Pillow:

    python tests/golden/make_wide_hash_golden.py ASSETS

It writes beside itself
    wide_hashes.csv          all files under ASSETS/photos that Pillow can read
    wide_formula_hashes.csv  pictures made of a formula that the C++ test knows too

PDQ is Meta's own C++ code in the package pdqhash, fed with Pillow's pixels without a resize; the block means are of
cv2.img_hash.BlockMeanHash in mode 0. Hashes are hexadecimal numbers whose bit k is the hash's bit k, which is PDQ's usual
text. The committed files were made with pdqhash 0.2.8, OpenCV 5.0.0, NumPy 2.4.6 and Pillow 13.0.0.
"""
import csv
import importlib.util
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pdqhash
from PIL import Image

HERE = Path(__file__).resolve().parent
BLOCK_MEAN = cv2.img_hash.BlockMeanHash_create(0)
# Flat and symmetric pictures have frequencies that are equal but for rounding, which PDQ's bits then show.
PATTERNS = ["noise", "blocks", "dots"]
SIZES = [(5, 5), (64, 64), (65, 130), (127, 128), (128, 129), (256, 256), (257, 255), (300, 77), (77, 300), (640, 427),
         (1023, 517), (500, 2100)]


def formula_picture():
    """picture() of make_hash_golden.py, without the package that it needs."""
    names = types.ModuleType("imagededup.methods")
    for name in ("AHash", "DHash", "PHash", "WHash"):
        setattr(names, name, lambda verbose: None)
    sys.modules["imagededup.methods"] = names
    spec = importlib.util.spec_from_file_location("make_hash_golden", HERE / "make_hash_golden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.picture


def hashes(rgb):
    rgb = np.ascontiguousarray(rgb)
    bits, quality = pdqhash.compute(rgb)
    pdq = sum(int(bit) << k for k, bit in enumerate(bits[::-1]))
    blocks = int.from_bytes(BLOCK_MEAN.compute(np.ascontiguousarray(rgb[:, :, ::-1])).tobytes(), "little")
    return [f"{pdq:064x}", quality, f"{blocks:064x}"]


def main():
    photos = Path(sys.argv[1]) / "photos"
    names = ["pdq", "quality", "blockmean"]
    with open(HERE / "wide_hashes.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["path"] + names)
        for path in sorted(p for p in photos.rglob("*") if p.is_file() and p.suffix != ".txt"):
            try:
                picture = Image.open(path).convert("RGBA").convert("RGB")
            except OSError:
                continue
            out.writerow([path.relative_to(photos)] + hashes(np.asarray(picture)))

    picture = formula_picture()
    with open(HERE / "wide_formula_hashes.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["width", "height", "bands", "pattern", "seed"] + names)
        seed = 0
        for width, height in SIZES:
            for pattern in PATTERNS:
                seed += 1
                bands = 3 if seed % 3 else 1
                pixels = picture(width, height, bands, pattern, seed)
                rgb = pixels if bands == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
                out.writerow([width, height, bands, pattern, seed] + hashes(rgb))


if __name__ == "__main__":
    main()
