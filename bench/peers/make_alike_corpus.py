#!/usr/bin/env python3
"""Draws pictures that are nearly alike and no duplicates, and true copies of each, for bench/dedup-quality.sh.

Usage: venv/bin/python make_alike_corpus.py --assets FOLDER --out FOLDER [--held-out]

OUT/pictures has the files under shuffled names, OUT/truth.csv lists file,family,kind as make_edit_corpus.py does.
Of one set, each picture is a family of its own, with its copies (JPEG 40, half the size, WebP):

- form: one blank form, filled in by six people; "entry": two of these that differ in one entry; "blank": not filled
- screen: one window, six times with other text; chart: one pair of axes, six curves
- shirt: one cut in six colours; hue: a photo with all hues turned by 60, 120 and 180 degrees;
  recoloured: a photo in which one thing has another hue
- spot: a photo in which one thing was replaced, removed or moved, or three small ones were

Photos have edits, too, that are duplicates: those of tone and colour, and what is put on top (stamps, logos).
The seed is fixed. --held-out takes other photos, and other random numbers.
"""
import argparse
import csv
import io
import random
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from alike_drawings import chart, filled_form, screen, shirt
from make_edit_corpus import caption, jpeg, opened, per_channel, resized, watermark


def copies(picture):
    """kind -> (extension, options of save, picture)"""
    return {
        "quality 40": jpeg(picture, 40),
        "resize 50 %": jpeg(resized(picture, 50)),
        "webp": ("webp", {"quality": 80}, picture),
    }


def turned_hue(photo, degrees):
    """float64 RGB -> RGB with hues turned about the grey axis, at the same luma."""
    cb_cr = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    luma = photo @ [0.299, 0.587, 0.114]
    cb, cr = np.moveaxis(photo @ cb_cr.T, -1, 0)
    angle = np.deg2rad(degrees)
    b, r = cb * np.cos(angle) - cr * np.sin(angle), cb * np.sin(angle) + cr * np.cos(angle)
    return np.stack([luma + 1.402 * r, luma - 0.344136 * b - 0.714136 * r, luma + 1.772 * b], axis=-1)


def soft_ellipse(size, middle, radii, feather):
    """1 inside of it, 0 outside, as height x width x 1."""
    ys, xs = np.mgrid[0:size[1], 0:size[0]]
    mask = (((xs - middle[0]) / radii[0]) ** 2 + ((ys - middle[1]) / radii[1]) ** 2 <= 1).astype(np.float64)
    return cv2.GaussianBlur(mask, (0, 0), feather)[:, :, None]


def place_in(picture, rng, radius):
    """A middle at which an ellipse of that radius lies inside."""
    return [rng.uniform(radius * 1.1, side - radius * 1.1) for side in picture.size]


def seen(before, after):
    """Mean difference where the two differ at all, in levels."""
    difference = np.abs(np.asarray(before, float) - np.asarray(after, float)).max(axis=-1)
    changed = difference > 2
    return difference[changed].mean() if changed.any() else 0


def recoloured(picture, rng):
    """Where a picture has colour, an ellipse of a third of the width gets the opposite hue."""
    photo = np.asarray(picture, dtype=np.float64)
    best = None
    for _ in range(40):
        middle = place_in(picture, rng, picture.width / 6)
        mask = soft_ellipse(picture.size, middle, [picture.width / 6] * 2, 3)
        after = per_channel(picture, lambda p: p * (1 - mask) + turned_hue(p, 150) * mask)
        found = seen(photo, after)
        if best is None or found > best[0]:
            best = found, after
    return best[1] if best[0] > 35 else None


def with_thing(picture, other, rng, part):
    """An ellipse of another picture, of that part of the width, put where it is seen."""
    radius = picture.width * part / 2
    photo, from_photo = (np.asarray(one, dtype=np.float64) for one in (picture, other.resize(picture.size)))
    best = None
    for _ in range(8):
        x, y = place_in(picture, rng, radius)
        from_x, from_y = place_in(picture, rng, radius)
        mask = soft_ellipse(picture.size, (x, y), (radius, radius * rng.uniform(0.7, 1)), 1)
        shifted = np.roll(from_photo, (round(y - from_y), round(x - from_x)), (0, 1))
        after = per_channel(picture, lambda p: p * (1 - mask) + shifted * mask)
        found = seen(photo, after)
        if best is None or found > best[0]:
            best = found, after
    return best[1]


def spots(picture, other, rng):
    """kind -> pictures of one scene with things in it that differ"""
    with_one = with_thing(picture, other, rng, 0.15)
    made = {"spot replaced": with_thing(picture, other, rng, 0.12), "spot added": with_one}
    three = picture
    for _ in range(3):
        three = with_thing(three, other, rng, 0.07)
    made["spot three small"] = three
    # A piece of the scene itself, elsewhere.
    made["spot moved"] = with_thing(picture, picture, rng, 0.14)
    return made


