#!/usr/bin/env python3
"""Writes imagededup's four hashes of each picture of a folder, for bench/dedup_quality.py.

Usage: venv/bin/python hash_imagededup.py FOLDER OUT.csv
OUT.csv: method,file,hash, the hash in hexadecimal digits.
"""
import csv
import sys

from imagededup.methods import AHash, DHash, PHash, WHash


def main():
    with open(sys.argv[2], "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["method", "file", "hash"])
        for method in (PHash, DHash, AHash, WHash):
            hashes = method(verbose=False).encode_images(image_dir=sys.argv[1])
            out.writerows((method.__name__, name, value) for name, value in sorted(hashes.items()))


if __name__ == "__main__":
    main()
