#!/usr/bin/env python3
"""Draws copies of two pictures that lost more or less, and writes how far each is from the true one: what dedup should keep.

Run by hand, in an environment with Pillow and NumPy:

    python tests/golden/make_keeper_golden.py

It writes into tests/golden/keeper the pictures, and beside it keeper_psnr.csv: name, PSNR in dB over red, green and blue against the
24-bit picture that it was made of (99 where they are equal). The committed files were made with Pillow 13.0.0 and NumPy 2.4.6.
"""
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "keeper"
FLOYD = Image.Dither.FLOYDSTEINBERG


def photo():
    picture = Image.open(HERE.parent.parent / "sample_data/harbour.jpg").convert("RGB").resize((96, 64), Image.Resampling.LANCZOS)
    yield "photo_true.png", picture, {}, picture
    for colours in (16, 64, 256):
        yield f"photo_palette{colours}.png", picture.quantize(colours), {}, picture
    yield "photo_dithered16.png", picture.quantize(palette=picture.quantize(16), dither=FLOYD), {}, picture
    yield "photo_16_in_24_bits.png", picture.quantize(16).convert("RGB"), {}, picture
    yield "photo_palette256.gif", picture.quantize(256), {}, picture
    yield "photo_palette64.tif", picture.quantize(64), {"compression": "tiff_lzw"}, picture
    yield "photo_grey.png", picture.convert("L"), {}, picture
    for quality in (10, 30, 60):
        yield f"photo_q{quality}.jpg", picture, {"quality": quality}, picture
    yield "photo_q60_progressive.jpg", picture, {"quality": 60, "progressive": True}, picture
    yield "photo_q95.jpg", picture, {"quality": 95, "subsampling": 0}, picture


def grey():
    """A page without colour, that some stored as if it had."""
    picture = Image.open(HERE.parent.parent / "sample_data/meadow.jpg").convert("L").resize((96, 64), Image.Resampling.LANCZOS)
    yield "grey_true.png", picture, {}, picture
    yield "grey_as_colour_q60.jpg", picture.convert("RGB"), {"quality": 60}, picture
    yield "grey_as_colour_q90_progressive.jpg", picture.convert("RGB"), {"quality": 90, "progressive": True}, picture
    yield "grey_16.png", picture.quantize(16), {}, picture
    yield "grey_q30.jpg", picture, {"quality": 30}, picture
    yield "grey_q95.jpg", picture, {"quality": 95}, picture


def drawing():
    """A diagram of few colours: nothing was reduced."""
    picture = Image.new("RGB", (160, 120), "white")
    draw = ImageDraw.Draw(picture)
    for i, colour in enumerate(("#c02020", "#2060c0", "#20a040", "#e0a000", "#602080")):
        draw.rectangle((12 + 28 * i, 100 - 17 * (i * 2 % 5 + 1), 32 + 28 * i, 100), fill=colour)
    draw.line((6, 6, 6, 100, 154, 100), fill="black", width=2)
    draw.ellipse((120, 8, 150, 38), outline="black", fill="#20a0a0")
    yield "drawing_palette.png", picture.quantize(16), {}, picture
    yield "drawing_q60.jpg", picture, {"quality": 60}, picture
    yield "drawing_q95.jpg", picture, {"quality": 95, "subsampling": 0}, picture


def psnr(a, b):
    error = np.mean((np.asarray(a.convert("RGB"), float) - np.asarray(b.convert("RGB"), float)) ** 2)
    return 10 * np.log10(255**2 / error) if error > 0 else 99.0


def main():
    FOLDER.mkdir(exist_ok=True)
    with open(HERE / "keeper_psnr.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["name", "psnr_db"])
        for pictures in (photo(), grey(), drawing()):
            for name, picture, options, true in pictures:
                picture.save(FOLDER / name, **options)
                rows.writerow([name, f"{psnr(Image.open(FOLDER / name), true):.1f}"])


if __name__ == "__main__":
    main()
