#!/usr/bin/env python3
"""Draws the corpus of the dedup benchmark: 1000 JPEG files, 200 of them near-duplicates, and the list of these.

Usage: venv/bin/python make_photo_corpus.py --photos FOLDER_OF_100_JPEG --out FOLDER

800 base pictures of 1600x1066 at quality 90: eight crops of each photo, flipped, brightened and grained at random.
200 more, each of another base: encoded again at quality 60, or half the size, or 3 % cropped on each side. All names
are shuffled. FOLDER/photos_truth.csv lists file_a,file_b,kind. The seed is fixed.
"""
import argparse
import csv
import random
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

SIZE = (1600, 1066)
CROPS = 8
KINDS = ["reencode_q60"] * 67 + ["resize_50"] * 67 + ["crop_3"] * 66


def write_base(job):
    source, target, seed = job
    rng = np.random.default_rng(seed)
    photo = cv2.imread(str(source))
    height, width = photo.shape[:2]
    share = rng.uniform(0.55, 0.75)
    crop_width = int(share * min(width, height * SIZE[0] / SIZE[1]))
    crop_height = crop_width * SIZE[1] // SIZE[0]
    x = rng.integers(0, width - crop_width + 1)
    y = rng.integers(0, height - crop_height + 1)
    picture = cv2.resize(photo[y:y + crop_height, x:x + crop_width], SIZE, interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    # Grain makes the files as large as a camera's: a smooth enlargement would compress to nothing.
    grain = rng.normal(0, 4, (SIZE[1], SIZE[0], 1))
    picture = (picture - 128.0) * rng.uniform(0.85, 1.15) + 128 + rng.uniform(-25, 25) + grain
    cv2.imwrite(str(target), np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])


def write_duplicate(job):
    source, target, kind = job
    picture = cv2.imread(str(source))
    quality = 90
    if kind == "reencode_q60":
        quality = 60
    elif kind == "resize_50":
        picture = cv2.resize(picture, (SIZE[0] // 2, SIZE[1] // 2), interpolation=cv2.INTER_AREA)
    else:
        x, y = round(SIZE[0] * 0.03), round(SIZE[1] * 0.03)
        picture = picture[y:-y, x:-x]
    cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20240607)
    options = parser.parse_args()
    sources = sorted(options.photos.glob("*.jpg"))
    folder = options.out / "photos"
    folder.mkdir(parents=True, exist_ok=True)

    rng = random.Random(options.seed)
    bases = len(sources) * CROPS
    numbers = list(range(bases + len(KINDS)))
    rng.shuffle(numbers)
    names = [f"{number:04d}.jpg" for number in numbers]
    kinds = KINDS[:]
    rng.shuffle(kinds)
    originals = rng.sample(range(bases), len(kinds))
    cv2.setNumThreads(1)
    with Pool() as pool:
        pool.map(write_base, [(sources[i // CROPS], folder / names[i], options.seed + i) for i in range(bases)])
        pool.map(write_duplicate, [(folder / names[original], folder / names[bases + i], kind)
                                   for i, (original, kind) in enumerate(zip(originals, kinds))])
    with open(options.out / "photos_truth.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["file_a", "file_b", "kind"])
        for i, (original, kind) in enumerate(zip(originals, kinds)):
            out.writerow([names[original], names[bases + i], kind])


if __name__ == "__main__":
    main()
