#!/usr/bin/env python3
"""Draws the corpus of bench/dedup-quality.sh: photos with 22 edits each, and pictures that only look like duplicates.

Usage: venv/bin/python make_edit_corpus.py --assets FOLDER --out FOLDER [--photos 60] [--held-out]

OUT/pictures has the files under shuffled names, OUT/truth.csv lists file,family,kind. Files of one family show one
picture; every other pair is no duplicate. The distractors, each a family of its own: crops of one photo that share no
content, bursts (below), pages of different text, flat pictures and ramps. None is made from a photo that has edits.
The seed is fixed.

--held-out draws a second corpus, by which no threshold was chosen: the photos change places. What were distractors in
the first one have edits here, and two more frames of a camera that stands still, which are duplicates; those that had
edits, and the five pictures of Set5, are bursts. All random numbers are others.

A burst is one scene from a camera that moved a little: near things move further than far ones, hands and leaves move
by themselves, the light and the sensor's noise are others. No scale, crop, shift or rotation makes one frame of the
other, which is what tells a burst from a crop.
"""
import argparse
import csv
import io
import random
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

SCIKIT = ["astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
          "gravel.png", "hubble_deep_field.jpg", "moon.png", "rocket.jpg"]
WORDS = """of the and to in a is that it was for on are as with his they at be this from have or by one had not but
what all were when we there can an your which their said if do will each about how up out them then she many some so
these would other into has more her two like him see time could no make than first been its who now people my made over
did down only way find use may water long little very after words called just where most know""".split()


def jpeg(picture, quality=88):
    return "jpg", {"quality": quality}, picture


