#!/usr/bin/env python3
"""Draws the corpus of the memory prediction benchmark: photos of 64x64 to 12 megapixels, upright and lying, in each
format and variant whose decoding costs differently.

Usage: venv/bin/python make_mixed_sizes.py --photos FOLDER_OF_JPEG --out FOLDER

Names tell what a file is: jpeg_progressive_0640x0480.jpg. Files that are there already are left as they are.
"""
import argparse
from pathlib import Path

import pyvips

SIZES = [(64, 64), (96, 160), (320, 240), (333, 500), (640, 480), (768, 1024), (1600, 1066), (1200, 1800),
         (2048, 1536), (2300, 3450), (4000, 3000), (3000, 4000)]


def grey(image):
    return image.colourspace("b-w")


def with_alpha(image):
    return image.bandjoin((pyvips.Image.xyz(image.width, image.height)[0] % 256).cast("uchar"))


def sixteen(image):
    return (image * 257).cast("ushort").copy(interpretation="rgb16")


def cmyk(image):
    return image.colourspace("cmyk")


def with_profile(image):
    return image.icc_export(output_profile="p3")


def same(image):
    return image


VARIANTS = {
    "jpeg_420": (same, ".jpg", dict(Q=90, subsample_mode="on")),
    "jpeg_444": (same, ".jpg", dict(Q=92, subsample_mode="off")),
    "jpeg_progressive": (same, ".jpg", dict(Q=85, interlace=True)),
    "jpeg_grey": (grey, ".jpg", dict(Q=85)),
    "jpeg_cmyk": (cmyk, ".jpg", dict(Q=90)),
    "jpeg_profile": (with_profile, ".jpg", dict(Q=90)),
    "jpeg_turned": (lambda image: image.copy(), ".jpg", dict(Q=90)),
    "png_rgb": (same, ".png", dict(compression=1)),
    "png_alpha": (with_alpha, ".png", dict(compression=1)),
    "png_16bit": (sixteen, ".png", dict(compression=1, bitdepth=16)),
    "png_profile": (with_profile, ".png", dict(compression=1)),
    "png_interlaced": (same, ".png", dict(compression=1, interlace=True)),
    "png_palette": (same, ".png", dict(palette=True, bitdepth=4, effort=1)),
    "png_grey": (grey, ".png", dict(compression=1)),
    "webp_rgb": (same, ".webp", dict(Q=80, effort=1)),
    "webp_alpha": (with_alpha, ".webp", dict(Q=80, effort=1)),
    "webp_lossless": (same, ".webp", dict(lossless=True, effort=0)),
    "tiff_strips": (same, ".tif", dict(compression="lzw")),
    "tiff_tiled": (same, ".tif", dict(compression="deflate", tile=True, tile_width=256, tile_height=256)),
    "tiff_16bit": (sixteen, ".tif", dict()),
    "tiff_jpeg": (same, ".tif", dict(compression="jpeg", Q=90)),
    "gif": (same, ".gif", dict(effort=1)),
    "heif": (same, ".avif", dict(compression="av1", effort=0, Q=50)),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    photos = sorted(options.photos.glob("*.jpg"))
    options.out.mkdir(parents=True, exist_ok=True)
    for index, (width, height) in enumerate(SIZES):
        photo = pyvips.Image.new_from_file(str(photos[index * 3]))
        photo = photo.resize(width / photo.width, vscale=height / photo.height).copy_memory()
        for name, (change, suffix, settings) in VARIANTS.items():
            if name == "heif" and width * height > 2_000_000:
                continue
            target = options.out / f"{name}_{width:04d}x{height:04d}{suffix}"
            if target.exists():
                continue
            image = change(photo)
            if name == "jpeg_turned":
                image.set_type(pyvips.GValue.gint_type, "orientation", 6)
            try:
                image.write_to_file(str(target), **settings)
            except pyvips.Error as problem:
                print(f"{target.name}: left out: {problem}")
                target.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
