"""JPEG: what libjpeg warns of though nothing is lost, what it warns of since rows are lost, and CMYK. Needs Pillow, numpy, OpenCV."""
import io

import cv2
import numpy as np
from PIL import Image

from corpus import Part

part = Part("jpeg")
W, H = 48, 40
y, x = np.mgrid[0:H, 0:W]
picture = np.stack([x * 5, y * 6, 128 + 60 * np.sin(x / 5) * np.cos(y / 7)], -1).clip(0, 255).astype(np.uint8)
PLACES = [(0, 0), (20, 13), (W - 1, H - 1)]


def jpeg(image, **more):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, **more)
    return file.getvalue()


def segments(data):
    """(marker, offset, bytes) of each segment up to the first scan."""
    at = 2
    while True:
        length = int.from_bytes(data[at + 2:at + 4], "big") + 2
        yield data[at + 1], at, length
        if data[at + 1] == 0xDA:
            return
        at += length


def with_scan_numbers(data, numbers):
    _, at, length = list(segments(data))[-1]
    return data[:at + length - 3] + bytes(numbers) + data[at + length:]


def without(data, marker):
    for found, at, length in segments(data):
        if found == marker:
            return data[:at] + data[at + length:]
    raise ValueError(marker)


def patched(data, marker, offset, value):
    for found, at, _ in segments(data):
        if found == marker:
            return data[:at + offset] + value + data[at + offset + len(value):]
    raise ValueError(marker)


def add(name, data, original, notes="none", words="what is changed means nothing to a decoder"):
    wanted = np.array(Image.open(io.BytesIO(original)).convert("RGB"))
    for reader in (np.array(Image.open(io.BytesIO(data)).convert("RGB")),
                   cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]):
        assert np.abs(reader.astype(int) - wanted).max() <= 2, name
    part.add(name, data, f"{W}x{H} 3 u8", {(px, py): (tuple(wanted[py, px].tolist()), 2) for px, py in PLACES},
             f"{words}: Pillow 13 and OpenCV 5 read it as the file without", notes)


def refuse(name, data, code, words, source):
    part.add(name, data, "refused " + code, None, source, words)


plain = jpeg(Image.fromarray(picture))
restart = jpeg(Image.fromarray(picture), restart_marker_blocks=3)
progressive = jpeg(Image.fromarray(picture), progressive=True)
samsung = with_scan_numbers(plain, (0, 0, 0))
add("scan_0_0_0.jpg", samsung, plain, words="Ss, Se, Ah, Al of a baseline scan are to be 0, 63, 0, 0 (T.81, B.2.3), phones write 0")
add("scan_0_0_0_restart.jpg", with_scan_numbers(restart, (0, 0, 0)), restart)
add("scan_1_5_0x21.jpg", with_scan_numbers(plain, (1, 5, 0x21)), plain)
add("jfif_major_9.jpg", patched(plain, 0xE0, 9, b"\x09"), plain)
adobe = plain[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x09" + plain[2:]
add("adobe_transform_9.jpg", without(adobe, 0xE0), plain, words="an unknown transform is taken for YCbCr")
add("bytes_before_end.jpg", plain[:-2] + b"\x12\x34\x56\xff\xd9", plain)
add("bytes_before_end_progressive.jpg", progressive[:-2] + b"\x12\x34\x56\xff\xd9", progressive)
add("bytes_behind_end.jpg", plain + bytes(500), plain)
add("zeros_before_end.jpg", plain[:-2] + bytes(500) + b"\xff\xd9", plain)

# In a scan with restart markers, bytes too many are the only sign of a part that was garbled.
marker = restart.index(b"\xff\xd0")
LOST = "libjpeg-turbo 2.1.5 and FFmpeg 5.1 both warn of damaged data"
refuse("bytes_before_restart.jpg", restart[:marker] + b"\x12\x34\x56\x78" + restart[marker:], "malformed", "garbled", LOST)
refuse("restart_missing.jpg", restart[:marker] + restart[marker + 2:], "malformed", "garbled", LOST)
scan = sum(list(segments(plain))[-1][1:])
# Sixteen 1 bits are no code (T.81, C.2: the code of 1 bits only is never used).
refuse("bad_code.jpg", plain[:scan + 100] + b"\xff\0" * 6 + plain[scan + 112:], "malformed", "garbled",
       "arithmetic: no Huffman code has 1 bits only")
refuse("samsung_cut.jpg", samsung[:len(samsung) * 9 // 10], "truncated", "JPEG data ends at row",
       "cut: also where the scan's numbers are passed over")

# Zeros decode as whole blocks where code 00 is that of no change, so that all rows come out of a part of the data.
busy = np.random.default_rng(0)
y, x = np.mgrid[0:64, 0:96]
noisy = np.stack([128 + 80 * np.sin(x / 9) + 30 * np.cos(y / 7), 128 + 70 * np.sin((x + y) / 13),
                  128 + 60 * np.cos(x / 11 - y / 5)], -1) + busy.normal(0, 9, (64, 96, 3))
noisy = jpeg(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)), subsampling=0)
part_there = len(noisy) * 45 // 100
refuse("zeros_instead_of_rows.jpg", noisy[:part_there] + bytes(len(noisy) - part_there), "truncated", "has no end",
       "arithmetic: more than half of the data was never written")
