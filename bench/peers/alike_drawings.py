"""Drawn sets of make_alike_corpus.py: forms, screens, charts and shirts, in which only what matters differs."""
import math
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from make_edit_corpus import WORDS, smooth_field

NAMES = """Anna Berger Paul Novak Maria Rossi Erik Lindqvist Olga Petrova Jean Moreau Sofia Costa Tom Baker Leila
Haddad Ivan Horvat Nora Keller Luis Vega""".split()


def words(rng, count):
    return " ".join(rng.choice(WORDS) for _ in range(count))


def handwriting(draw, place, height, letters, rng, ink):
    """Loops and strokes of a pen, as wide as so many letters."""
    x, y = place
    points = []
    for _ in range(letters):
        tall = rng.random() < 0.3
        wide = height * rng.uniform(0.45, 0.7)
        up = height * (rng.uniform(1.3, 1.7) if tall else rng.uniform(0.6, 0.95))
        if rng.random() < 0.12:
            x += height * 0.6  # the next word
        points.append([(x, y), (x + wide * rng.uniform(0, 0.5), y - up), (x + wide * rng.uniform(0.5, 1), y - up * 0.4),
                       (x + wide * rng.uniform(0.2, 0.9), y + height * rng.choice([0, 0, 0, 0.5])), (x + wide, y)])
        x += wide
    for letter in points:
        curve = []
        for t in np.linspace(0, 1, 12):  # a Bezier curve of degree 4
            weights = [math.comb(4, k) * t ** k * (1 - t) ** (4 - k) for k in range(5)]
            curve.append(tuple(sum(w * p[axis] for w, p in zip(weights, letter)) for axis in (0, 1)))
        draw.line(curve, fill=ink, width=max(2, round(height / 8)), joint="curve")


