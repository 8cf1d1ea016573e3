"""BMP, TGA, ICO and QOI of every usual kind, byte by byte after the formats' descriptions. Needs numpy, Pillow, imagecodecs."""
import io
import struct

import imagecodecs
import numpy as np
from PIL import Image

from corpus import Part

part = Part("stills")
W, H = 21, 11
random = np.random.default_rng(1)
rgb = random.integers(0, 256, (H, W, 3)).astype(np.uint8)
alpha = random.integers(1, 255, (H, W)).astype(np.uint8)
palette = random.integers(0, 256, (256, 3)).astype(np.uint8)
index = random.integers(0, 256, (H, W)).astype(np.uint8)
mask = alpha > 128  # of an icon: set is transparent
bgr, bgra = rgb[..., ::-1], np.dstack([rgb[..., ::-1], alpha])
rgba = np.dstack([rgb, alpha])
clear = np.dstack([rgb, np.zeros_like(alpha)])
PLACES = [(0, 0), (W - 1, 0), (4, 3), (9, 7), (0, H - 1), (W - 1, H - 1)]
ALL = "Pillow 13, FFmpeg 5.1 and ImageMagick 6.9.11"


def add(file, data, wanted, source=ALL, notes="none"):
    wanted = np.atleast_3d(wanted)
    part.add(file, data, f"{wanted.shape[1]}x{wanted.shape[0]} {wanted.shape[2]} u8",
             {(x, y): tuple(wanted[y, x].tolist()) for x, y in PLACES}, f"as drawn; {source} say the same", notes)


def refuse(file, data, code, source, notes="-"):
    part.add(file, data, "refused " + code, None, source, notes)


def words(bits_of_rgb, pixels):
    """Pixels as words of so many bits each, and what they mean."""
    word = np.zeros(pixels.shape[:2], np.uint16)
    wanted = np.zeros_like(pixels)
    shift = sum(bits_of_rgb)
    for band, bits in enumerate(bits_of_rgb):
        shift -= bits
        value = pixels[..., band].astype(int) >> (8 - bits)
        word |= (value << shift).astype(np.uint16)
        wanted[..., band] = (value * 510 + (1 << bits) - 1) // (2 * ((1 << bits) - 1))
    return word.astype("<u2"), wanted


def pad(row):
    return row + b"\0" * (-len(row) % 4)


def bottom_up(row):
    return b"".join(pad(row(y)) for y in reversed(range(H)))


def packed(values, bits):
    text = "".join(format(v, f"0{bits}b") for v in values)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


def colours(count, entry=4):
    return b"".join(bytes(palette[i, ::-1]) + b"\0" * (entry - 3) for i in range(count))


def info(size, bits, compression, data_bytes, height=H, used=0, masks=b""):
    if size == 12:
        return struct.pack("<IHHHH", 12, W, height, 1, bits)
    header = struct.pack("<IiiHHIIiiII", size, W, height, 1, bits, compression, data_bytes, 2835, 2835, used, 0)
    if size == 40:
        return header + masks
    if size == 64:
        return header + b"\0" * 24
    header += masks.ljust(16, b"\0")[:16 if size >= 56 else 12]
    return (header + b"BGRs").ljust(size, b"\0") if size >= 108 else header


def bmp(bits, data, size=40, compression=0, table=b"", **options):
    header = info(size, bits, compression, len(data), **options)
    at = 14 + len(header) + len(table)
    return b"BM" + struct.pack("<IHHI", at + len(data), 0, 0, at) + header + table + data


rows24 = bottom_up(lambda y: bgr[y].tobytes())
add("24.bmp", bmp(24, rows24), rgb)
add("24_top_down.bmp", bmp(24, b"".join(pad(bgr[y].tobytes()) for y in range(H)), height=-H), rgb)
for size, name in ((12, "os2"), (64, "os2v2"), (108, "v4"), (124, "v5")):
    add(f"24_{name}.bmp", bmp(24, rows24, size=size), rgb)
