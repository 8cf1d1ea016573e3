#!/usr/bin/env python3
"""Databases of `imgmill pack --format lmdb` as the Python package lmdb reads them: every image once under the key
that BasicSR's loader takes from meta_info.txt, its bytes those of the file, its size that of Pillow.

Usage: bench/peers/database_parity.py PHOTOS [--program build/release/bin/imgmill]
Needs: lmdb, Pillow (bench/peers/setup.sh tables)
"""
import argparse
import io
import json
import pathlib
import subprocess
import tempfile

import lmdb
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("photos", type=pathlib.Path)
parser.add_argument("--program", default="build/release/bin/imgmill")
options = parser.parse_args()

with tempfile.TemporaryDirectory() as scratch:
    folder = pathlib.Path(scratch, "in")
    folder.mkdir()
    photos = sorted(options.photos.glob("*.jpg")) + sorted(options.photos.glob("*.png"))
    for number, photo in enumerate(photos):
        name = f"2026.{number % 12 + 1:02}.{number}{photo.suffix}"
        (folder / name).symlink_to(photo.resolve())
        if number % 3 == 0:
            (folder / name).with_suffix(".txt").write_text(f"caption {number}")
    sources = {}
    for out in ("one.lmdb", "two.lmdb"):
        subprocess.run([options.program, "pack", folder, "-o", f"{scratch}/{out}", "--format", "lmdb", "--quiet",
                        "--catalog", f"{scratch}/{out}.catalog"], check=True)
    assert pathlib.Path(scratch, "one.lmdb/data.mdb").read_bytes() == pathlib.Path(scratch, "two.lmdb/data.mdb").read_bytes()
    files = {}
    for line in pathlib.Path(scratch, "one.lmdb/members.jsonl").read_text().splitlines():
        files.update({each["member"]: each["source"] for each in json.loads(line)["files"]})

    # As basicsr/data/data_util.py opens them.
    database = lmdb.open(f"{scratch}/one.lmdb", readonly=True, lock=False, readahead=False)
    captions = 0
    with database.begin(write=False) as transaction:
        lines = pathlib.Path(scratch, "one.lmdb/meta_info.txt").read_text().splitlines()
        for line in lines:
            key, name = line.split(".")[0], line.split(" ")[0]
            content = transaction.get(key.encode("ascii"))
            assert content == pathlib.Path(files[name]).read_bytes(), name
            picture = Image.open(io.BytesIO(content))
            said = line.split(" ")[1]
            assert said == f"({picture.height},{picture.width},{len(picture.getbands())})", (line, picture)
        for name, source in files.items():
            if name.endswith(".txt"):
                captions += 1
                assert transaction.get(name.encode()) == pathlib.Path(source).read_bytes()
        entries = transaction.stat()["entries"]
    assert len(lines) == len(photos) and entries == len(photos) + captions, (len(lines), len(photos), entries)
    print(f"{len(photos)} images and {captions} captions: lmdb {lmdb.__version__} reads all, with the bytes of the files")