def filled_form(rng):
    """name -> page: one form filled by six people, one of them with another entry, and the blank one."""
    width, height = 850, 1100
    blank = Image.new("RGB", (width, height), (252, 252, 250))
    draw = ImageDraw.Draw(blank)
    small, large = ImageFont.load_default(15), ImageFont.load_default(34)
    draw.text((width // 2, 60), words(rng, 3).title(), fill=(20, 20, 30), font=large, anchor="mm")
    draw.text((60, 95), words(rng, 14).capitalize() + ".", fill=(60, 60, 60), font=small)
    lines = rng.randint(9, 13)
    step = 860 // lines
    boxed = rng.random() < 0.5
    fields = []
    for i in range(lines):
        top = 135 + i * step
        split = rng.random() < 0.4
        for left, right in ([(60, 410), (440, 790)] if split else [(60, 790)]):
            draw.text((left, top), words(rng, 2).capitalize(), fill=(40, 40, 60), font=small)
            bottom = top + step - 10
            if boxed:
                draw.rectangle((left, top + 18, right, bottom), outline=(90, 90, 110))
            else:
                draw.line((left, bottom, right, bottom), fill=(90, 90, 110), width=2)
            fields.append((left + 10, bottom - 7, right - left))
    draw.text((60, 1040), words(rng, 16), fill=(110, 110, 110), font=small)
    size = rng.uniform(0.26, 0.36) * step

    def fill(page, field, hand):
        x, y, room = field
        letters = hand.randint(5, max(6, int(room * 0.85 / (size * 0.6))))
        handwriting(ImageDraw.Draw(page), (x, y), size, min(letters, 26), hand, (25, 35, 120))

    pages = {"blank": blank}
    for person in range(6):
        hand = random.Random(rng.getrandbits(32))
        page = blank.copy()
        for field in fields:
            fill(page, field, hand)
        pages[f"filled {person}"] = page
    # The first once more, with one other entry.
    first = pages["filled 0"].copy()
    x, y, room = rng.choice(fields[2:-1])
    area = (x, int(y - 1.8 * size), x + room - 14, y + 5)
    first.paste(blank.crop(area), area)
    fill(first, (x, y, room), random.Random(rng.getrandbits(32)))
    pages["entry"] = first
    return pages


def screen(rng):
    """Six times one window: a list of mails, or a conversation, light or dark."""
    width, height = rng.choice([(1280, 800), (720, 1280)])
    dark = rng.random() < 0.4
    paper, ink, faint = (((28, 30, 36), (225, 225, 228), (120, 124, 135)) if dark else
                         ((250, 250, 252), (25, 28, 36), (125, 130, 140)))
    accent = tuple(rng.randint(40, 200) for _ in range(3))
    frame = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(frame)
    draw.rectangle((0, 0, width, 64), fill=accent)
    draw.text((24, 32), words(rng, 2).title(), fill="white", font=ImageFont.load_default(28), anchor="lm")
    side = 220 if width > height else 0
    if side:
        draw.rectangle((0, 64, side, height), fill=tuple(int(c * 0.94) if not dark else c + 10 for c in paper))
        for i in range(8):
            draw.text((24, 100 + 44 * i), words(rng, 1).title(), fill=ink, font=ImageFont.load_default(19))
    draw.rectangle((side, height - 70, width, height), fill=tuple(int(c * 0.9) if not dark else c + 18 for c in paper))
    mails = rng.random() < 0.5
    screens = []
    for _ in range(6):
        shown = frame.copy()
        draw = ImageDraw.Draw(shown)
        y = 84
        step = 66
        while y + step < height - 76:
            if mails:
                draw.ellipse((side + 18, y + 6, side + 58, y + 46), fill=accent)
                draw.text((side + 76, y + 4), f"{rng.choice(NAMES)} {rng.choice(NAMES)}", fill=ink,
                          font=ImageFont.load_default(20))
                text = words(rng, 12)
                room = width - side - 100
                while draw.textlength(text, ImageFont.load_default(17)) > room:
                    text = text[:-2]
                draw.text((side + 76, y + 32), text, fill=faint, font=ImageFont.load_default(17))
                draw.line((side, y + step - 4, width, y + step - 4), fill=faint)
            else:
                text = words(rng, rng.randint(2, 7))
                font = ImageFont.load_default(20)
                long = draw.textlength(text, font) + 32
                mine = rng.random() < 0.5
                left = width - 20 - long if mine else side + 20
                draw.rounded_rectangle((left, y, left + long, y + 46), 16,
                                       fill=accent if mine else tuple(c - 25 if not dark else c + 30 for c in paper))
                draw.text((left + 16, y + 23), text, fill="white" if mine else ink, font=font, anchor="lm")
            y += step
        screens.append(shown)
    return screens


def chart(rng):
    """Six curves, or six sets of bars, on one pair of axes."""
    width, height = 800, 560
    paper = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(16)
    draw.text((width // 2, 30), words(rng, 4).title(), fill="black", font=ImageFont.load_default(24), anchor="mm")
    for i in range(7):
        y = 70 + i * 66
        draw.line((80, y, 760, y), fill=(215, 215, 215))
        draw.text((66, y), str((6 - i) * 10), fill=(70, 70, 70), font=font, anchor="rm")
    draw.line((80, 70, 80, 466), fill="black", width=2)
    draw.line((80, 466, 760, 466), fill="black", width=2)
    colour = tuple(rng.randint(20, 190) for _ in range(3))
    bars = rng.random() < 0.5
    charts = []
    for _ in range(6):
        drawn = paper.copy()
        draw = ImageDraw.Draw(drawn)
        level = rng.uniform(20, 40)
        points = []
        for i in range(12 if bars else 35):
            level = min(58, max(3, level + rng.gauss(0, 9 if bars else 4)))
            points.append((80 + (i + 0.5) * 680 / (12 if bars else 35), 466 - level * 6.6))
        if bars:
            for x, y in points:
                draw.rectangle((x - 18, y, x + 18, 465), fill=colour)
        else:
            draw.line(points, fill=colour, width=4)
        charts.append(drawn)
    return charts


def shirt(rng):
    """Six colours of one cut, as a shop shows them: folds, a seam, a label, a soft shadow."""
    width, height = 700, 800
    random_numbers = np.random.default_rng(rng.getrandbits(32))
    mask = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(mask)
    sleeve = rng.randint(240, 420)
    collar = rng.randint(50, 90)
    left = [(350 - collar, 130), (200, 165), (90, 200 + sleeve), (175, 235 + sleeve), (215, 330),
            (rng.randint(195, 215), 700)]
    outline = left + [(700 - x, y) for x, y in reversed(left)]
    draw.polygon(outline, fill=255)
    draw.ellipse((350 - collar, 90, 350 + collar, 130 + collar), fill=0)
    shape = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.2)), dtype=np.float64)[:, :, None] / 255
    folds = (smooth_field(random_numbers, height, width, 90) * 0.08 +
             smooth_field(random_numbers, height, width, 25) * 0.035 + random_numbers.normal(0, 0.012, (height, width)))
    ys, xs = np.mgrid[0:height, 0:width]
    light = (1 + folds - 0.12 * np.abs(xs - 350) / 350)[:, :, None]
    shadow = cv2.GaussianBlur(np.roll(shape, (14, 10), (0, 1)), (0, 0), 18)[:, :, None]
    ground = np.full((height, width, 3), 244.0) - 40 * shadow
    shirts = []
    for colour in [(178, 40, 48), (38, 70, 150), (40, 120, 66), (205, 165, 45), (105, 60, 130), (215, 130, 150)]:
        cloth = np.array(colour, dtype=np.float64) * light
        drawn = Image.fromarray(np.clip(ground * (1 - shape) + cloth * shape, 0, 255).astype(np.uint8))
        draw = ImageDraw.Draw(drawn)
        draw.line((350, 130 + collar, 350, 700), fill=tuple(int(c * 0.75) for c in colour), width=3)
        draw.text((350, 150 + collar), "M", fill="white", font=ImageFont.load_default(18), anchor="mm")
        shirts.append(drawn)
    return shirts