refuse("24_cut.bmp", bmp(24, rows24)[:-200], "truncated", "Pillow 13 refuses it")
rows32 = bottom_up(lambda y: bgra[y].tobytes())
rows32_clear = bottom_up(lambda y: clear[y][:, [2, 1, 0, 3]].tobytes())
BGRA = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
BGRX = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0)
NO_ALPHA = "Pillow 13 and OpenCV 5.0: the fourth byte means nothing without a mask;"
add("32.bmp", bmp(32, rows32), rgb, NO_ALPHA + " they")
add("32_zero.bmp", bmp(32, rows32_clear), rgb)
add("32_v5_rgb.bmp", bmp(32, rows32, size=124, masks=BGRA), rgb, NO_ALPHA + " they, and ImageMagick 6.9.11")
add("32_masks.bmp", bmp(32, rows32, compression=3, masks=BGRX[:12]), rgb)
add("32_v2.bmp", bmp(32, rows32, compression=3, size=52, masks=BGRX), rgb, "Pillow 13 and Windows' description")
add("32_v3_alpha.bmp", bmp(32, rows32, compression=3, size=56, masks=BGRA), rgba)
add("32_v4_alpha.bmp", bmp(32, rows32, compression=3, size=108, masks=BGRA), rgba)
add("32_v5_alpha.bmp", bmp(32, rows32, compression=3, size=124, masks=BGRA), rgba)
add("32_v5_clear.bmp", bmp(32, rows32_clear, compression=3, size=124, masks=BGRA), clear,
    "Pillow 13, OpenCV 5.0 and ImageMagick 6.9.11")
add("32_v5_no_alpha.bmp", bmp(32, rows32, compression=3, size=124, masks=BGRX), rgb, "Pillow 13 and FFmpeg 5.1")
add("32_v5_rgba.bmp", bmp(32, bottom_up(lambda y: rgba[y].tobytes()), compression=3, size=124,
                          masks=struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000)), rgba)
refuse("32_10bit.bmp", bmp(32, rows32, compression=3, masks=struct.pack("<III", 0x3FF00000, 0xFFC00, 0x3FF)), "unsupported",
       "Pillow 13 and FFmpeg 5.1 refuse it")
refuse("32_compression_6.bmp", bmp(32, rows32, compression=6, masks=BGRA), "unsupported",
       "Pillow 13, FFmpeg 5.1 and ImageMagick 6.9.11 refuse it")
for bits, name, masks, options in (
        ((5, 5, 5), "16", None, {}), ((5, 5, 5), "16_555", (0x7C00, 0x3E0, 0x1F), {}),
        ((5, 6, 5), "16_565", (0xF800, 0x7E0, 0x1F), {}), ((5, 6, 5), "16_565_v4", (0xF800, 0x7E0, 0x1F), {"size": 108}),
        ((4, 4, 4), "16_444", (0xF00, 0xF0, 0xF), {})):
    word, wanted = words(bits, rgb)
    stored = bottom_up(lambda y: word[y].tobytes())
    options |= {"compression": 3, "masks": struct.pack("<III", *masks)} if masks else {}
    add(f"{name}.bmp", bmp(16, stored, **options), wanted, "FFmpeg 5.1 within 1, round(v * 255 / 31);")
refuse("16_alpha.bmp", bmp(16, bottom_up(lambda y: words((5, 5, 5), rgb)[0][y].tobytes()), compression=3, size=124,
                           masks=struct.pack("<IIII", 0x7C00, 0x3E0, 0x1F, 0x8000)), "unsupported",
       "Pillow 13 ignores the alpha, ImageMagick 6.9.11 does not")
for bits in (8, 4, 1):
    i = index & ((1 << bits) - 1)
    stored = bottom_up(lambda y: packed(i[y], bits))
    add(f"{bits}.bmp", bmp(bits, stored, table=colours(1 << bits)), palette[i])
    add(f"{bits}_os2.bmp", bmp(bits, stored, size=12, table=colours(1 << bits, 3)), palette[i])
add("8_100.bmp", bmp(8, bottom_up(lambda y: bytes(index[y] % 100)), table=colours(100), used=100), palette[index % 100])
greys = b"".join(bytes([i, i, i, 0]) for i in range(256))
add("8_grey.bmp", bmp(8, bottom_up(lambda y: index[y].tobytes()), table=greys), index, "Pillow 13 and OpenCV 5.0")
bit = index & 1
add("1_black_and_white.bmp", bmp(1, bottom_up(lambda y: packed(bit[y], 1)), table=b"\0\0\0\0\xff\xff\xff\0"), bit * 255)
refuse("2.bmp", bmp(2, bottom_up(lambda y: packed(index[y] & 3, 2)), table=colours(4), used=4), "unsupported",
       "Pillow 13, FFmpeg 5.1 and ImageMagick 6.9.11 refuse it")
