#!/usr/bin/env python3
"""What users run to cut images into 512 JPEG tiles: libvips' dzsave, or a loop of Pillow crops.

Usage: venv/bin/python tile_peers.py dzsave|pillow OUT IMAGE... [--threads 2] [--quality 90]
dzsave writes the full-resolution level only. Both leave the tiles at the right and lower edge smaller.
"""
import argparse
import os
from pathlib import Path


def dzsave(images, out, quality):
    import pyvips
    for image in images:
        pyvips.Image.new_from_file(image, access="sequential").dzsave(
            f"{out}/{Path(image).stem}", layout="google", depth="one", tile_size=512, suffix=f".jpg[Q={quality}]")


def pillow(images, out, quality):
    from PIL import Image
    for name in images:
        with Image.open(name) as file:
            image = file.convert("RGB")
        for y in range(0, image.height, 512):
            for x in range(0, image.width, 512):
                tile = image.crop((x, y, min(x + 512, image.width), min(y + 512, image.height)))
                tile.save(f"{out}/{Path(name).stem}_{x:05}_{y:05}.jpg", quality=quality, subsampling=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=["dzsave", "pillow"])
    parser.add_argument("out")
    parser.add_argument("images", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quality", type=int, default=90)
    options = parser.parse_args()
    os.environ["VIPS_CONCURRENCY"] = str(options.threads)
    os.makedirs(options.out, exist_ok=True)
    {"dzsave": dzsave, "pillow": pillow}[options.peer](options.images, options.out, options.quality)


if __name__ == "__main__":
    main()
