#!/usr/bin/env python3
"""Makes ladders of photos for bench/filter-quality.sh, and judges the signals measured of them.

    filter_quality.py make FOLDER_OF_PHOTOS OUTPUT [--photos N]
    filter_quality.py judge SIGNALS.csv
    filter_quality.py compare FOLDER LIST     LIST is what `imgmill filter` prints
"""
import argparse
import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont
from scipy.ndimage import convolve1d
from scipy.stats import spearmanr

QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
# Ladder: its steps, and the signals that are to follow it, each with the sign of the correlation.
LADDERS = {
    "jpeg": (QUALITIES, {"jpeg_quality": 1, "blockiness": -1, "jpeg_visible": 1}),
    "jpeg, cropped off the grid": (QUALITIES, {"blockiness": -1, "jpeg_visible": 1}),
    "jpeg, rescaled to 0.8": (QUALITIES, {}),  # nothing sees the traces of JPEG any more
    "gaussian blur": ((0, 0.5, 1, 1.5, 2, 3, 4, 6),
                      {"blur": 1, "sharpness": -1, "upscaled": 1, "spatial_information": -1}),
    "motion blur": ((1, 3, 5, 7, 9, 13, 17), {"blur": 1, "sharpness": -1}),
    "noise": ((0, 2, 5, 10, 20, 30, 40, 50), {"noise": 1}),
    "exposure": ((0.125, 0.25, 0.5, 0.75, 1, 1.5, 2, 4), {"brightness": 1, "clipped_bright": 1, "bright_end": 1}),
    "saturation": ((0, 0.25, 0.5, 0.75, 1, 1.5, 2), {"saturation": 1, "colorfulness": 1}),
    "enlargement": ((1, 1.25, 1.5, 2, 2.5, 3, 4), {"upscaled": 1, "blur": 1, "sharpness": -1}),
    "text": (tuple(range(0, 100, 10)), {"text_share": 1}),  # percent of the area
    # From here on: what a picture can be or have, and need not be damaged by.
    "overexposure": ((1, 1.25, 1.5, 2, 3, 4), {"clipped_bright": 1, "dark_end": 1}),
    "underexposure": ((1, 2, 4, 8, 16, 32), {"clipped_dark": 1}),  # what the light is divided by
    "contrast": ((0.1, 0.2, 0.35, 0.5, 0.75, 1), {"contrast": 1, "entropy": 1}),
    "colour cast": ((0, 5, 10, 20, 30, 40), {"color_cast": 1}),  # levels that one band has more than the others
    "bars": ((0, 5, 10, 20, 30, 40), {"letterbox": 1}),  # percent of the height
    "frame": ((0, 2, 4, 8, 16, 32), {"border": 1, "letterbox": 1}),  # pixels
    "interlacing": ((0, 1, 2, 4, 8, 12), {"interlacing": 1}),  # pixels between the two half images
    "bits": ((1, 2, 3, 4, 5, 6, 7, 8), {"bit_depth": 1}),
    "palette": ((2, 4, 8, 16, 32, 64, 128, 256), {"unique_colors": 1}),
}


def as_jpeg(image, quality):
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(data)


