#!/usr/bin/env python3
"""Draws animations and a TIFF of several pages into frames/, and writes what Pillow reads of them to frames.csv.

The files are put together here block by block, so that each frame has a place, a disposal and a blending of its own;
only WebP's bit streams come from Pillow, and the JPEG XL file from cjxl. Columns of the table: file, frame, milliseconds at which it is
shown and for how long (empty for pages), width, height, and the CRC-32 of its pixels in RGBA, those that are transparent
counted as zero. Made with Pillow 13.0.0:

    python3 tests/golden/make_frame_golden.py
"""

import io
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy
from PIL import Image

HERE = pathlib.Path(__file__).parent
FRAMES = HERE / "frames"
SIZE = (24, 16)  # width, height

# left, top, width, height, colour of the disc, ticks, what becomes of it, whether it is drawn over what is there
NONE, BACKGROUND, PREVIOUS = 0, 1, 2
STEPS = [
    (0, 0, 24, 16, (200, 40, 40), 10, NONE, False),
    (4, 2, 10, 10, (40, 200, 40), 5, BACKGROUND, True),
    (8, 4, 12, 10, (40, 40, 200), 7, PREVIOUS, True),
    (2, 6, 14, 8, (200, 200, 40), 30, NONE, True),
    (10, 0, 14, 16, (40, 200, 200), 1, NONE, False),
    (0, 8, 8, 8, (200, 40, 200), 12, NONE, True),
]


def disc(width, height, colour, alpha=255):
    """A disc on nothing."""
    y, x = numpy.mgrid[0:height, 0:width]
    inside = ((x - width / 2 + 0.5) / (width / 2)) ** 2 + ((y - height / 2 + 0.5) / (height / 2)) ** 2 <= 1
    pixels = numpy.zeros((height, width, 4), numpy.uint8)
    pixels[inside] = (*colour, alpha)
    return pixels


def gif_codes(indices):
    """LZW of 9 bits a code that never grows: a clear code before the table would."""
    bits, have, out = 0, 0, bytearray()
    codes = []
    for i, index in enumerate(indices):
        if i % 100 == 0:
            codes.append(256)
        codes.append(int(index))
    for code in [*codes, 257]:
        bits |= code << have
        have += 9
        while have >= 8:
            out.append(bits & 255)
            bits, have = bits >> 8, have - 8
    if have:
        out.append(bits)
    blocks = b"".join(bytes([len(out[i : i + 255])]) + bytes(out[i : i + 255]) for i in range(0, len(out), 255))
    return b"\x08" + blocks + b"\0"


def gif():
    colours = [(0, 0, 0)] + [step[4] for step in STEPS]
    table = b"".join(bytes(c) for c in colours).ljust(3 * 256, b"\0")
    out = b"GIF89a" + struct.pack("<HHBBB", *SIZE, 0xF7, 0, 0) + table
    out += b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    for number, (left, top, width, height, colour, ticks, disposal, _) in enumerate(STEPS):
        indices = numpy.where(disc(width, height, colour)[..., 3] > 0, number + 1, 0).ravel()
        out += b"\x21\xf9\x04" + struct.pack("<BHBB", (disposal + 1) << 2 | 1, ticks, 0, 0)
        out += b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + gif_codes(indices)
    return out + b";"


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(first_apart, palette=False):
    """@param first_apart: the file's first image is no part of the animation"""
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 8, 3 if palette else 6, 0, 0, 0))
    if palette:
        out += chunk(b"PLTE", b"".join(bytes(c) for c in [(0, 0, 0)] + [step[4] for step in STEPS]))
        out += chunk(b"tRNS", b"\0")
    out += chunk(b"acTL", struct.pack(">II", len(STEPS), 0))

    def rows(number, width, height, colour):
        pixels = disc(width, height, colour)
        if palette:
            pixels = numpy.where(pixels[..., 3:] > 0, number + 1, 0).astype(numpy.uint8)
        return zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))

    if first_apart:
        out += chunk(b"IDAT", rows(5, *SIZE, (90, 90, 90)))
    sequence = 0
    for number, (left, top, width, height, colour, ticks, disposal, over) in enumerate(STEPS):
        place = struct.pack(">IIIIHHBB", width, height, left, top, ticks, 30, disposal, over)
        out += chunk(b"fcTL", struct.pack(">I", sequence) + place)
        data = rows(number, width, height, colour)
        sequence += 1
        if number == 0 and not first_apart:
            out += chunk(b"IDAT", data)
            continue
        # In two pieces, as encoders with a limit on a chunk's size write it.
        for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
            out += chunk(b"fdAT", struct.pack(">I", sequence) + piece)
            sequence += 1
    return out + chunk(b"IEND", b"")