END = b"\0\1"
runs8 = b"".join(b"".join(bytes([1, v]) for v in index[y]) + b"\0\0" for y in reversed(range(H)))
absolute8 = b"".join(bytes([0, W]) + index[y].tobytes() + b"\0" * (W % 2) + b"\0\0" for y in reversed(range(H)))
low = index & 15
absolute4 = b"".join(bytes([0, W]) + packed(low[y], 4).ljust((W + 3) // 4 * 2, b"\0") + b"\0\0" for y in reversed(range(H)))
add("rle8.bmp", bmp(8, runs8 + END, compression=1, table=colours(256)), palette[index])
add("rle8_absolute.bmp", bmp(8, absolute8 + END, compression=1, table=colours(256)), palette[index])
add("rle8_no_end.bmp", bmp(8, runs8[:-2], compression=1, table=colours(256)), palette[index], "FFmpeg 5.1 and OpenCV 5.0")
add("rle4_absolute.bmp", bmp(4, absolute4 + END, compression=2, table=colours(16)), palette[low])
two = np.full((H, W), 3)
two[:, 1::2] = 7
add("rle4.bmp", bmp(4, bytes([W, 0x37, 0, 0]) * H + END, compression=2, table=colours(16)), palette[two])
zeros8 = runs8[:len(runs8) // 2].ljust(len(runs8) + 2, b"\0")
refuse("rle8_zeros.bmp", bmp(8, zeros8, compression=1, table=colours(256)), "truncated",
       "the format's description: more ends of rows than rows, and no end mark")
refuse("rle8_cut.bmp", bmp(8, runs8[:100], compression=1, table=colours(256)), "truncated", "Pillow 13 refuses it")


def tga(kind, bits, data, alpha_bits=0, origin=0x20, table=b"", entries=(0, 0, 0), name=b"", footer=False):
    header = struct.pack("<BBBHHBHHHHBB", len(name), 1 if table else 0, kind, *entries, 0, 0, W, H, bits, origin | alpha_bits)
    end = struct.pack("<II", 0, 0) + b"TRUEVISION-XFILE.\0" if footer else b""
    return header + name + table + data + end


for origin, name in ((0, "bottom_left"), (0x10, "bottom_right"), (0x20, "top_left"), (0x30, "top_right")):
    turned = bgr if origin & 0x20 else bgr[::-1]
    turned = turned[:, ::-1] if origin & 0x10 else turned
    add(f"24_{name}.tga", tga(2, 24, np.ascontiguousarray(turned).tobytes(), origin=origin), rgb, "Pillow 13 and FFmpeg 5.1")
add("32.tga", tga(2, 32, bgra.tobytes(), 8, footer=True), rgba)
add("32_no_alpha_bits.tga", tga(2, 32, bgra.tobytes()), rgba)
add("32_clear.tga", tga(2, 32, clear[..., [2, 1, 0, 3]].tobytes(), 8), clear)
word, wanted = words((5, 5, 5), rgb)
add("16.tga", tga(2, 16, word.tobytes()), wanted, "FFmpeg 5.1 within 1, round(v * 255 / 31);")
add("15.tga", tga(2, 15, word.tobytes()), wanted, "FFmpeg 5.1 within 1, round(v * 255 / 31);")
refuse("16_alpha.tga", tga(2, 16, word.tobytes(), 1), "unsupported", "Pillow 13 and ImageMagick 6.9.11 give opposite alphas")
refuse("grey_alpha.tga", tga(3, 16, np.dstack([index, alpha]).tobytes(), 8), "unsupported", "FFmpeg 5.1 takes it for colours")
add("grey.tga", tga(3, 8, index.tobytes()), index)
add("palette.tga", tga(1, 8, index.tobytes(), table=palette[:, ::-1].tobytes(), entries=(0, 256, 24)), palette[index])
add("palette_from_10.tga", tga(1, 8, (index % 100 + 10).astype("u1").tobytes(), table=palette[:100, ::-1].tobytes(),
                               entries=(10, 100, 24)), palette[index % 100], "Pillow 13 and FFmpeg 5.1")
table32 = np.dstack([palette[None, :, ::-1], np.arange(256, dtype="u1")[None, :, None]])
add("palette_alpha.tga", tga(1, 8, index.tobytes(), 8, table=table32.tobytes(), entries=(0, 256, 32)),
    np.dstack([palette[index], index]), "FFmpeg 5.1 and ImageMagick 6.9.11")
add("rle24.tga", tga(10, 24, b"".join(bytes([0x80]) + bgr[y, x].tobytes() for y in range(H) for x in range(W)), name=b"hello",
                     footer=True), rgb)
add("rle32.tga", tga(10, 32, b"".join(bytes([W - 1]) + bgra[y].tobytes() for y in range(H)), 8), rgba)
flat = bgr.reshape(-1, 3)
across = b"".join(bytes([len(flat[i:i + 100]) - 1]) + flat[i:i + 100].tobytes() for i in range(0, len(flat), 100))
add("rle_across_rows.tga", tga(10, 24, across), rgb)
add("rle_grey.tga", tga(11, 8, b"".join(bytes([0x80 | W - 1, 7 * y]) for y in range(H))),
    np.repeat(np.arange(H, dtype="u1")[:, None] * 7, W, 1))
add("rle_palette.tga", tga(9, 8, b"".join(bytes([0, v]) for v in index.ravel()), table=palette[:, ::-1].tobytes(),
                           entries=(0, 256, 24)), palette[index])
refuse("24_cut.tga", tga(2, 24, bgr.tobytes()[:300]), "truncated", "Pillow 13, FFmpeg 5.1 and ImageMagick 6.9.11 refuse it")
refuse("rle_cut.tga", tga(10, 24, across[:500]), "truncated", "Pillow 13 and ImageMagick 6.9.11 refuse it")

for bands, picture in ((3, rgb), (4, rgba)):
    data = imagecodecs.qoi_encode(np.ascontiguousarray(picture))
    add(f"{bands}.qoi", data, picture, "Pillow 13 and FFmpeg 5.1")
    refuse(f"{bands}_cut.qoi", data[:len(data) // 2], "truncated", "Pillow 13 refuses it")
    refuse(f"{bands}_zeros.qoi", data[:len(data) // 2] + b"\0" * (len(data) - len(data) // 2), "truncated",
           "the format's description: the end mark is missing, and pixels are")

def claim(data, at, sides):
    """The same file with other numbers for its sides."""
    return data[:at] + sides + data[at + len(sides):]


CLAIM = "arithmetic: 8000 x 8000 pixels are not in 132 bytes"
claimed = struct.pack("<ii", 8000, 8000)
refuse("claims.bmp", claim(bmp(24, rows24), 18, claimed)[:132], "truncated", CLAIM)
refuse("claims.tga", claim(tga(2, 24, bgr.tobytes()), 12, struct.pack("<HH", 8000, 8000))[:132], "truncated", CLAIM)
refuse("claims_runs.tga", claim(tga(10, 24, across), 12, struct.pack("<HH", 8000, 8000))[:132], "truncated", CLAIM)
refuse("claims.qoi", claim(imagecodecs.qoi_encode(np.ascontiguousarray(rgb)), 4, struct.pack(">II", 8000, 8000))[:132],
       "truncated", CLAIM + ", of which each stands for 62 at most")


def icon(*pictures):
    at = 6 + 16 * len(pictures)
    table, data = struct.pack("<HHH", 0, 1, len(pictures)), b""
    for width, height, bits, picture in pictures:
        table += struct.pack("<BBBBHHII", width, height, 0, 0, 1, bits, len(picture), at + len(data))
        data += picture
    return table + data


mask_rows = bottom_up(lambda y: packed(mask[y].astype(int), 1))
seen = np.where(mask, 0, 255).astype("u1")


def in_icon(bits, data, table=b"", with_mask=True):
    data += mask_rows if with_mask else b""
    return (W, H, bits, info(40, bits, 0, len(data), height=2 * H) + table + data)


add("32.ico", icon(in_icon(32, rows32)), rgba)
add("32_clear.ico", icon(in_icon(32, rows32_clear)), clear, "Pillow 13 and ImageMagick 6.9.11")
add("32_no_mask.ico", icon(in_icon(32, rows32, with_mask=False)), rgba)
add("24.ico", icon(in_icon(24, rows24)), np.dstack([rgb, seen]), "Pillow 13 and ImageMagick 6.9.11")
icon8 = in_icon(8, bottom_up(lambda y: index[y].tobytes()), colours(256))
add("8.ico", icon(icon8), np.dstack([palette[index], seen]), "Pillow 13 and ImageMagick 6.9.11")
add("4.ico", icon(in_icon(4, bottom_up(lambda y: packed(low[y], 4)), colours(16))), np.dstack([palette[low], seen]),
    "Pillow 13 and ImageMagick 6.9.11")
add("1.ico", icon(in_icon(1, bottom_up(lambda y: packed(bit[y], 1)), colours(2))), np.dstack([palette[bit], seen]),
    "Pillow 13 and ImageMagick 6.9.11")
larger = np.tile(rgba, (2, 2, 1))
png = io.BytesIO()
Image.fromarray(larger).save(png, "PNG")
small = in_icon(32, rows32)
add("largest_is_png.ico", icon(small, (2 * W, 2 * H, 32, png.getvalue()), icon8), larger, "Pillow 13", "largest of 3 images")
grey_png = io.BytesIO()
Image.fromarray(index).save(grey_png, "PNG")
add("grey_png.ico", icon((W, H, 8, grey_png.getvalue())), np.dstack([index] * 3 + [np.full_like(index, 255)]), "Pillow 13")
refuse("cut.ico", icon(small)[:-300], "truncated", "Pillow 13 refuses it")
part.finish()
