#!/usr/bin/env python3
"""Shards of `imgmill pack`, and of `filter` and `dedup` with --pack, as webdataset reads them: every sample that is
kept once, its bytes those of the files.

Usage: bench/peers/shard_parity.py PHOTOS [--program build/release/bin/imgmill]
Needs: webdataset, Pillow (bench/peers/setup.sh tables)
"""
import argparse
import io
import json
import pathlib
import shutil
import subprocess
import tempfile

import webdataset
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("photos", type=pathlib.Path)
parser.add_argument("--program", default="build/release/bin/imgmill")
options = parser.parse_args()

with tempfile.TemporaryDirectory() as scratch:
    folder = pathlib.Path(scratch, "in")
    folder.mkdir()
    photos = sorted(options.photos.glob("*.jpg"))
    for number, photo in enumerate(photos):
        # Names with dots, which webdataset alone would make one sample of.
        name = f"2026.{number % 12 + 1:02}.{number}"
        shutil.copyfile(photo, folder / f"{name}.jpg")
        if number % 3 == 0:
            (folder / f"{name}.txt").write_text(f"caption {number}")
        if number % 5 == 0:
            (folder / f"{name}.json").write_text(json.dumps({"number": number}))
    # And one that filter drops, and one that dedup does.
    Image.new("L", (40, 30)).save(folder / "2026.small.jpg")
    (folder / "2026.twin.jpg").write_bytes(photos[0].read_bytes())
    (folder / "2026.twin.txt").write_text("caption of a twin")
    both = {"2026.small", "2026.twin"}
    commands = [(["pack", folder, "-o"], both),
                (["filter", folder, "--keep", "short_side>=100", "--pack"], {"2026.twin"}),
                (["dedup", folder, "--method", "exact", "--pack"], {"2026.small"})]
    for command, more in commands:
        shards = pathlib.Path(scratch, command[0])
        subprocess.run([options.program, *command, shards, "--shard-size", "1MiB", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        index = json.loads((shards / "index.json").read_text())
        urls = [str(shards / shard["url"]) for shard in index["shardlist"]]
        seen = {}
        for sample in webdataset.WebDataset(urls, shardshuffle=False):
            name = sample["__key__"].replace("%2E", ".")
            assert name not in seen, name
            seen[name] = sample
            assert sample["jpg"] == (folder / f"{name}.jpg").read_bytes(), name
            Image.open(io.BytesIO(sample["jpg"])).load()
            for ending in ("txt", "json"):
                file = folder / f"{name}.{ending}"
                assert sample.get(ending) == (file.read_bytes() if file.exists() else None), (name, ending)
        assert both & set(seen) == more, both & set(seen)
        assert len(seen) == len(photos) + len(more) == sum(shard["nsamples"] for shard in index["shardlist"])
        print(f"webdataset {webdataset.__version__}: {command[0]}: {len(seen)} samples in {len(urls)} shards, all "
              "bytes equal")
