#!/usr/bin/env python3
"""Writes what NumPy, SciPy and OpenCV say about the quality signals of test pictures: the expected values of tests/signals.

Run by hand, in an environment with those and Pillow (bench/peers/setup.sh makes one):

    ~/.cache/imgmill-peers/venv/bin/python tests/golden/make_signal_golden.py ASSETS

It writes beside itself
    photo_signals.csv    some of the files under ASSETS/photos and ASSETS/odd/quality-issues
    formula_signals.csv  pictures made of a formula that the C++ test knows too
An empty cell is a signal without a value. Every signal is computed from its definition in floating point, on whole images; nothing is
shared with the C++ code. The committed files were made with Pillow 13.0.0, NumPy 2.4.6, SciPy 1.17.1 and OpenCV 5.0.0.
"""
import csv
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.ndimage import correlate, maximum_filter, minimum_filter, sobel, uniform_filter
from scipy.signal import convolve2d
from scipy.stats import entropy

from make_hash_golden import picture

HERE = Path(__file__).resolve().parent
NAMES = ["brightness", "contrast", "entropy", "sharpness", "noise", "blockiness", "colorfulness", "grayscale", "clipped_dark",
         "clipped_bright", "dark_end", "bright_end", "saturation", "color_cast", "spatial_information", "blur", "jpeg_visible",
         "letterbox", "border", "interlacing", "unique_colors", "bit_depth", "upscaled", "text_share"]
PHOTOS = ["photos/bsds500-val/101085.jpg", "photos/bsds500-val/119082.jpg", "photos/bsds500-val/3096.jpg",
          "photos/scikit-image/astronaut.png", "photos/scikit-image/camera.png", "photos/scikit-image/chelsea.png",
          "photos/scikit-image/color.png", "photos/scikit-image/hubble_deep_field.jpg", "photos/scikit-image/rocket.jpg",
          "photos/scikit-image/palette_color.png", "odd/quality-issues/image_101.png", "odd/quality-issues/image_142.png",
          "odd/quality-issues/image_408.png", "odd/quality-issues/image_604.png"]
FORMULAS = [(1, 1, 1), (2, 3, 3), (3, 3, 3), (15, 40, 3), (16, 16, 1), (17, 23, 3), (64, 64, 1), (100, 37, 3), (1026, 19, 3),
            (1027, 33, 1), (37, 300, 3), (2500, 18, 3), (21, 613, 3), (300, 517, 1)]
PATTERNS = ["noise", "blocks", "flat", "diagonal", "checks", "dots", "letters"]
FIRST, SECOND = 12, 8  # values of a cell after text_share's first layers


def prominence(picture):
    """Of the strongest phase of a grid of columns, in standard errors (one-way analysis of variance), less that of the next."""
    sums = np.abs(np.diff(picture, axis=1)).sum(axis=0)
    excess = convolve2d(sums[None], [[-1, -1, 4, -1, -1]], mode="valid")[0]
    if len(excess) < 9:
        return 0
    phases = [excess[np.arange(3, 3 + len(excess)) % 8 == phase] for phase in range(8)]
    error = np.sqrt(sum(((phase - phase.mean()) ** 2).sum() for phase in phases) / (len(excess) - 8))
    heights = np.sort([np.sqrt(len(phase)) * phase.mean() for phase in phases])
    difference = heights[-1] - max(heights[-2], 0)
    return 0 if difference <= 0 or heights[-1] <= 0 else difference / error if error > 0 else np.inf


def has_grid(luma):
    return (prominence(luma) + prominence(luma.T)) / np.sqrt(2) >= 4


