#!/usr/bin/env python3
"""What a user of imagededup runs to find near-duplicates by phash: encode a folder, then find pairs.

Usage: venv/bin/python dedup_imagededup.py FOLDER --pairs OUT.csv [--workers 2] [--distance 10]
Writes each pair once to OUT.csv and prints the seconds spent, without the imports.
"""
import argparse
import csv
import time

from imagededup.methods import PHash


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--distance", type=int, default=10)
    options = parser.parse_args()
    start = time.perf_counter()
    method = PHash(verbose=False)
    hashes = method.encode_images(image_dir=options.folder, num_enc_workers=options.workers)
    duplicates = method.find_duplicates(encoding_map=hashes, max_distance_threshold=options.distance,
                                        num_dist_workers=options.workers)
    print(f"{time.perf_counter() - start:.2f}")
    pairs = {tuple(sorted((name, other))) for name, others in duplicates.items() for other in others}
    with open(options.pairs, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(sorted(pairs))


if __name__ == "__main__":
    main()
