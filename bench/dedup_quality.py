#!/usr/bin/env python3
"""Scores found duplicates by families: precision and recall of each method at each threshold.

Usage: venv/bin/python dedup_quality.py TRUTH.csv FOLDER [--peers HASHES.csv] [--kinds] [--wrong] NAME=REPORT.json...
TRUTH.csv: file,family,kind. Files of one family are duplicates of its "original" (without one: of its first). Or pairs,
as the judged CIFAR ones are: test_path,train_path,...; those that hang together are a family. REPORT.json: what
`imgmill dedup FOLDER --json` prints. HASHES.csv: what peers/hash_imagededup.py writes; each method is scored at the
distances 0 to 24, and printed at the largest one where its precision is 0.99, and at 10, its default.

A link is what a tool reports: two files within the distance, or a keeper and a member of its group. Precision is the
share of links inside of a family. Recall is the share of edits that true links join to their original, directly or
through other edits. That is generous to tools that report pairs: a family of 23 gives them up to 253 true links for
one false one, and a report of groups 22.
"""
import argparse
import collections
import csv
import json
import os

import numpy as np

WANTED_PRECISION = 0.99


def families_of_pairs(pairs):
    """file,family,kind of each file of these pairs, which hang together or not"""
    family = {}
    for a, b in pairs:
        old, new = family.setdefault(b, b), family.setdefault(a, a)
        family.update({name: new for name, of in family.items() if of == old})
    return [{"file": name, "family": of, "kind": "judged"} for name, of in family.items()]


class Truth:
    def __init__(self, path):
        with open(path) as file:
            rows = list(csv.DictReader(file))
        if "test_path" in rows[0]:
            rows = families_of_pairs([(row["test_path"], row["train_path"]) for row in rows])
        self.names = [row["file"] for row in rows]
        self.family = {row["file"]: row["family"] for row in rows}
        self.kind = {row["file"]: row["kind"] for row in rows}
        families = collections.defaultdict(list)
        for row in rows:
            families[row["family"]].append(row["file"])
        self.original = {}
        for family, files in families.items():
            named = [name for name in files if self.kind[name] == "original"]
            self.original[family] = (named or files)[0]
        self.edits = [name for name in self.names if name != self.original[self.family[name]]]

    def score(self, links):
        """precision, recall, {kind: (found, of)}, [(false link)]"""
        parent = {name: name for name in self.names}

        def root(name):
            while parent[name] != name:
                parent[name] = parent[parent[name]]
                name = parent[name]
            return name

        false = []
        for a, b in links:
            if self.family[a] == self.family[b]:
                parent[root(a)] = root(b)
            else:
                false.append((a, b))
        kinds = collections.defaultdict(lambda: [0, 0])
        for name in self.edits:
            counts = kinds[self.kind[name]]
            counts[0] += root(name) == root(self.original[self.family[name]])
            counts[1] += 1
        found = sum(count for count, _ in kinds.values())
        precision = 1 - len(false) / len(links) if links else 1
        return precision, found / len(self.edits), kinds, false


def reported(path, folder):
    with open(path) as file:
        groups = json.load(file)["groups"]
    return [(os.path.relpath(group["keeper"], folder), os.path.relpath(image["path"], folder)) for group in groups
            for image in group["images"] if image["path"] != group["keeper"]]


def peers_links(path):
    """(method, distance) -> links, for each distance up to 24"""
    hashes = collections.defaultdict(dict)
    with open(path) as file:
        for row in csv.DictReader(file):
            hashes[row["method"]][row["file"]] = int(row["hash"], 16)
    for method, of in hashes.items():
        names = sorted(of)
        values = np.array([of[name] for name in names], dtype=np.uint64)
        distance = np.bitwise_count(values[:, None] ^ values[None, :])
        for limit in range(25):
            firsts, seconds = np.nonzero(np.triu(distance <= limit, 1))
            yield method, limit, [(names[a], names[b]) for a, b in zip(firsts, seconds)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("truth")
    parser.add_argument("folder")
    parser.add_argument("--peers")
    parser.add_argument("--kinds", action="store_true", help="also which kinds of edit are found: by a peer at its best, and "
                             'by reports named "... as it is"; without any of these, by all')
    parser.add_argument("--wrong", action="store_true", help="also the false links")
    parser.add_argument("reports", nargs="*")
    options = parser.parse_intermixed_args()
    truth = Truth(options.truth)
    rows = []
    if options.peers:
        best = {}
        for method, limit, links in peers_links(options.peers):
            scores = truth.score(links)
            if scores[0] >= WANTED_PRECISION:
                best[method] = (f"imagededup {method}, distance {limit} (the most at this precision)", scores)
            if limit == 10:
                rows.append((f"imagededup {method}, distance 10", scores))
        rows += best.values()
    for report in options.reports:
        name, path = report.split("=", 1)
        rows.append((name, truth.score(reported(path, options.folder))))

    print(f"{len(truth.names)} pictures, {len(truth.edits)} of them duplicates:\n")
    print("| | precision | recall | false links |\n|---|---|---|---|")
    for name, (precision, recall, _, false) in rows:
        print(f"| {name} | {precision:.4f} | {recall:.3f} | {len(false)} |")
    if options.kinds and rows:
        rows = [row for row in rows if "at this precision" in row[0] or "as it is" in row[0]] or rows
        print("\n| found of each kind | " + " | ".join(name for name, _ in rows) + " |")
        print("|---|" + "---|" * len(rows))
        for kind in rows[0][1][2]:
            print(f"| {kind} | " + " | ".join("{} of {}".format(*row[1][2][kind]) for row in rows) + " |")
    if options.wrong:
        for name, (_, _, _, false) in rows:
            for a, b in false[:40]:
                print(f"{name}: {a} ({truth.kind[a]} of {truth.family[a]}) and {b} ({truth.kind[b]} of {truth.family[b]})")


if __name__ == "__main__":
    main()
