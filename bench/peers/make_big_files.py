#!/usr/bin/env python3
"""Makes the big files of the memory benchmarks: 12, 50 and 100 megapixels in every common form, and gigapixels.

Usage: venv/bin/python make_big_files.py --photos FOLDER_OF_JPEG --out FOLDER [--only PREFIX ...]

    mixed/       12, 50 and 100 megapixels: JPEG (baseline, progressive), PNG (plain, interlaced), WebP, TIFF (strips,
                 tiles, one strip of all rows)
    gigapixel/   32768x32768: JPEG, PNG, TIFF (strips, tiles, one strip of all rows)
    whole/       20000x20000 in the forms that a decoder cannot give row by row: progressive, interlaced, turned by EXIF

Each is a mosaic of the same hundred photos, repeated. Pixels go from libvips to the encoder by strips, so that
gigapixels take no memory; only the progressive and interlaced ones are held whole by their encoders (1.2 GB).
Everything takes some 15 GB and ten minutes. Files that are there already are left as they are.
"""
import argparse
import os
import struct
import zlib
from pathlib import Path

import pyvips


def mosaic(photos, width, height):
    parts = [pyvips.Image.thumbnail(str(p), 480, height=320, crop="centre").copy_memory() for p in photos]
    sheet = pyvips.Image.arrayjoin(parts, across=10).copy_memory()
    return sheet.replicate(-(-width // sheet.width), -(-height // sheet.height)).crop(0, 0, width, height)


def save_one_strip(image, path, deflate):
    """A TIFF whose only strip holds all rows, which libtiff's own writer and libvips avoid. 8-bit RGB, below 4 GiB."""
    with open(path, "wb") as file:
        file.write(bytes(8))
        packer = zlib.compressobj(1) if deflate else None
        for y in range(0, image.height, 64):
            rows = image.crop(0, y, image.width, min(64, image.height - y)).write_to_memory()
            file.write(packer.compress(rows) if packer else rows)
        file.write(packer.flush() if packer else b"")
        strip_bytes = file.tell() - 8
        file.write(bytes(file.tell() % 2))
        depths = file.tell()
        file.write(struct.pack("<3H", 8, 8, 8))
        directory = file.tell()
        entries = [(256, 4, 1, image.width), (257, 4, 1, image.height), (258, 3, 3, depths),
                   (259, 3, 1, 8 if deflate else 1), (262, 3, 1, 2), (273, 4, 1, 8), (277, 3, 1, 3),
                   (278, 4, 1, image.height), (279, 4, 1, strip_bytes), (284, 3, 1, 1)]
        file.write(struct.pack("<H", len(entries)))
        for entry in entries:
            file.write(struct.pack("<HHII", *entry))
        file.write(struct.pack("<I", 0))
        file.seek(0)
        file.write(struct.pack("<2sHI", b"II", 42, directory))


def turned(image):
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    return image


JPEG = {"Q": 85}
PNG = {"compression": 1, "filter": "sub"}
FORMS = {
    "baseline.jpg": lambda i, p: i.jpegsave(p, **JPEG),
    "progressive.jpg": lambda i, p: i.jpegsave(p, interlace=True, **JPEG),
    "turned.jpg": lambda i, p: turned(i).jpegsave(p, **JPEG),
    "plain.png": lambda i, p: i.pngsave(p, **PNG),
    "interlaced.png": lambda i, p: i.pngsave(p, interlace=True, **PNG),
    "lossy.webp": lambda i, p: i.webpsave(p, Q=50, effort=1),  # above, the 512 KiB of modes that VP8 allows overflow
    "strips.tif": lambda i, p: i.tiffsave(p, compression="none"),
    "tiles.tif": lambda i, p: i.tiffsave(p, compression="jpeg", Q=85, tile=True, tile_width=256, tile_height=256),
    "one_strip.tif": lambda i, p: save_one_strip(i, p, deflate=False),
    "one_deflated_strip.tif": lambda i, p: save_one_strip(i, p, deflate=True),
}
ROW_BY_ROW = ["baseline.jpg", "plain.png", "strips.tif", "tiles.tif", "one_strip.tif"]
HELD_WHOLE = ["progressive.jpg", "interlaced.png", "turned.jpg"]


def plan():
    for name, width, height in (("12", 4000, 3000), ("50", 8192, 6144), ("100", 12000, 8336)):
        for form in [*ROW_BY_ROW, "one_deflated_strip.tif", "progressive.jpg", "interlaced.png"]:
            yield f"mixed/{name}_{form}", form, width, height
        # The longest side that WebP knows is 16383.
        side = (16383, 6104) if name == "100" else (width, height)
        yield f"mixed/{name}_lossy.webp", "lossy.webp", *side
    for form in ROW_BY_ROW:
        yield f"gigapixel/{form}", form, 32768, 32768
    for form in HELD_WHOLE:
        yield f"whole/{form}", form, 20000, 20000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[""], help="names that start so: mixed/12, gigapixel")
    options = parser.parse_args()
    photos = sorted(options.photos.glob("*.jpg"))[:100]
    for name, form, width, height in plan():
        target = options.out / name
        if target.exists() or not any(name.startswith(prefix) for prefix in options.only):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.parent / f".unfinished_{target.name}"
        FORMS[form](mosaic(photos, width, height), str(unfinished))
        os.rename(unfinished, target)
        print(f"{name}: {width}x{height}, {target.stat().st_size >> 20} MiB", flush=True)


if __name__ == "__main__":
    main()