def webp(alpha=255, lossless=True):
    def part(name, data):
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    def number(value):
        return struct.pack("<I", value)[:3]

    body = part(b"VP8X", b"\x12\0\0\0" + number(SIZE[0] - 1) + number(SIZE[1] - 1))
    body += part(b"ANIM", b"\xff\xff\xff\xff\0\0")
    for left, top, width, height, colour, ticks, disposal, over in STEPS:
        held = io.BytesIO()
        Image.fromarray(disc(width, height, colour, alpha)).save(held, "WEBP", lossless=lossless, quality=90, exact=True)
        stream = held.getvalue()[12:]
        if stream.startswith(b"VP8X"):
            stream = stream[18:]
        place = number(left // 2) + number(top // 2) + number(width - 1) + number(height - 1) + number(ticks * 10)
        flags = bytes([(0 if over else 2) | (disposal == BACKGROUND)])
        body += part(b"ANMF", place + flags + stream)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def tiff():
    """Pages that differ in size and kind, compressed by Deflate, and a thumbnail between them that is none."""
    pages = [
        (disc(24, 16, (200, 40, 40))[..., :3], 0),
        (disc(6, 4, (200, 40, 40))[..., :3], 1),  # NewSubfileType: a smaller copy
        (disc(9, 31, (120, 120, 120))[..., :1], 0),
        (disc(40, 6, (40, 40, 200)), 0),
    ]
    out = bytearray(b"II*\0\0\0\0\0")
    link = 4  # where the next directory's offset belongs
    for pixels, kind in pages:
        height, width, samples = pixels.shape
        data = zlib.compress(pixels.tobytes())
        data_at = len(out)
        out += data + b"\0" * (len(data) % 2)
        bits_at = len(out)
        out += struct.pack("<4H", 8, 8, 8, 8)
        tags = [(254, 4, 1, kind), (256, 4, 1, width), (257, 4, 1, height)]
        tags += [(258, 3, samples, 8 if samples == 1 else bits_at), (259, 3, 1, 8), (262, 3, 1, 1 if samples == 1 else 2)]
        tags += [(273, 4, 1, data_at), (277, 3, 1, samples), (278, 4, 1, height), (279, 4, 1, len(data))]
        tags += [(338, 3, 1, 2)] if samples == 4 else []
        struct.pack_into("<I", out, link, len(out))
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        link = len(out)
        out += b"\0\0\0\0"
    return bytes(out)


def jxl(pictures):
    """What libjxl's own program makes of the pictures, without loss; cjxl 0.7 wants frames that fill them."""
    with tempfile.TemporaryDirectory() as folder:
        out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 8, 6, 0, 0, 0))
        out += chunk(b"acTL", struct.pack(">II", len(STEPS), 0))
        for number, (step, picture) in enumerate(zip(STEPS, pictures)):
            rows = b"".join(b"\0" + row.tobytes() for row in picture)
            place = struct.pack(">IIIIIHHBB", 2 * number, *SIZE, 0, 0, step[5], 100, NONE, 0)
            out += chunk(b"fcTL", place)
            data = zlib.compress(rows)
            out += chunk(b"fdAT", struct.pack(">I", 2 * number - 1) + data) if number else chunk(b"IDAT", data)
        whole, made = pathlib.Path(folder) / "whole.png", pathlib.Path(folder) / "made.jxl"
        whole.write_bytes(out + chunk(b"IEND", b""))
        subprocess.run(["cjxl", "--quiet", "-d", "0", whole, made], check=True)
        return made.read_bytes()


def read(name):
    """Milliseconds and pixels of each frame, by Pillow.

    JPEG XL, which Pillow does not read, is what was put into it: the frames of the PNG, at the times of the GIF. What
    follows a frame of an APNG that is to be taken back is the GIF's, too: there Pillow 13 leaves that frame, as the
    W3C's test of it shows (fcTL-dispose-in-region-previous).
    """
    if name == "discs.jxl":
        yield from ((lasts, pixels) for (lasts, _), (_, pixels) in zip(read("discs.gif"), read("discs.png")))
        return
    taken_back = [step[6] for step in STEPS].index(PREVIOUS) + 1
    with Image.open(FRAMES / name) as image:
        for place in range(image.n_frames):
            if (name, place) == ("pages.tif", 1):  # the thumbnail
                continue
            image.seek(place)
            pixels = numpy.array(image.convert("RGBA"))
            if name.endswith("png") and image.n_frames - place == len(STEPS) - taken_back:
                pixels = list(read("discs.gif"))[taken_back][1]
            yield float(image.info.get("duration") or 0), pixels


def main():
    FRAMES.mkdir(exist_ok=True)
    files = {
        "discs.gif": gif(),
        "discs.png": png(first_apart=False),
        "discs_apart.png": png(first_apart=True),
        "discs_palette.png": png(first_apart=False, palette=True),
        "discs.webp": webp(),
        "discs_lossy.webp": webp(alpha=255, lossless=False),
        "discs_glass.webp": webp(alpha=120),
        "pages.tif": tiff(),
    }
    for name, data in files.items():
        (FRAMES / name).write_bytes(data)
    (FRAMES / "discs.jxl").write_bytes(jxl([pixels for _, pixels in read("discs.png")]))
    lines = ["# Made by make_frame_golden.py", "file,frame,at_ms,lasts_ms,width,height,crc"]
    for name in [*files, "discs.jxl"]:
        at = 0.0
        for number, (lasts, pixels) in enumerate(read(name)):
            pixels[pixels[..., 3] == 0] = 0
            times = "," if name == "pages.tif" else f"{at:.3f},{lasts:.3f}"
            height, width, _ = pixels.shape
            lines.append(f"{name},{number},{times},{width},{height},{zlib.crc32(pixels.tobytes()):08x}")
            at += lasts
    (HERE / "frames.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