def blockiness(luma):
    """Every one of the 64 grids as a mask over all steps, one after the other."""
    height, width = luma.shape
    if min(height, width) < 16:
        return ""
    if not has_grid(luma):
        return 0
    across = np.abs(np.diff(luma, axis=1))  # the step that ends at column x + 1
    down = np.abs(np.diff(luma, axis=0))
    best = 0.0
    for right in range(8):
        for below in range(8):
            border_across = np.zeros(across.shape, bool)
            border_across[:, (np.arange(1, width) % 8) == right] = True
            border_down = np.zeros(down.shape, bool)
            border_down[(np.arange(1, height) % 8) == below, :] = True
            border = np.concatenate([across[border_across], down[border_down]]).mean()
            inside = np.concatenate([across[~border_across], down[~border_down]]).mean()
            if border > 0:
                best = max(best, min(100 * (border / inside - 1), 10000) if inside > 0 else 10000)
    return best


def seen(height, first, end=0):
    """The rows from `first` to `end` rows before the last that are looked at; the row is the lowest of its neighbourhood."""
    step = 1 if height < 512 else 2
    return [y for y in range(first, height - end) if y % step == 0]


def blur(luma):
    """scikit-image's blur_effect, but only of the pixels whose whole neighbourhood is in the image."""
    if min(luma.shape) < 13:
        return ""
    left = []
    for axis in (0, 1):
        sharp = np.abs(sobel(luma, axis=axis))
        blurred = np.abs(sobel(uniform_filter(luma, size=[11 if a == axis else 1 for a in (0, 1)]), axis=axis))
        inner = np.ix_([y - 6 for y in seen(len(luma), 12)], np.arange(6, luma.shape[1] - 6))
        steps, lost = sharp[inner].sum(), np.maximum(0, sharp - blurred)[inner].sum()
        if steps > 0:
            left.append((steps - lost) / steps)
    return max(left) if left else ""


def jpeg_visible(luma):
    """The authors' jpeg_quality_score.m, at the phase of the grid where the steps are largest."""
    if min(luma.shape) < 16:
        return ""
    borders, activities, crossings = [], [], []
    for axis, picture in enumerate((luma, luma.T)):
        steps = np.diff(picture, axis=1)
        places = np.arange(1, picture.shape[1]) % 8
        border = max(np.abs(steps[:, places == phase]).mean() for phase in range(8))
        borders.append(border)
        activities.append((8 * np.abs(steps).mean() - border) / 7)
        crossing = np.sign(steps[:, :-1]) * np.sign(steps[:, 1:]) < 0
        rows = seen(len(luma), 2)
        crossings.append(crossing[rows].mean() if axis == 0 else crossing.T[[y - 2 for y in rows]].mean())
    border, activity, crossing = np.mean(borders), np.mean(activities), np.mean(crossings)
    if border <= 0:
        return ""
    if not has_grid(luma):
        return 10
    score = -245.8909 + 261.9373 * border ** -0.02398886 * max(activity, 0) ** 0.01601664 * crossing ** 0.00642859
    return float(np.clip(score, 1, 10))


def bar(lines):
    """How many of the first lines are of one level, give or take 2."""
    low, high = lines.min(axis=1), lines.max(axis=1)
    middle = (low + high) // 2
    inside = (high - low <= 4) & (np.abs(middle - middle[0]) <= 1)
    return len(lines) if inside.all() else int(np.argmin(inside))


def last_bar(lines):
    """The last of the bars into which the lines fall from the first on: its level is that of its first line."""
    start = 0
    while start < len(lines):
        length = bar(lines[start:])
        if start + length == len(lines):
            return length
        start += max(1, length)
    return 0


def bars(luma):
    height, width = luma.shape
    top, bottom, left, right = bar(luma), last_bar(luma), bar(luma.T), bar(luma.T[::-1])
    if top == height or left == width:
        return 100, min(height, width) / 2
    # One that its own edge's level ends may go past the one on the other side.
    right = min(right, width - left)
    return 100 * (1 - (width - left - right) * (height - top - bottom) / luma.size), min(top, bottom, left, right)