def with_text(image, percent, random):
    """The photo under a rectangle of lines of words: of 10 to 40 pixels, half of them on a plate, in one of five fonts."""
    size = int(random.choice((10, 12, 14, 16, 18, 20, 24, 28, 34, 40)))
    name = random.choice(("", "dejavu/DejaVuSans", "dejavu/DejaVuSerif-Bold", "liberation/LiberationSans-Regular",
                          "liberation/LiberationSerif-Italic"))
    # Pillow's own font is one that training/text_share.py does not know.
    font = ImageFont.truetype(f"/usr/share/fonts/truetype/{name}.ttf", size) if name else ImageFont.load_default(size)
    ascent, descent = font.getmetrics()
    light = np.median(np.asarray(image.convert("L"))) > 140
    plate = (None, None, (250, 248, 240), (20, 22, 30))[random.integers(4)]
    ink = (0, 0, 0) if (light if plate is None else sum(plate) > 380) else (255, 255, 255)
    place = random.random(2)
    if percent == 0:
        return image
    height = image.height * (max(percent / 100, 0.35) ** 0.5 if percent < 90 else 0.95)
    lines = max(1, int(height // (ascent + descent)))
    height = lines * (ascent + descent)
    width = min(image.width, image.width * image.height * percent / 100 / height)
    left, top = int((image.width - width) * place[0]), int((image.height - height) * place[1])
    image = image.copy()
    pen = ImageDraw.Draw(image)
    if plate is not None:
        pen.rectangle((left, top, left + width, top + height), fill=plate)
    for i in range(lines):
        line = ""
        while font.getlength(line) < width:
            line += "".join(random.choice(list("etaoinshrdlucmwfgypbvkxqjzETAOIN0123456789"), random.integers(1, 10))) + " "
        while font.getlength(line) > width:
            line = line[:-1]
        pen.text((left, top + i * (ascent + descent)), line, font=font, fill=ink)
    return image


def step_of(ladder, image, step, random):
    """(picture, ending) of one step."""
    if ladder == "jpeg":
        return as_jpeg(image, step), ".jpg"
    if ladder == "jpeg, cropped off the grid":
        return as_jpeg(image, step).crop((3, 5, image.width - 2, image.height - 1)), ".png"
    if ladder == "jpeg, rescaled to 0.8":
        return as_jpeg(image, step).resize((image.width * 4 // 5, image.height * 4 // 5), Image.LANCZOS), ".png"
    if ladder == "gaussian blur":
        return image.filter(ImageFilter.GaussianBlur(step)), ".png"
    if ladder == "enlargement":
        method = (Image.BILINEAR, Image.BICUBIC, Image.LANCZOS)[random.integers(3)]
        return image.resize((round(image.width * step), round(image.height * step)), method), ".png"
    if ladder == "text":
        return with_text(image, step, random), ".png"
    if ladder == "saturation":
        return ImageEnhance.Color(image).enhance(step), ".png"
    if ladder == "contrast":
        return ImageEnhance.Contrast(image).enhance(step), ".png"
    if ladder == "palette":
        return image.quantize(step).convert("RGB"), ".png"
    pixels = np.asarray(image, np.float64)
    if ladder == "motion blur":
        pixels = convolve1d(pixels, np.ones(step) / step, axis=1)
    elif ladder == "noise":
        pixels = pixels + random.normal(0, 1, pixels.shape) * step
    elif ladder in ("exposure", "overexposure"):
        pixels = pixels * step
    elif ladder == "underexposure":
        pixels = pixels / step
    elif ladder == "colour cast":
        # From a grey mean on: a photo's own tint is a cast that another would take away.
        pixels = pixels - pixels.mean((0, 1)) + pixels.mean() - step / 3
        pixels[:, :, random.integers(3)] += step
    elif ladder == "bars":
        bar = round(image.height * step / 200)
        pixels = pixels * ((np.arange(image.height) >= bar) & (np.arange(image.height) < image.height - bar))[:, None, None]
    elif ladder == "frame":
        pixels = np.pad(pixels, ((step, step), (step, step), (0, 0)), constant_values=255)
    elif ladder == "interlacing":
        pixels[1::2] = np.roll(pixels, step, axis=1)[1::2]
    elif ladder == "bits":
        # The levels that 2^step evenly spread ones are nearest to, as a file of fewer bits is widened.
        most = 2**step - 1
        pixels = np.rint(np.rint(pixels / 255 * most) * 255 / most)
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)), ".png"


def make(options):
    out = Path(options.output)
    out.mkdir(parents=True)
    files = sorted(Path(options.folder).glob("*.jpg"))
    for n, path in enumerate(files[:: max(1, len(files) // options.photos)][: options.photos]):
        image = Image.open(path).convert("RGB")
        for number, (ladder, (steps, _)) in enumerate(LADDERS.items()):
            random = np.random.default_rng([n, number])
            for i, step in enumerate(steps):
                if ladder in ("text", "colour cast"):
                    random = np.random.default_rng([n, number])  # one style or tint for all of a photo's steps
                picture, ending = step_of(ladder, image, step, random)
                keep = {"quality": "keep"} if ending == ".jpg" else {"compress_level": 1}
                picture.save(out / f"{n:03}_{number}_{i:02}{ending}", **keep)


def judge(options):
    values = {}  # ladder, photo, step -> signals
    with open(options.signals) as file:
        for row in csv.DictReader(file):
            photo, number, i = Path(row["path"]).stem.split("_")
            values[int(number), int(photo), int(i)] = row
    photos = sorted({key[1] for key in values})
    number_of = lambda text: float(text) if text else np.nan

    def column(number, photo, count, signal):
        return np.array([number_of(values[number, photo, i][signal]) for i in range(count)])

    print(f"{len(photos)} photos, Spearman's correlation of each signal with the ladder's step:\n")
    print("| ladder | signal | mean of the photos | lowest | all photos together |")
    print("|---|---|---|---|---|")
    exact = True
    for number, (ladder, (steps, signals)) in enumerate(LADDERS.items()):
        for signal, sign in signals.items():
            found, together = [], []
            for photo in photos:
                measured = column(number, photo, len(steps), signal)
                together.append(measured)
                # One value all along the ladder follows nothing.
                found.append(0 if np.ptp(measured) == 0 else sign * spearmanr(steps, measured).statistic)
                if signal == "jpeg_quality":
                    exact = exact and (measured == [max(q, 1) for q in steps])[1:].all()
            pooled = sign * spearmanr(np.tile(steps, len(photos)), np.concatenate(together), nan_policy="omit").statistic
            print(f"| {ladder} | `{signal}` | {np.mean(found):.3f} | {np.min(found):.3f} | {pooled:.3f} |")
    print(f"\njpeg_quality is Pillow's number at every quality from 20 on: {'yes' if exact else 'no'}\n")

    number = list(LADDERS).index("text")
    shares = [number_of(values[number, photo, 0]["text_share"]) for photo in photos]
    at_most = np.array([number_of(values[number, photo, 9]["text_share"]) for photo in photos])
    print("`text_share` of the photos without text: median {:.1f}, 95th percentile {:.1f}, highest {:.1f} %; with 90 % of text: mean "
          "{:.0f}, lowest {:.0f} %\n".format(np.median(shares), np.percentile(shares, 95), max(shares), at_most.mean(), at_most.min()))

    print("Correlation with the steps of ladders that a signal is not about, all photos together (bold: beyond 0.2):\n")
    ladders = list(LADDERS)[: list(LADDERS).index("text") + 1]
    about = sorted({signal for _, signals in LADDERS.values() for signal in signals} - {"jpeg_quality"})
    print("| signal | " + " | ".join(ladders) + " |")
    print("|---|" + "---|" * len(ladders))
    for signal in about:
        cells = []
        for number, ladder in enumerate(ladders):
            steps, signals = LADDERS[ladder]
            if signal in signals:
                cells.append("cause")
                continue
            measured = np.concatenate([column(number, photo, len(steps), signal) for photo in photos])
            causes = np.tile(steps, len(photos))
            known = ~np.isnan(measured)
            rho = 0.0 if np.ptp(measured[known]) == 0 else spearmanr(causes[known], measured[known]).statistic
            cells.append(f"**{rho:.2f}**" if abs(rho) > 0.2 else f"{rho:.2f}")
        print(f"| `{signal}` | " + " | ".join(cells) + " |")


def compare(options):
    from cleanvision import Imagelab

    lab = Imagelab(data_path=options.folder, verbose=False)
    lab.find_issues(n_jobs=1, verbose=False)
    ours = {}
    with open(options.list) as file:
        for line in file:
            path, _, why = line.rstrip("\n").partition("  (")
            what, _, name = path.partition(" ")
            ours[Path(name).name] = why.removesuffix(")") if what == "drop" else ""
    print("| file | cleanvision | dropped by |")
    print("|---|---|---|")
    for path, row in sorted(lab.issues.iterrows()):
        issues = [c[3:-6] for c in lab.issues.columns if c.startswith("is_") and row[c]]
        print(f"| {Path(path).name} | {', '.join(issues)} | {ours.get(Path(path).name, 'not read')} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("make")
    command.add_argument("folder")
    command.add_argument("output")
    command.add_argument("--photos", type=int, default=25)
    command.set_defaults(run=make)
    command = commands.add_parser("judge")
    command.add_argument("signals")
    command.set_defaults(run=judge)
    command = commands.add_parser("compare")
    command.add_argument("folder")
    command.add_argument("list")
    command.set_defaults(run=compare)
    options = parser.parse_args()
    options.run(options)


main()
