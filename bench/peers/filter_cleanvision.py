#!/usr/bin/env python3
"""What a user of cleanvision runs to find bad images: all of its default checks on a folder.

Usage: venv/bin/python filter_cleanvision.py FOLDER [--workers 2]
Prints the seconds spent, without the imports.
"""
import argparse
import time

from cleanvision import Imagelab


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    start = time.perf_counter()
    lab = Imagelab(data_path=options.folder, verbose=False)
    lab.find_issues(n_jobs=options.workers, verbose=False)
    print(f"{time.perf_counter() - start:.2f} s for {len(lab.issues)} images")


if __name__ == "__main__":
    main()