def watermark(picture):
    layer = Image.new("L", picture.size, 0)
    font = ImageFont.load_default(max(12, picture.width // 9))
    ImageDraw.Draw(layer).text((picture.width // 2, picture.height // 2), "sample 2024", fill=90, font=font,
                               anchor="mm")
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, layer)


def caption(picture):
    drawn = picture.copy()
    font = ImageFont.load_default(max(12, picture.width // 16))
    place = (picture.width // 2, picture.height - picture.height // 20)
    ImageDraw.Draw(drawn).text(place, "a day by the sea", fill="yellow", font=font, anchor="mb", stroke_width=2,
                               stroke_fill="black")
    return drawn


def cropped(picture, percent, rng):
    """So much less of the width and of the height, from any side."""
    width, height = (round(side * (100 - percent) / 100) for side in picture.size)
    x, y = rng.randint(0, picture.width - width), rng.randint(0, picture.height - height)
    return picture.crop((x, y, x + width, y + height))


def resized(picture, percent):
    return picture.resize([max(1, round(side * percent / 100)) for side in picture.size], Image.Resampling.LANCZOS)


def per_channel(picture, function):
    return Image.fromarray(np.clip(function(np.asarray(picture, dtype=np.float64)), 0, 255).astype(np.uint8))


def edits(picture, rng):
    """kind -> (extension, options of save, picture)"""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 10, (picture.height, picture.width, 3))
    border = round(0.05 * picture.width)
    return {
        "quality 30": jpeg(picture, 30),
        "quality 60": jpeg(picture, 60),
        "quality 90": jpeg(picture, 90),
        "resize 25 %": jpeg(resized(picture, 25)),
        "resize 50 %": jpeg(resized(picture, 50)),
        "resize 200 %": jpeg(resized(picture, 200)),
        "crop 2 %": jpeg(cropped(picture, 2, rng)),
        "crop 10 %": jpeg(cropped(picture, 10, rng)),
        "crop 30 %": jpeg(cropped(picture, 30, rng)),
        "brightness": jpeg(per_channel(picture, lambda p: p * 1.3 + 10)),
        "contrast": jpeg(per_channel(picture, lambda p: (p - 128) * 0.6 + 128)),
        "blur": jpeg(picture.filter(ImageFilter.GaussianBlur(1.5))),
        "noise": jpeg(per_channel(picture, lambda p: p + noise)),
        "grey": jpeg(ImageOps.grayscale(picture)),
        "border": jpeg(ImageOps.expand(picture, border, rng.choice(["white", "black"]))),
        "watermark": jpeg(watermark(picture)),
        "text": jpeg(caption(picture)),
        "colour cast": jpeg(per_channel(picture, lambda p: p * [1.15, 1.0, 0.8])),
        "format": ("webp", {"quality": 80}, picture),
        "rotate 3": jpeg(picture.rotate(3, Image.Resampling.BICUBIC)),
        "rotate 90": jpeg(picture.transpose(Image.Transpose.ROTATE_90)),
        "flip": jpeg(ImageOps.mirror(picture)),
    }


def smooth_field(rng, height, width, step):
    """Values around 0, of deviation 1, that change over `step` pixels."""
    small = rng.normal(0, 1, (max(2, height // step), max(2, width // step))).astype(np.float32)
    field = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return field / (field.std() + 1e-6)


def burst(picture, rng):
    """Three frames of one scene."""
    photo = np.asarray(picture, dtype=np.float32)
    height, width = photo.shape[:2]
    depth = smooth_field(rng, height, width, 80)  # some things are nearer than others
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    frames = []
    for _ in range(3):
        move = rng.normal(0, 1, 2)
        move *= 0.012 * width / np.hypot(*move)  # of things one deviation nearer than the mean
        own = [smooth_field(rng, height, width, 40) * 0.003 * width for _ in range(2)]
        shift = rng.uniform(-0.02, 0.02, 2) * width
        from_x, from_y = ((grid + shift[i] + depth * move[i] + own[i]).astype(np.float32)
                          for i, grid in enumerate((xs, ys)))
        moved = cv2.remap(photo, from_x, from_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        moved = moved * rng.uniform(0.93, 1.07) + rng.normal(0, 3, moved.shape)
        margin = round(0.04 * width)
        frame = np.clip(moved, 0, 255).astype(np.uint8)[margin:-margin, margin:-margin]
        frames.append(Image.fromarray(frame))
    return frames


def still(picture, rng):
    """The next frame of a camera on a stand: a small shift of everything, other light and noise."""
    photo = np.asarray(picture, dtype=np.float64)
    x, y = (int(rng.integers(0, round(0.02 * side))) for side in picture.size)
    frame = photo[y:y + round(0.98 * picture.height), x:x + round(0.98 * picture.width)]
    frame = frame * rng.uniform(0.93, 1.07) + rng.normal(0, 3, frame.shape)
    return Image.fromarray(np.clip(frame, 0, 255).astype(np.uint8))


def neighbours(picture):
    """Four crops that share nothing."""
    width, height = picture.width // 2, picture.height // 2
    return [picture.crop((x, y, x + width, y + height)) for x in (0, width) for y in (0, height)]


def page(rng):
    """Of a book: the same margins and lines on every page, other words."""
    paper = Image.new("L", (600, 850), 250)
    font, draw = ImageFont.load_default(15), ImageDraw.Draw(paper)
    for y in range(70, 780, 20):
        line = ""
        while draw.textlength(line, font) < 440:
            line += rng.choice(WORDS) + " "
        if rng.random() < 0.12:
            line = line[:len(line) // 2]  # a paragraph ends
        draw.text((70, y), line, fill=20, font=font)
    return paper


def flat(rng, index):
    """One colour, or a ramp."""
    colour = np.array([rng.randint(0, 255) for _ in range(3)], dtype=np.float64)
    pixels = np.tile(colour, (240, 320, 1))
    if index % 2:
        ramp = np.linspace(-40, 40, 320 if index % 4 == 1 else 240)
        pixels += ramp[None, :, None] if index % 4 == 1 else ramp[:, None, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def opened(path):
    return Image.open(path).convert("RGB")


def family_of(job):
    """[(kind, extension, bytes)] of one source."""
    what, path, seed = job
    rng = random.Random(seed)
    if what in ("photo", "held-out photo"):
        picture = opened(path)
        pictures = {"original": jpeg(picture, 95)} | edits(picture, rng)
        if what == "held-out photo":
            random_numbers = np.random.default_rng(seed)
            pictures |= {f"still {i}": jpeg(still(picture, random_numbers)) for i in range(2)}
    elif what == "burst":
        frames = burst(opened(path), np.random.default_rng(seed))
        pictures = {f"burst {i}": jpeg(frame) for i, frame in enumerate(frames)}
    elif what == "neighbours":
        pictures = {f"neighbour {i}": jpeg(crop) for i, crop in enumerate(neighbours(opened(path)))}
    elif what == "page":
        pictures = {"page": jpeg(page(rng))}
    else:
        pictures = {"flat": ("png", {}, flat(rng, seed))}
    made = []
    for kind, (extension, options, picture) in pictures.items():
        file = io.BytesIO()
        picture.save(file, {"jpg": "JPEG", "webp": "WEBP", "png": "PNG"}[extension], **options)
        made.append((kind, extension, file.getvalue()))
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20240607)
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    bsds = sorted((options.assets / "photos/bsds500-val").glob("*.jpg"))
    rng.shuffle(bsds)
    edited = [options.assets / "photos/scikit-image" / name for name in SCIKIT]
    edited += bsds[:options.photos - len(edited)]
    others = bsds[options.photos - len(SCIKIT):]
    half = len(others) // 2
    jobs = [("photo", path) for path in edited] + [("burst", path) for path in others[:half]]
    jobs += [("neighbours", path) for path in others[half:]]
    if options.held_out:
        bursts = [path for path in edited if path.parent.name != "scikit-image"]
        bursts += sorted((options.assets / "sr/Set5/image_SRF_2").glob("*_HR.png"))
        jobs = [("held-out photo", path) for path in others] + [("burst", path) for path in bursts]
    jobs += [("page", None)] * 30 + [("flat", None)] * 20
    seed = options.seed + 1000 * options.held_out
    cv2.setNumThreads(1)
    with Pool() as pool:
        made = pool.map(family_of, [(what, path, seed + i) for i, (what, path) in enumerate(jobs)])

    rows = [(what, family, *picture) for (what, _), (family, pictures) in zip(jobs, enumerate(made))
            for picture in pictures]
    names = list(range(len(rows)))
    rng.shuffle(names)
    folder = options.out / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with open(options.out / "truth.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["file", "family", "kind"])
        for name, (what, family, kind, extension, content) in zip(names, rows):
            path = folder / f"{name:04d}.{extension}"
            path.write_bytes(content)
            # Distractors are nobody's duplicates, not even those that came from one photo.
            out.writerow([path.name, family if what.endswith("photo") else f"{family} {kind} {name}", kind])


if __name__ == "__main__":
    main()
