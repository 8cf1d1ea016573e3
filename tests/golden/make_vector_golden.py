#!/usr/bin/env python3
"""Golden values of the built-in vector (NumPy, by the formulas of image_descriptor.h) and of a model's picture
(Pillow). Writes tests/signals/golden/*.inc. Needs numpy and Pillow."""
import os

import numpy as np
from PIL import Image


def mix(x):
    v = (x * 2654435761) & 0xFFFFFFFF
    v ^= v >> 15
    v = (v * 2246822519) & 0xFFFFFFFF
    v ^= v >> 13
    return v & 0xFF


def picture(width, height, pattern, seed):
    """FormulaPicture of tests/signals/formula_picture.h."""
    out = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for band in range(3):
                at = (y * width + x) * 3 + band if pattern == "noise" else (y // 23 * 1000 + x // 31) * 3 + band
                out[y, x, band] = mix(at + seed * 7919)
    return out


def root(x):
    return np.sign(x) * np.sqrt(np.abs(x))


def unit(x, length):
    return x * (length / np.linalg.norm(x))


def descriptor(rgb):
    f = rgb.astype(np.float64)
    y = f @ [0.299, 0.587, 0.114]
    cb, cr = (f[..., 2] - y) * 0.564, (f[..., 0] - y) * 0.713
    cells = lambda plane, n: plane.reshape(n, 64 // n, n, 64 // n).mean(axis=(1, 3)).ravel()
    layout = np.concatenate([cells(y, 8) - 127.5, cells(cb, 8), cells(cr, 8)])

    dx, dy = np.zeros((64, 64)), np.zeros((64, 64))
    dx[1:-1, 1:-1] = y[1:-1, 2:] - y[1:-1, :-2]
    dy[1:-1, 1:-1] = y[2:, 1:-1] - y[:-2, 1:-1]
    angle = np.arctan2(dy, dx)
    place = np.where(angle < 0, angle + np.pi, angle) / np.pi * 8
    lower = np.floor(place).astype(int)
    strength = np.hypot(dx, dy)
    edges = np.zeros((4, 4, 8))
    rows, columns = np.indices((64, 64)) // 16
    np.add.at(edges, (rows, columns, lower % 8), strength * (1 - (place - lower)))
    np.add.at(edges, (rows, columns, (lower + 1) % 8), strength * (place - lower))
    edges = np.sqrt(edges)
    edges = (edges - edges.mean(axis=2, keepdims=True)).ravel()

    k, i = np.mgrid[0:8, 0:64]
    basis = np.cos((2 * i + 1) * k * np.pi / 128) * np.where(k == 0, np.sqrt(0.5), 1)
    shape = root(basis @ (y - 127.5) @ basis.T).ravel()

    histogram = np.zeros((4, 4, 4))
    at = f.reshape(-1, 3) / 255 * 3
    low = np.minimum(at.astype(int), 2)
    part = at - low
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(np.array(corner) == 1, part, 1 - part), axis=1)
        np.add.at(histogram, tuple((low + corner).T), weight)
    histogram = np.sqrt(histogram).ravel()
    histogram -= histogram.mean()

    p = np.pad(y, 1, mode="edge")
    right, down = np.abs(p[1:-1, 2:] - y), np.abs(p[2:, 1:-1] - y)
    laplacian = np.abs(p[1:-1, :-2] + p[1:-1, 2:] + p[:-2, 1:-1] + p[2:, 1:-1] - 4 * y)
    spread = np.sqrt(np.maximum(0, cells(y * y, 4) - cells(y, 4) ** 2))
    texture = np.stack([spread, cells(right, 4), cells(down, 4), cells(laplacian, 4)], axis=1).ravel()

    whole = np.concatenate([unit(layout, 0.7), unit(edges, 1), unit(shape, 1), unit(histogram, 0.4), unit(texture, 0.3)])
    return unit(whole, 1)


folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "signals", "golden")
os.makedirs(folder, exist_ok=True)
vector = descriptor(picture(64, 64, "blocks", 1))
with open(os.path.join(folder, "picture_vector.inc"), "w") as out:
    for index in range(0, 512, 5):
        out.write("           {%d, %.9g},\n" % (index, vector[index]))
small = np.asarray(Image.fromarray(picture(61, 37, "noise", 5)).resize((8, 8), Image.BILINEAR))
with open(os.path.join(folder, "pillow_bilinear.inc"), "w") as out:
    for band in range(3):
        out.write("      {%s},\n" % ", ".join(str(v) for v in small[0, :3, band]))

# The shorter side to 20, then 16x16 out of the middle, at torchvision's places: of a wide, a tall and an upright image that
# has that side already, by each filter: the filter, width, height, then the first three pixels and the last one of red.
with open(os.path.join(folder, "pillow_shorter.inc"), "w") as out:
    for width, height in ((61, 37), (37, 92), (20, 23)):
        for name, resample in (("kTriangle", Image.BILINEAR), ("kCubic", Image.BICUBIC), ("kLanczos", Image.LANCZOS)):
            shorter = min(width, height)
            size = [20 if side == shorter else int(20 * side / shorter) for side in (width, height)]
            resized = np.asarray(Image.fromarray(picture(width, height, "noise", 5)).resize(size, resample))
            left, top = (int(round((side - 16) / 2.0)) for side in size)
            square = resized[top:top + 16, left:left + 16, 0]
            seen = [*square[0, :3], square[15, 15]]
            out.write("      {ResizeFilter::%s, %d, %d, {%s}},\n" % (name, width, height, ", ".join(str(v) for v in seen)))