refuse("zeros_instead_of_rows_ended.jpg", noisy[:part_there] + bytes(600) + noisy[part_there + 600:], "malformed",
       "left over after the last row", "arithmetic: 600 bytes of the data were never written")

# Zeros before an end marker: padding; flat rows, where the tables' first codes say "no change" and "end of block"; or rows
# that were never written, of which libjpeg does not warn where a block of zeros is shorter than the real ones are.
AS_MADE = "as made: nothing is lost, Pillow 13 reads it"
noise = busy.integers(0, 256, (48, 48, 3)).astype(np.uint8)
grey_below = np.full((768, 64), 255, np.uint8)
grey_below[:16, :48] = noise[:16, :, 0]
for name, image, more in (("standard", noise, {}), ("restart", noise, {"restart_marker_rows": 2}),
                          ("progressive", noise, {"progressive": True}), ("optimised", noise, {"optimize": True}),
                          ("flat", grey_below, {"optimize": True})):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=85, **more)
    data = file.getvalue()
    height, width = image.shape[:2]
    bands = 1 if image.ndim == 2 else 3
    wanted = np.array(Image.open(io.BytesIO(data)))
    pixels = {place: (tuple(np.atleast_1d(wanted[place[1], place[0]]).tolist()), 2)
              for place in ((3, 3), (40, 12), (width - 1, height - 1))}
    part.add(f"ended_{name}.jpg", data, f"{width}x{height} {bands} u8", pixels, AS_MADE, "none")
    if name == "flat":
        assert bytes(64) in data  # of its rows
    else:
        part.add(f"padded_{name}.jpg", data[:-2] + bytes(300) + data[-2:], f"{width}x{height} {bands} u8", pixels,
                 AS_MADE + "; zeros before the end mean nothing", "none")
    kept = len(data) * 45 // 100
    lost = data[:kept] + bytes((len(data) - 2 - kept) + (500 if name == "flat" else 0)) + data[-2:]
    part.add(f"unwritten_{name}.jpg", lost, "refused " + ("malformed" if name == "restart" else "truncated"), None,
             "arithmetic: the last part of the data was never written, its end marker was",
             "-" if name == "restart" else "zeros")

ink = Image.fromarray(np.dstack([picture, np.full((H, W), 20, np.uint8)]), "CMYK")
cmyk = jpeg(ink)
bare = without(cmyk, 0xEE)
for name, data, notes in (("cmyk_adobe.jpg", cmyk, "none"),
                          ("cmyk_bare.jpg", bare, "CMYK without an Adobe marker: taken as inverted")):
    # Through libvips' CMYK profile: near enough to tell it from its negative.
    wanted = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    part.add(name, data, f"{W}x{H} 3 u8", {(2, 2): ((235, 230, 100), 60), (2, 38): ((230, 20, 100), 80)},
             "inverted, as Pillow 13, OpenCV 5, ImageMagick 6.9, FFmpeg 5.1 and libvips 8.14 read it", notes)
    print(name, wanted[2, 2], wanted[38, 2])
part.finish()
