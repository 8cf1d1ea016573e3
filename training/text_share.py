#!/usr/bin/env python3
"""Trains the small network behind the signal text_share on drawn text, on a CPU, and writes its table of weights.

Usage: training/text_share.py --photos shared/assets/photos -o src/signals/text_weights.inc
Needs torch, numpy, pillow and opencv (bench/peers/setup.sh makes an environment that has them), and the fonts of DejaVu and Liberation in
/usr/share/fonts/truetype.

An example is a picture of about 480x320 pixels: a photo as it is, a photo with blocks of words (of 8 to 80 pixels, on a plate of one
colour or on the photo itself, some turned by up to 12 degrees), a page, a drawing of lines, or a pattern; then brightened, burnt out,
blurred, noised or stored as JPEG. Each cell of 16x16 pixels is told by the strokes, steps and levels that docs/signals.md describes, and
is to be judged by the share of it that lines of words cover. BSDS500's photos whose place in the sorted listing is divisible by four are
held out: bench/filter-quality.sh judges the signal on those. Parts of photos without text count twice. Text and ground may be exchanged,
and left and right, at any time in training. All that is drawn at random comes from the numbers of the examples and --seed.
"""

import argparse
import io
import random
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from torch import nn
from torch.nn import functional as F

SIDE, REACHES, REACH, FLAT = 16, (1, 2, 4, 8), 8, 3
FEATURES = 22
# The order of the features where black and white are exchanged.
INVERTED = [i ^ 1 for i in range(16)] + [16, 17, 18, 20, 19, 21]
ROWS, COLUMNS = 20, 30  # cells of an example
TEXTURES = ("brick.png", "gravel.png", "coffee.png", "coins.png", "chelsea.png", "color.png")
LETTERS = "e" * 12 + "t" * 9 + "a" * 8 + "o" * 8 + "i" * 7 + "n" * 7 + "s" * 7 + "h" * 6 + "r" * 6 + "ddddllllcccuuummwwffggyyppbbvkxqjz"
UNIT = 1024
PATTERN_EACH = 25  # examples