def tones(picture):
    """What is done to a picture's tone and colour, and put on top of it, and leaves it the same picture."""
    def grey(photo):
        return (photo @ [0.299, 0.587, 0.114])[..., None]
    sepia = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    logo = picture.copy()
    side = picture.width // 8
    draw = ImageDraw.Draw(logo)
    draw.rounded_rectangle((8, 8, 8 + 2 * side, 8 + side // 2), 6, fill=(220, 30, 40))
    draw.text((8 + side, 8 + side // 4), "NEWS 24", fill="white", font=ImageFont.load_default(side // 3), anchor="mm")
    stamp = picture.copy()
    ImageDraw.Draw(stamp).text((picture.width * 0.97, picture.height * 0.96), "2021 08 14", fill=(255, 140, 20),
                               font=ImageFont.load_default(max(10, picture.width // 22)), anchor="rb")
    return {
        "saturation 50 %": ImageEnhance.Color(picture).enhance(0.5),
        "saturation 160 %": ImageEnhance.Color(picture).enhance(1.6),
        "grey": ImageEnhance.Color(picture).enhance(0),
        "sepia": per_channel(picture, lambda p: p @ sepia.T),
        "warm": per_channel(picture, lambda p: p * [1.12, 1.02, 0.82]),
        "cold": per_channel(picture, lambda p: p * [0.85, 1.0, 1.15]),
        "hue 8 degrees": per_channel(picture, lambda p: turned_hue(p, 8)),
        "gamma 0.7": per_channel(picture, lambda p: 255 * (p / 255) ** 0.7),
        "gamma 1.4": per_channel(picture, lambda p: 255 * (p / 255) ** 1.4),
        "levels": per_channel(picture, lambda p: (p - 30) * 1.3),
        "faded": per_channel(picture, lambda p: 0.55 * (0.6 * p + 0.4 * grey(p)) + [75, 65, 50]),
        "sharpened": picture.filter(ImageFilter.UnsharpMask(2, 150)),
        "caption": caption(picture),
        "watermark": watermark(picture),
        "date stamp": stamp,
        "logo": logo,
    }


def pictures_of(job):
    """[(kind of the family, kind, extension, bytes)] of one source"""
    what, paths, seed = job
    rng = random.Random(seed)
    families = {}
    if what == "form":
        for name, picture in filled_form(rng).items():
            families[f"form {name}"] = {"original": ("png", {}, picture)} | copies(picture)
    elif what in ("screen", "chart", "shirt"):
        draw = {"screen": screen, "chart": chart, "shirt": shirt}[what]
        for i, picture in enumerate(draw(rng)):
            first = jpeg(picture, 92) if what == "shirt" else ("png", {}, picture)
            families[f"{what} {i}"] = {"original": first} | copies(picture)
    else:
        picture, other = (opened(path) for path in paths)
        families["photo"] = {"original": jpeg(picture, 95)} | copies(picture)
        if what == "tones":
            families["photo"] |= {kind: jpeg(edited) for kind, edited in tones(picture).items()}
        elif what == "hue":
            for degrees in (60, 120, 180):
                turned = per_channel(picture, lambda p, d=degrees: turned_hue(p, d))
                if seen(picture, turned) > 25:
                    families[f"hue {degrees}"] = {"original": jpeg(turned, 95)} | copies(turned)
            if (changed := recoloured(picture, rng)) is not None:
                families["recoloured"] = {"original": jpeg(changed, 95)} | copies(changed)
        else:
            for kind, spotted in spots(picture, other, rng).items():
                families[kind] = {"original": jpeg(spotted, 95)} | copies(spotted)
    made = []
    for family, members in families.items():
        for kind, (extension, options, picture) in members.items():
            file = io.BytesIO()
            picture.save(file, {"jpg": "JPEG", "webp": "WEBP", "png": "PNG"}[extension], **options)
            made.append((family, kind, extension, file.getvalue()))
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20240907)
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    photos = sorted((options.assets / "photos/bsds500-val").glob("*.jpg"))
    rng.shuffle(photos)
    photos = photos[50:] if options.held_out else photos[:50]
    seed = options.seed + 1000 * options.held_out
    jobs = [("form", None)] * 4 + [("screen", None)] * 4 + [("chart", None)] * 2 + [("shirt", None)] * 4
    kinds = ["tones"] * 18 + ["hue"] * 16 + ["spot"] * 16
    jobs += [(kind, (path, photos[i - 1])) for i, (kind, path) in enumerate(zip(kinds, photos))]
    cv2.setNumThreads(1)
    with Pool() as pool:
        made = pool.map(pictures_of, [(what, paths, seed + i) for i, (what, paths) in enumerate(jobs)])

    rows = [(source, *picture) for source, pictures in enumerate(made) for picture in pictures]
    names = list(range(len(rows)))
    rng.shuffle(names)
    folder = options.out / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with open(options.out / "truth.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["file", "family", "kind"])
        for name, (source, family, kind, extension, content) in zip(names, rows):
            path = folder / f"{name:04d}.{extension}"
            path.write_bytes(content)
            what = family.split()[0]
            label = kind if kind == "original" or what == "photo" else f"{what}, {kind}"
            out.writerow([path.name, f"{source} {family}", label])


if __name__ == "__main__":
    main()