def interlacing(luma):
    if min(luma.shape) < 4:
        return ""
    shares = []
    for axis, picture in enumerate((luma.T, luma)):  # down, along
        steps = np.diff(picture, axis=1)
        large = np.where(np.abs(steps) > 8, np.sign(steps), 0)
        first, second, third = large[:, :-2], large[:, 1:-1], large[:, 2:]
        least = np.minimum(np.minimum(np.abs(steps[:, :-2]), np.abs(steps[:, 1:-1])), np.abs(steps[:, 2:]))
        halves = np.maximum(np.abs(picture[:, 2:-1] - picture[:, :-3]), np.abs(picture[:, 3:] - picture[:, 1:-2]))
        teeth = (first != 0) & (second == -first) & (third == first) & (2 * halves <= least)
        rows = seen(len(luma), 3)
        shares.append(teeth[rows] if axis == 1 else teeth.T[[y - 3 for y in rows]])
    return max(0.0, 100 * (shares[0].mean() - shares[1].mean()))


def bit_depth(samples):
    for bits in range(1, 9):
        top = samples >> (8 - bits)
        stretched = np.zeros_like(samples)
        for shift in range(8 - bits, -bits, -bits):
            stretched |= top << shift if shift >= 0 else top >> -shift
        # By a shift, by repeated bits, or by a multiplication that is rounded or cut off.
        levels = np.arange(2**bits) * 255 / (2**bits - 1)
        if ((stretched == samples).all() or (samples % 2 ** (8 - bits) == 0).all()
                or np.isin(samples, np.rint(levels)).all() or np.isin(samples, np.floor(levels + 1e-9)).all()):
            return bits