def cells(picture):
    height, width = (side - side % SIDE for side in picture.shape)
    return picture[:height, :width].reshape(height // SIDE, SIDE, width // SIDE, SIDE)


def sums(picture):
    """Of each cell."""
    height, width = (side - side % SIDE for side in picture.shape)
    whole = picture[:height, :width].astype(np.float32)
    return cv2.resize(whole, (width // SIDE, height // SIDE), interpolation=cv2.INTER_AREA) * (SIDE * SIDE)


def features(luma):
    """FEATURES x rows x columns of cells of a picture in 8 bits."""
    height, width = (side - side % SIDE for side in luma.shape)
    padded = np.pad(luma, REACH, mode="edge")

    def at(y, x):
        return padded[REACH + y : REACH + y + height, REACH + x : REACH + x + width]

    def spread(levels):
        return np.repeat(np.repeat(levels.astype(np.uint8), SIDE, 0), SIDE, 1)

    here, pixels = at(0, 0), SIDE * SIDE
    low = cells(luma).min(axis=(1, 3)).astype(np.int32)
    high = cells(luma).max(axis=(1, 3)).astype(np.int32)
    levels = high - low
    most = pixels * (levels + 8.0)
    found = []
    for y, x in ((0, 1), (1, 0)):
        for reach in REACHES:
            before, after = at(-reach * y, -reach * x), at(reach * y, reach * x)
            found.append(np.sqrt(sums(cv2.subtract(cv2.min(before, after), here)) / most))
            found.append(np.sqrt(sums(cv2.subtract(here, cv2.max(before, after))) / most))
    along, down = cv2.absdiff(at(0, 1), here), cv2.absdiff(at(1, 0), here)
    found += [np.sqrt(sums(along) / most), np.sqrt(sums(down) / most), sums(cv2.max(along, down) <= FLAT) / pixels]
    found += [sums(here <= spread(low + levels // 8)) / pixels, sums(here >= spread(high - levels // 8)) / pixels, levels / 128.0]
    return np.stack(found).astype(np.float32)


def word(draw):
    kind = draw.random()
    if kind < 0.08:
        return str(draw.randrange(10 ** draw.randint(1, 5)))
    text = "".join(draw.choice(LETTERS) for _ in range(draw.choice((1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 11))))
    if kind < 0.25:
        text = text.capitalize()
    if kind > 0.9:
        text += draw.choice(",.;:!?")
    return text


def line(draw, font, width, upper):
    text = word(draw)
    if font.getlength(text) > width:
        text = text[:2]
    while True:
        longer = text + " " + word(draw)
        if font.getlength(longer) > width:
            return text.upper() if upper else text
        text = longer


def brightness(colour):
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def colour_of(draw, light=None):
    low, high = {True: (200, 255), False: (0, 60), None: (0, 255)}[light]
    return tuple(draw.randint(low, high) for _ in range(3))


def ink_on(draw, ground, least):
    """A colour that is `least` levels of luma from the ground's."""
    while True:
        if draw.random() < 0.5:
            colour = colour_of(draw)
        else:
            colour = draw.choice(((255, 255, 255), (0, 0, 0), (250, 220, 30), (200, 20, 20), (20, 20, 120)))
        if abs(brightness(colour) - ground) >= least:
            return colour


def draw_block(draw, fonts, image, mask, box, size, plate, least=70, outline=False):
    """Fills a box with lines of words; what they cover is white in the mask."""
    left, top, right, bottom = box
    font = ImageFont.truetype(draw.choice(fonts), size, layout_engine=ImageFont.Layout.BASIC)
    up, down = font.getmetrics()
    step = int((up + down) * draw.choice((0.95, 1, 1, 1.15, 1.3)))
    upper = draw.random() < 0.2
    pen, marker = ImageDraw.Draw(image), ImageDraw.Draw(mask)
    ground = float(np.median(np.asarray(image.convert("L").crop((left, top, max(right, left + 1), max(bottom, top + 1))))))
    if plate is not None:
        pen.rectangle((left - 4, top - 3, right + 4, bottom + 3), fill=plate)
        ground = brightness(plate)
    ink = ink_on(draw, ground, least)
    edge = {"stroke_width": max(1, size // 14), "stroke_fill": (0, 0, 0) if sum(ink) > 380 else (255, 255, 255)} if outline else {}
    draw.random()  # of an option that is gone: the examples stay those of the table
    for y in range(top, bottom + 3 - up - down, step):
        text = line(draw, font, right - left, upper)
        pen.text((left, y), text, font=font, fill=ink, **edge)
        between = step - up - down if y + step + up + down <= bottom + 2 else 0
        under = min(y + step, y + up + down + between)
        marker.rectangle((left, y + max(0, up - size * 0.8), left + font.getlength(text), under), fill=255)


def photo(draw, photos):
    """A part of one, at some scale and exposure."""
    image = draw.choice(photos)
    scale = draw.choice((0.5, 0.7, 0.85, 1, 1, 1, 1.2, 1.5, 2))
    if scale != 1:
        method = draw.choice((Image.BILINEAR, Image.BICUBIC, Image.LANCZOS))
        image = image.resize((round(image.width * scale), round(image.height * scale)), method)
    width, height = min(image.width, COLUMNS * SIDE), min(image.height, ROWS * SIDE)
    x, y = draw.randint(0, image.width - width), draw.randint(0, image.height - height)
    image = image.crop((x, y, x + width, y + height))
    if draw.random() < 0.5:
        image = ImageOps.mirror(image)
    if draw.random() < 0.15:
        image = image.convert("L").convert("RGB")
    kind = draw.random()
    if kind < 0.2:
        gamma = draw.uniform(0.5, 1.9)
        return image.point([min(255, int(255 * (v / 255) ** gamma)) for v in range(256)] * 3)
    if kind < 0.4:
        gain = draw.uniform(1.3, 4) if kind < 0.35 else draw.uniform(0.2, 0.7)
        return image.point([min(255, int(v * gain)) for v in range(256)] * 3)
    if kind < 0.45:  # hard light: much of it black or white
        gain, middle = draw.uniform(1.5, 6), draw.uniform(60, 190)
        return image.point([max(0, min(255, int(128 + (v - middle) * gain))) for v in range(256)] * 3)
    return image


def add_shape(draw, pen, ink, width, height):
    kind, thick = draw.random(), draw.randint(1, 8)
    x, y, x1, y1 = (draw.randint(0, side) for side in (width, height, width, height))
    if kind < 0.3:
        pen.line((x, y, x1, y1), fill=ink, width=thick)
    elif kind < 0.45:
        r = draw.randint(4, 160)
        pen.ellipse((x - r, y - r, x + r, y + r), outline=ink, width=thick)
    elif kind < 0.55:
        r = draw.randint(10, 160)
        pen.arc((x - r, y - r, x + r, y + r), draw.randint(0, 180), draw.randint(180, 360), fill=ink, width=thick)
    elif kind < 0.65:
        pen.rectangle((min(x, x1), min(y, y1), max(x, x1), max(y, y1)), outline=ink, width=thick)
    elif kind < 0.78:  # parallel lines
        gap, dx, dy = draw.randint(3, 24), draw.randint(-120, 120), draw.randint(-120, 120)
        across = (gap, 0) if abs(dy) > abs(dx) else (0, gap)
        for i in range(draw.randint(3, 20)):
            from_x, from_y = x + i * across[0], y + i * across[1]
            pen.line((from_x, from_y, from_x + dx, from_y + dy), fill=ink, width=min(thick, max(1, gap // 2)))
    elif kind < 0.9:  # dashes
        count, on = draw.randint(5, 40), draw.uniform(0.3, 0.8)
        for i in range(count):
            a, b = i / count, (i + on) / count
            pen.line((x + (x1 - x) * a, y + (y1 - y) * a, x + (x1 - x) * b, y + (y1 - y) * b), fill=ink, width=thick)
    else:  # a grid, as of a table
        count, gap = draw.randint(2, 9), draw.randint(12, 60)
        for i in range(count + 1):
            pen.line((x + i * gap, y, x + i * gap, y + count * gap), fill=ink, width=min(thick, 4))
            pen.line((x, y + i * gap, x + count * gap, y + i * gap), fill=ink, width=min(thick, 4))


def drawing(draw, fonts):
    width, height = COLUMNS * SIDE, ROWS * SIDE
    light = draw.random() < 0.8
    image = Image.new("RGB", (2 * width, 2 * height), colour_of(draw, light))
    ink = colour_of(draw, not light)
    for _ in range(draw.randint(4, 40)):
        add_shape(draw, ImageDraw.Draw(image), ink, 2 * width, 2 * height)
    image = image.resize((width, height), draw.choice((Image.BOX, Image.BILINEAR, Image.LANCZOS, Image.NEAREST)))
    mask = Image.new("L", image.size)
    if draw.random() < 0.3:
        size, x, y = draw.randint(8, 30), draw.randint(0, 300), draw.randint(0, 240)
        box = (x, y, x + draw.randint(100, 160), y + int(size * 1.5) + draw.randint(0, 40))
        draw_block(draw, fonts, image, mask, box, size, None)
    return image, mask


def page(draw, fonts, photos):
    width, height = COLUMNS * SIDE, ROWS * SIDE
    image = Image.new("RGB", (width, height), colour_of(draw, draw.random() < 0.8))
    uneven = draw.random() < 0.5  # light
    mask = Image.new("L", image.size)
    if draw.random() < 0.5:
        picture = photo(draw, photos).resize((draw.randint(80, 240), draw.randint(60, 200)))
        image.paste(picture, (draw.randint(0, width - 80), draw.randint(0, height - 60)))
    size = draw.randint(8, 30)
    left, right = draw.randint(0, 40), draw.randint(width // 2, width - 1)
    top = draw.randint(0, 150)
    bottom = draw.randint(min(height - 1, top + size * 2), height - 1)
    draw_block(draw, fonts, image, mask, (left, top, right, bottom), size, None, least=90)
    if draw.random() < 0.4:
        for _ in range(draw.randint(1, 6)):
            y = draw.randint(0, height)
            ImageDraw.Draw(image).line((0, y, width, y), fill=colour_of(draw), width=draw.randint(1, 3))
    if uneven:
        light = np.linspace(draw.uniform(0.4, 1), 1, width)[None, :] * np.linspace(draw.uniform(0.6, 1), 1, height)[:, None]
        image = Image.fromarray((np.asarray(image) * light[..., None]).astype(np.uint8))
    return image, mask


def pattern(draw):
    """Noise, dots, checks, stripes or rings, that no photo has."""
    width, height = COLUMNS * SIDE, ROWS * SIDE
    noise = np.random.default_rng(draw.randrange(2**31))
    y, x = np.mgrid[0:height, 0:width]
    kind, size = draw.random(), draw.randint(1, 12)
    if kind < 0.35:
        shape = (-(-height // size), -(-width // size))
        values = noise.random(shape) if draw.random() < 0.5 else (noise.random(shape) < draw.uniform(0.1, 0.9)).astype(float)
        values = np.repeat(np.repeat(values, size, 0), size, 1)[:height, :width]
    elif kind < 0.5:
        values = (x // size + y // draw.randint(1, 12)) % 2
    elif kind < 0.65:  # a screen of dots
        values = (np.sin(x * draw.uniform(0.2, 2)) + np.sin(y * draw.uniform(0.2, 2)) > draw.uniform(-1.5, 1.5)).astype(float)
    elif kind < 0.85:
        angle, wave = draw.uniform(0, np.pi), draw.uniform(0.1, 2)
        values = np.sin((x * np.cos(angle) + y * np.sin(angle)) * wave)
        values = values / 2 + 0.5 if draw.random() < 0.5 else (values > draw.uniform(-0.8, 0.8)).astype(float)
    else:
        far = np.hypot(x - draw.uniform(0, width), y - draw.uniform(0, height))
        values = np.sin(far * draw.uniform(0.1, 2)) / 2 + 0.5
    low, high = draw.uniform(0, 150), draw.uniform(100, 255)
    return Image.fromarray((low + (high - low) * values).astype(np.uint8)).convert("RGB")


def captioned(draw, fonts, photos):
    image = photo(draw, photos)
    width, height = image.size
    mask = Image.new("L", image.size)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        size = int(8 * 10 ** draw.random())
        w = draw.randint(min(width - 8, size * 3), width - 4) if size * 3 < width - 8 else width - 8
        h = draw.randint(min(height - 8, int(size * 1.4)),
                         min(height - 8, max(int(size * 1.5), draw.choice((height // 4, height // 2, height - 8)))))
        x, y = draw.randint(2, width - w - 1), draw.randint(2, height - h - 1)
        plate = None if draw.random() < 0.5 else colour_of(draw, draw.choice((True, False, None)))
        if plate is not None:  # it hides earlier text
            ImageDraw.Draw(mask).rectangle((x - 4, y - 3, x + w + 4, y + h + 3), fill=0)
        draw_block(draw, fonts, image, mask, (x, y, x + w, y + h), size, plate, draw.choice((60, 90, 120)), draw.random() < 0.25)
    if draw.random() < 0.25:
        angle = draw.uniform(-12, 12)
        image, mask = image.rotate(angle, Image.BILINEAR, fillcolor=colour_of(draw)), mask.rotate(angle, Image.BILINEAR)
    return image, mask


def spoilt(draw, image):
    kind = draw.random()
    if kind < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(draw.uniform(0.3, 1.3)))
    elif kind < 0.35:
        noise = np.random.default_rng(draw.randrange(2**31))
        sigma = draw.uniform(1, 18) if kind < 0.3 else draw.uniform(10, 60)
        pixels = np.asarray(image, np.float32) + noise.normal(0, sigma, (image.height, image.width, 3))
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if draw.random() < 0.6:
        data = io.BytesIO()
        image.save(data, "JPEG", quality=draw.randint(50, 95))
        image = Image.open(data).convert("RGB")
    return image


def example(seed, fonts, photos):
    """Features, and the share of each cell that words cover."""
    draw = random.Random(seed)
    kind = draw.random()
    if seed % PATTERN_EACH == 0:
        image = pattern(draw)
        mask = Image.new("L", image.size)
    elif kind < 0.06:
        image, mask = drawing(draw, fonts)
    elif kind < 0.2:
        image, mask = page(draw, fonts, photos)
    elif kind < 0.5:
        image = photo(draw, photos)
        mask = Image.new("L", image.size)
    else:
        image, mask = captioned(draw, fonts, photos)
    if draw.random() < 0.2 and kind < 0.9:  # as large images are looked at
        image = image.resize((image.width * 3 // 5, image.height * 3 // 5), Image.BOX if draw.random() < 0.5 else Image.LANCZOS)
        mask = mask.resize(image.size)
    luma = np.asarray(spoilt(draw, image).convert("L"))
    return features(luma), sums(np.asarray(mask)) / (255 * SIDE * SIDE)


def examples(count, fonts, photos):
    told = np.zeros((count, FEATURES, ROWS, COLUMNS), np.float16)
    covered, known = np.zeros((count, ROWS, COLUMNS), np.float16), np.zeros((count, ROWS, COLUMNS), bool)
    for i in range(count):
        found, share = example(i, fonts, photos)
        rows, columns = min(ROWS, share.shape[0]), min(COLUMNS, share.shape[1])
        told[i, :, :rows, :columns] = found[:, :rows, :columns]
        covered[i, :rows, :columns] = share[:rows, :columns]
        known[i, :rows, :columns] = True
        if (i + 1) % 500 == 0:
            print(f"{i + 1} examples", flush=True)
    return torch.from_numpy(told), torch.from_numpy(covered), torch.from_numpy(known)


class Network(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.first = nn.Conv2d(FEATURES, first, 1)
        self.second = nn.Conv2d(first, second, 3, padding=1)
        self.last = nn.Conv2d(second, 1, 3, padding=1)

    def forward(self, told, known):
        inside = known[:, None].float()  # all layers are 0 beyond the edges
        x = F.relu(self.first(told)) * inside
        return self.last(F.relu(self.second(x)) * inside)[:, 0]


def train(network, told, covered, known, options):
    batch, rate = 32, 6e-3
    draw = torch.Generator().manual_seed(options.seed)
    steps = options.epochs * (len(told) // batch)
    optimiser = torch.optim.Adam(network.parameters(), rate, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.15)
    inverted = torch.tensor(INVERTED)
    for epoch in range(options.epochs):
        order, total = torch.randperm(len(told), generator=draw), 0
        for i in range(0, len(told) - batch + 1, batch):
            some = order[i : i + batch]
            x, y, inside = told[some].float(), covered[some].float(), known[some]
            if torch.rand((), generator=draw) < 0.5:
                x = x[:, inverted]
            for axis, chance in ((2, 0.5), (1, 0.3)):
                if torch.rand((), generator=draw) < chance:
                    x, y, inside = x.flip(axis + 1), y.flip(axis), inside.flip(axis)
            weights = inside.float() * torch.where(y < 0.02, 2.0, 1.0)
            losses = F.binary_cross_entropy_with_logits(network(x, inside), y, reduction="none")
            loss = (losses * weights).sum() / weights.sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total * batch / len(told):.4f}", flush=True)


def table(network, margin):
    """All weights in units, in the order in which src/signals/text_network.cpp reads them."""
    numbers = []
    for layer in (network.first, network.second, network.last):
        weights = layer.weight.detach()  # given, taken, down, along
        numbers += [layer.bias.detach(), weights.permute(2, 3, 1, 0).reshape(-1)]
    numbers[-2] = numbers[-2] - margin
    return np.rint(UNIT * torch.cat(numbers).numpy()).astype(int).tolist()


def write(numbers, path):
    lines, line = ["// Written by training/text_share.py."], ""
    for number in numbers:
        if len(line) + len(f"{number}, ") > 108:
            lines.append(line.rstrip())
            line = ""
        line += f"{number}, "
    Path(path).write_text("\n".join(lines + [line.rstrip()]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="a folder with bsds500-val and scikit-image")
    parser.add_argument("--fonts", default="/usr/share/fonts/truetype")
    parser.add_argument("--examples", type=int, default=4600)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--first", type=int, default=12, help="values of a cell after the first layer")
    parser.add_argument("--second", type=int, default=8)
    parser.add_argument("--margin", type=float, default=0.5, help="a cell is text where the logarithm of its odds is above this")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)  # sums in the same order, whatever the machine
    cv2.setNumThreads(1)
    fonts = sorted(str(path) for path in Path(options.fonts).glob("*/*.ttf") if "Math" not in path.name)
    files = sorted((Path(options.photos) / "bsds500-val").glob("*.jpg"))
    files = [path for i, path in enumerate(files) if i % 4] * 2 + [Path(options.photos) / "scikit-image" / name for name in TEXTURES] * 4
    opened = {path: Image.open(path).convert("RGB") for path in files}
    told, covered, known = examples(options.examples, fonts, [opened[path] for path in files])
    torch.manual_seed(options.seed)
    network = Network(options.first, options.second)
    train(network, told, covered, known, options)
    write(table(network, options.margin), options.output)


if __name__ == "__main__":
    main()
