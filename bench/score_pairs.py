#!/usr/bin/env python3
"""Scores found duplicates against the known ones.

Usage: score_pairs.py TRUTH.csv (PAIRS.csv | REPORT.json)
TRUTH.csv: file_a,file_b,... with a header. PAIRS.csv: two names a line. REPORT.json: what `imgmill dedup --json` prints;
an image and its keeper are a pair. Prints "found F of N, X false"; false is any pair that is not known.
"""
import csv
import json
import os
import sys


def pair(a, b):
    return tuple(sorted((os.path.basename(a), os.path.basename(b))))


def found_pairs(path):
    with open(path) as file:
        if path.endswith(".csv"):
            return {pair(*row) for row in csv.reader(file)}
        groups = json.load(file)["groups"]
    return {pair(group["keeper"], image["path"]) for group in groups for image in group["images"]
            if image["path"] != group["keeper"]}


with open(sys.argv[1]) as truth_file:
    truth = {pair(row["file_a"], row["file_b"]) for row in csv.DictReader(truth_file)}
found = found_pairs(sys.argv[2])
print(f"found {len(found & truth)} of {len(truth)}, {len(found - truth)} false")