def upscaled(luma):
    size, (height, width) = 256, luma.shape
    if width < size:
        return ""
    stretches = max(1, min(4, width // size))
    starts = [0] if stretches == 1 else [i * (width - size) // (stretches - 1) for i in range(stretches)]
    count = min(64, 64 // stretches, height)
    rows = [0] if count == 1 else [i * (height - 1) // (count - 1) for i in range(count)]
    window = np.hanning(size + 1)[:size]
    power = np.zeros(size // 2 + 1)
    for y in rows:
        for x in starts:
            stretch = luma[y, x : x + size]
            power += np.abs(np.fft.rfft((stretch - stretch.mean()) * window)) ** 2
    level = 10 * np.log10(power / (len(rows) * len(starts)) / (window**2).sum() + 1 / 12)
    where = np.log10(np.maximum(np.arange(size // 2 + 1), 1) / size)
    low = slice(3, 18)
    slope = np.clip(np.polyfit(where[low], level[low], 1)[0], -30, -10)
    line = level[low].mean() + slope * (where - where[low].mean())
    cut = size // 2
    while cut > 8:
        at = min(cut, size // 2 - 3)
        mean = level[at - 2 : at + 3].mean()
        if line[at] - mean <= 8 and mean >= 10 * np.log10(2 / 12) + 4:
            break
        cut -= 1
    return size / 2 / cut


def text_cells(luma):
    """What is told of each cell of 16x16 pixels: rows x columns x values."""
    height, width = luma.shape[0] // 16 * 16, luma.shape[1] // 16 * 16

    def cells(values):
        return values[:height, :width].reshape(height // 16, 16, width // 16, 16)

    low, high = cells(luma).min(axis=(1, 3)), cells(luma).max(axis=(1, 3))
    levels, values = high - low, []
    for axis in (1, 0):
        for reach in (1, 2, 4, 8):
            # Of a window of three pixels, `reach` apart, the two at the ends.
            ends = np.zeros((1, 2 * reach + 1) if axis == 1 else (2 * reach + 1, 1), bool)
            ends.flat[0] = ends.flat[-1] = True
            lower, higher = (f(luma, footprint=ends, mode="nearest") for f in (minimum_filter, maximum_filter))
            values += [np.maximum(0, lower - luma), np.maximum(0, luma - higher)]
    along, down = (np.abs(np.diff(luma, axis=axis, append=luma.take([-1], axis))) for axis in (1, 0))
    told = [np.sqrt(cells(each).mean(axis=(1, 3)) / (levels + 8)) for each in values + [along, down]]
    near = (levels // 8)[:, None, :, None]
    told += [cells(np.maximum(along, down) <= 3).mean(axis=(1, 3)),
             (cells(luma) <= low[:, None, :, None] + near).mean(axis=(1, 3)),
             (cells(luma) >= high[:, None, :, None] - near).mean(axis=(1, 3)), levels / 128]
    return np.stack(told, axis=2)


def text_share(luma):
    """The table is read from its file; each layer is a sum of correlations."""
    if min(luma.shape) >= 512:
        height, width = luma.shape[0] // 2, luma.shape[1] // 2
        luma = np.floor(luma[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3)) + 0.5)
    if min(luma.shape) < 16:
        return ""
    lines = (HERE / "../../src/signals/text_weights.inc").read_text().splitlines()
    table = np.array([int(n) for line in lines if not line.startswith("//") for n in line.split(",") if n.strip()]) / 1024
    layer = text_cells(luma)
    for side, given in ((1, FIRST), (3, SECOND), (3, 1)):
        taken = layer.shape[2]
        bias, weights = table[:given], table[given : given + side * side * taken * given].reshape(side, side, taken, given)
        table = table[given + weights.size :]
        layer = np.stack([bias[o] + sum(correlate(layer[..., i], weights[:, :, i, o], mode="constant") for i in range(taken))
                          for o in range(given)], axis=2)
        layer = np.maximum(layer, 0) if given > 1 else layer
    assert table.size == 0
    return float(100 * (layer > 0).mean())


def immerkaer_noise(luma):
    """From the flattest twentieth of blocks of 16x16 windows, less what texture is to be expected beside its slopes."""
    height, width = luma.shape
    if min(height, width) < 3:
        return ""
    rows = [y - 2 for y in seen(height, 2)]  # of windows
    mask = np.abs(convolve2d(luma, [[1, -2, 1], [-2, 4, -2], [1, -2, 1]], mode="valid"))[rows]
    slope = np.abs(luma[1:-1, 2:] - luma[1:-1, :-2])[rows]
    clipped = ((luma[1:-1, 1:-1] <= 1) | (luma[1:-1, 1:-1] >= 254))[rows]
    side = (min(16, mask.shape[0]), min(16, mask.shape[1]))
    found = []
    for y in range(0, mask.shape[0] - side[0] + 1, side[0]):
        for x in range(0, mask.shape[1] - side[1] + 1, side[1]):
            block = np.s_[y : y + side[0], x : x + side[1]]
            if 50 * clipped[block].sum() <= side[0] * side[1]:
                found.append((int(mask[block].sum()), int(slope[block].sum())))
    if not found:
        return 0

    def kind(total):
        power = max(0, int(np.floor(np.log2(total))) - 3) if total >= 8 else 0
        return 8 * power + (total >> power)

    left = chosen = -(-len(found) // 20)
    means = np.zeros(2)
    for each in sorted({kind(total) for total, _ in found}):
        alike = np.array([pair for pair in found if kind(pair[0]) == each], np.float64)
        taken = min(left, len(alike))
        means += taken * alike.mean(axis=0)
        left -= taken
    means *= np.sqrt(np.pi / 2) / chosen / (side[0] * side[1])
    by_mask, by_slope = means[0] / 6 / 0.835, means[1] / np.sqrt(2) / 0.9635
    noise = (2.25 * by_mask - by_slope) / 1.25
    return noise if noise >= 1 else 0


def bends(band):
    """Variance of noise by second differences along the rows, in stretches of 1024 pixels."""
    rows = band[seen(len(band), 0)]
    squares = [np.diff(rows[:, x : x + 1024], 2, axis=1) ** 2 for x in range(0, rows.shape[1], 1024)]
    count = sum(part.size for part in squares)
    return sum(part.sum() for part in squares) / 6 / count if count else 0


def saturation(rgb):
    """Of squares of 4x4 pixels; of tall pictures every second row of squares."""
    height, width = rgb.shape[:2]
    along = np.add.reduceat(rgb.astype(np.int64), np.arange(0, width, 4), axis=1)
    sums = np.add.reduceat(along, np.arange(0, height, 4), axis=0)[:: 1 if height < 512 else 2]
    sides = [np.minimum(4, side - np.arange(0, side, 4)) for side in (height, width)]
    pixels = np.outer(sides[0], sides[1])[:: 1 if height < 512 else 2]
    high, low = sums.max(axis=2), sums.min(axis=2)
    value = np.floor(255 * (high - low) / np.maximum(high, 1) + 0.5)
    return (value * pixels).sum() / pixels.sum() / 2.55


def more_signals(luma, rgb):
    levels = luma.astype(np.uint8).ravel()
    whole = rgb.astype(np.int64)
    rg, yb = rgb[..., 0] - rgb[..., 1], 0.5 * (rgb[..., 0] + rgb[..., 1]) - rgb[..., 2]
    cast = np.hypot(rg.mean(), yb.mean()) / max(np.hypot(rg.std(), yb.std()), 1)
    gradients = ""
    if min(luma.shape) >= 3:
        inner = np.ix_([y - 1 for y in seen(len(luma), 2)], np.arange(1, luma.shape[1] - 1))
        gradients = np.sqrt((sobel(luma, 0)[inner] ** 2 + sobel(luma, 1)[inner] ** 2).mean())
    letterbox, border = bars(luma)
    colours = len(np.unique(whole.reshape(-1, 3), axis=0))
    return [100 * (levels <= 2).mean(), 100 * (levels >= 253).mean(),
            np.percentile(levels, 5, method="inverted_cdf"), np.percentile(levels, 99, method="inverted_cdf"), saturation(rgb), cast,
            gradients, blur(luma), jpeg_visible(luma), letterbox, border, interlacing(luma), min(colours, 1024),
            bit_depth(whole), upscaled(luma), text_share(luma)]


def signals(image):
    """image: a Pillow image in L or RGB."""
    luma = np.asarray(image.convert("L")).astype(np.float64)
    rgb = np.asarray(image.convert("RGB")).astype(np.float64)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    shares = np.bincount(luma.astype(np.uint8).ravel(), minlength=256) / luma.size
    enough = min(luma.shape) >= 3
    sharpness = ""
    if enough:
        sharpness = cv2.Laplacian(luma.astype(np.uint8), cv2.CV_64F)[1:-1, 1:-1].var()
    rg, yb = red - green, 0.5 * (red + green) - blue
    spread = np.sqrt(max(0, rg.var() - bends(rg)) + max(0, yb.var() - bends(yb)))
    colorfulness = spread + 0.3 * np.hypot(rg.mean(), yb.mean())
    spread = (rgb.max(axis=2) - rgb.min(axis=2)).max()
    return [luma.mean(), luma.std(), entropy(shares, base=2), sharpness, immerkaer_noise(luma), blockiness(luma), colorfulness,
            int(spread <= 2)] + more_signals(luma, rgb)


def cell(value):
    return value if value == "" or isinstance(value, int) else repr(float(value))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(HERE / "photo_signals.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["path"] + NAMES)
        for path in PHOTOS:
            with Image.open(Path(sys.argv[1]) / path) as image:
                upright = image.convert("RGBA").convert("RGB") if image.mode in ("RGBA", "P") else image.convert("RGB")
                out.writerow([path] + [cell(value) for value in signals(upright)])
    with open(HERE / "formula_signals.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["width", "height", "bands", "pattern", "seed"] + NAMES)
        for i, (width, height, bands) in enumerate(FORMULAS):
            for k, pattern in enumerate(PATTERNS):
                seed = i + 3 * k + 1
                pixels = picture(width, height, bands, pattern, seed)
                image = Image.fromarray(pixels)
                out.writerow([width, height, bands, pattern, seed] + [cell(value) for value in signals(image)])


main()
