"""DDS textures of every usual kind, byte by byte after Microsoft's description of the format. Needs numpy."""
import struct

import numpy as np

from corpus import Part

part = Part("dds")
W, H = 21, 11  # of blocks of 4 x 4: 6 x 3, the last ones cut
random = np.random.default_rng(2)
rgba = random.integers(0, 256, (H, W, 4)).astype(np.uint8)
PLACES = [(0, 0), (W - 1, 0), (4, 3), (9, 7), (0, H - 1), (W - 1, H - 1), (13, 5), (17, 9)]
PILLOW, FFMPEG, MAGICK = "Pillow 13", "FFmpeg 5.1", "ImageMagick 6.9.11"
ALL = f"{PILLOW}, {FFMPEG} and {MAGICK}"


def add(file, data, wanted, source=ALL, tolerance=0, notes="none"):
    wanted = np.atleast_3d(wanted)
    part.add(file, data, f"{wanted.shape[1]}x{wanted.shape[0]} {wanted.shape[2]} u8",
             {(x, y): (tuple(wanted[y, x].tolist()), tolerance) for x, y in PLACES},
             f"as drawn; {source} say the same" + (f" within {tolerance}" if tolerance else ""), notes)


def refuse(file, data, code, source, notes="-"):
    part.add(file, data, "refused " + code, None, source, notes)


# What the pixel format's flags say is there.
ALPHA, FOURCC, PALETTE, RGB, LUMINANCE, NORMAL = 1, 4, 0x20, 0x40, 0x20000, 0x80000000
CUBE, ALL_FACES, VOLUME = 0x200, 0xFC00, 0x200000


def dds(pixels, flags=FOURCC, fourcc=b"", bits=0, masks=(0, 0, 0, 0), mipmaps=0, caps2=0, depth=0, tag=b"", dx10=None, size=124,
        sides=(W, H)):
    """A file; `dx10` is the format by its number, or (number, misc, array)."""
    reserved = (b"\0" * 12 + tag).ljust(44, b"\0")
    if dx10 is not None:
        number, misc, array = dx10 if isinstance(dx10, tuple) else (dx10, 0, 1)
        fourcc = b"DX10"
        pixels = struct.pack("<IIIII", number, 3, misc, array, 0) + pixels
    return (b"DDS " + struct.pack("<IIIIIII", size, 0x1007, sides[1], sides[0], 0, depth, mipmaps) + reserved +
            struct.pack("<II4sI", 32, flags, fourcc, bits) + struct.pack("<IIII", *masks) +
            struct.pack("<IIIII", 0x1000, caps2, 0, 0, 0) + pixels)


BLOCKS = ((H + 3) // 4, (W + 3) // 4)


def colour_of(word):
    return [(word >> 11) * 255 / 31, (word >> 5 & 63) * 255 / 63, (word & 31) * 255 / 31]


def colour_block(opaque):
    """8 bytes, and the 4 x 4 colours with alpha that they stand for. `opaque`: without the kind of 3 colours."""
    a, b = (int(v) for v in random.integers(0, 65536, 2))
    if opaque and a <= b:
        a, b = b + (a == b), a
    return coded_colours(a, b, random.integers(0, 4, (4, 4)), opaque)


def coded_colours(a, b, index, four):
    first, second = np.array(colour_of(a)), np.array(colour_of(b))
    if a > b or four:
        table = [first, second, (2 * first + second) / 3, (first + 2 * second) / 3]
    else:
        table = [first, second, (first + second) / 2, np.zeros(3)]
    clear = (index == 3) & (not (a > b or four))
    colours = np.dstack([np.array(table)[index], np.where(clear, 0, 255)])
    bits = sum(int(v) << (2 * i) for i, v in enumerate(index.ravel()))
    return struct.pack("<HHI", a, b, bits), colours


def value_block():
    """8 bytes of one channel, and the 4 x 4 values that they stand for."""
    a, b = (int(v) for v in random.integers(0, 256, 2))
    table = [a, b] + ([((7 - i) * a + i * b) / 7 for i in range(1, 7)] if a > b else
                      [((5 - i) * a + i * b) / 5 for i in range(1, 5)] + [0, 255])
    index = random.integers(0, 8, (4, 4))
    bits = sum(int(v) << (3 * i) for i, v in enumerate(index.ravel()))
    return struct.pack("<BB", a, b) + struct.pack("<Q", bits)[:6], np.array(table)[index]


def nibble_block():
    values = random.integers(0, 16, (4, 4))
    return struct.pack("<Q", sum(int(v) << (4 * i) for i, v in enumerate(values.ravel()))), values * 17


def texture(block):
    """A texture of blocks, and the picture that they stand for."""
    made = [[block() for _ in range(BLOCKS[1])] for _ in range(BLOCKS[0])]
    picture = np.vstack([np.hstack([np.atleast_3d(pixels) for _, pixels in row]) for row in made])
    return b"".join(data for row in made for data, _ in row), np.floor(picture[:H, :W] + 0.5).astype(int)


def with_alpha(alpha_block):
    alpha, values = alpha_block()
    data, colours = colour_block(True)
    return alpha + data, np.dstack([colours[..., :3], values])


bc1, bc1_seen = texture(lambda: colour_block(False))
bc2, bc2_seen = texture(lambda: with_alpha(nibble_block))
bc3, bc3_seen = texture(lambda: with_alpha(value_block))
bc4, bc4_seen = texture(value_block)
bc5 = texture(value_block)[0] + texture(value_block)[0]
BGRA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
RGBA = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)
bgra = rgba[..., [2, 1, 0, 3]]
bgr = np.ascontiguousarray(bgra[..., :3])
grey = np.ascontiguousarray(rgba[..., 0])
grey_alpha = np.ascontiguousarray(rgba[..., [0, 3]])


def words(bits_of_rgb, pixels):
    """Pixels as words of so many bits each, and what they mean."""
    word = np.zeros(pixels.shape[:2], np.uint16)
    wanted = np.zeros(pixels.shape[:2] + (3,), int)
    shift = sum(bits_of_rgb)
    for band, bits in enumerate(bits_of_rgb):
        shift -= bits
        value = pixels[..., band].astype(int) >> (8 - bits)
        word |= (value << shift).astype(np.uint16)
        wanted[..., band] = (value * 510 + (1 << bits) - 1) // (2 * ((1 << bits) - 1))
    return word.astype("<u2").tobytes(), wanted


RULE = "Microsoft's description of the format"
for code, name, data, seen in ((b"DXT1", "dxt1", bc1, bc1_seen), (b"DXT3", "dxt3", bc2, bc2_seen), (b"DXT5", "dxt5", bc3, bc3_seen)):
    add(f"{name}.dds", dds(data, fourcc=code), seen, tolerance=1)
smaller = bytes(random.integers(0, 256, 64).astype(np.uint8))
add("dxt5_mipmaps.dds", dds(bc3 + smaller, fourcc=b"DXT5", mipmaps=3), bc3_seen, tolerance=1)
add("dxt1_alpha_flag.dds", dds(bc1, FOURCC | ALPHA, fourcc=b"DXT1"), bc1_seen, tolerance=1)
add("dxt1_bits.dds", dds(bc1, fourcc=b"DXT1", bits=32), bc1_seen, tolerance=1)
for code in (b"ATI1", b"BC4U"):
    add(f"{code.decode().lower()}.dds", dds(bc4, fourcc=code), bc4_seen, f"{PILLOW} and {FFMPEG}", tolerance=1)
for name, numbers, data, seen in (("bc1", (70, 71, 72), bc1, bc1_seen), ("bc2", (73, 74, 75), bc2, bc2_seen),
                                  ("bc3", (76, 77, 78), bc3, bc3_seen), ("bc4", (79, 80), bc4, bc4_seen)):
    for number in numbers:
        source = f"{PILLOW} and {FFMPEG}" if number % 3 != 0 or name == "bc4" else f"{FFMPEG} and {RULE}"
        add(f"dx10_{number}_{name}.dds", dds(data, dx10=number), seen, source, tolerance=1)
for number in (27, 28, 29):
    add(f"dx10_{number}.dds", dds(rgba.tobytes(), dx10=number), rgba, f"{PILLOW} and {RULE} (FFmpeg 5.1 takes blue for red): they")
for number in (87, 90, 91):
    add(f"dx10_{number}.dds", dds(bgra.tobytes(), dx10=number), rgba, f"{RULE} and DirectXTex by its names (FFmpeg 5.1 takes blue for red):")
for number in (88, 92, 93):
    add(f"dx10_{number}.dds", dds(bgra.tobytes(), dx10=number), rgba[..., :3], f"{RULE} and DirectXTex by its names (FFmpeg 5.1 takes blue for red):")
add("bgr24.dds", dds(bgr.tobytes(), RGB, bits=24, masks=BGRA[:3] + (0,)), rgba[..., :3])
add("bgrx.dds", dds(bgra.tobytes(), RGB, bits=32, masks=BGRA[:3] + (0,)), rgba[..., :3])
add("bgrx_mask.dds", dds(bgra.tobytes(), RGB, bits=32, masks=BGRA), rgba[..., :3], f"{PILLOW} and {MAGICK}")
add("bgra.dds", dds(bgra.tobytes(), RGB | ALPHA, bits=32, masks=BGRA), rgba)
add("rgbx.dds", dds(rgba.tobytes(), RGB, bits=32, masks=RGBA[:3] + (0,)), rgba[..., :3], f"{PILLOW} and {FFMPEG}")
add("rgba.dds", dds(rgba.tobytes(), RGB | ALPHA, bits=32, masks=RGBA), rgba, f"{PILLOW} and {FFMPEG}")
add("rgba_clear.dds", dds((rgba * np.uint8([1, 1, 1, 0])).tobytes(), RGB | ALPHA, bits=32, masks=RGBA), rgba * [1, 1, 1, 0],
    f"{PILLOW} and {FFMPEG}")
add("grey.dds", dds(grey.tobytes(), LUMINANCE, bits=8, masks=(0xFF, 0, 0, 0)), grey)
add("grey_masks.dds", dds(grey.tobytes(), LUMINANCE, bits=8, masks=(0xFF, 0xFF, 0xFF, 0)), grey, f"{PILLOW} and {MAGICK}")
add("grey_pillow.dds", dds(grey.tobytes(), LUMINANCE, bits=8, masks=(0xFF000000,) * 3 + (0,)), grey, f"{PILLOW} and {MAGICK}")
add("grey_alpha.dds", dds(grey_alpha.tobytes(), LUMINANCE | ALPHA, bits=16, masks=(0xFF, 0, 0, 0xFF00)), grey_alpha,
    f"{PILLOW} and {FFMPEG}")
for bits, name, masks, source in (((5, 6, 5), "565", (0xF800, 0x7E0, 0x1F, 0), ALL), ((5, 5, 5), "555", (0x7C00, 0x3E0, 0x1F, 0), PILLOW)):
    data, wanted = words(bits, rgba)
    add(f"{name}.dds", dds(data, RGB, bits=16, masks=masks), wanted, f"{source}, and FFmpeg 5.1 by its raw numbers:", tolerance=1)
add("dx10_85.dds", dds(words((5, 6, 5), rgba)[0], dx10=85), words((5, 6, 5), rgba)[1], f"{FFMPEG} and {RULE}", tolerance=1)
palette = random.integers(0, 256, (256, 4)).astype(np.uint8)
add("palette.dds", dds(palette.tobytes() + grey.tobytes(), PALETTE, bits=8), palette[grey], f"{PILLOW} and {FFMPEG}")
for sides in ((1, 1), (4, 4), (5, 3)):
    w, h = sides
    count = ((w + 3) // 4) * ((h + 3) // 4)
    blocks = [coded_colours(0x1234 * (i + 3), 0x4321, np.arange(16).reshape(4, 4) % 4, False) for i in range(count)]
    seen = np.hstack([colours for _, colours in blocks])[:h, :w]
    part.add(f"{w}x{h}.dds", dds(b"".join(data for data, _ in blocks), fourcc=b"DXT1", sides=sides), f"{w}x{h} 4 u8",
             {(w - 1, h - 1): (tuple(np.floor(seen[-1, -1] + 0.5).astype(int).tolist()), 1)}, f"as drawn; {ALL} say the same within 1",
             "none")

add("cube.dds", dds(bc3 * 6, fourcc=b"DXT5", caps2=CUBE | ALL_FACES), bc3_seen, tolerance=1, notes="first of 6 images")
add("half_cube.dds", dds(bc3 * 2, fourcc=b"DXT5", caps2=CUBE | 0xC00), bc3_seen, tolerance=1, notes="first of 2 images")
add("volume.dds", dds(bc3 * 4, fourcc=b"DXT5", caps2=VOLUME, depth=4), bc3_seen, tolerance=1, notes="first of 4 images")
add("array.dds", dds(bc3 * 3, dx10=(77, 0, 3)), bc3_seen, f"{PILLOW} and {FFMPEG}", tolerance=1, notes="first of 3 images")
add("cube_array.dds", dds(bc3 * 12, dx10=(77, 4, 2)), bc3_seen, f"{PILLOW} and {FFMPEG}", tolerance=1, notes="first of 12 images")

for code, data in ((b"DXT2", bc2), (b"DXT4", bc3)):
    refuse(f"{code.decode().lower()}.dds", dds(data, fourcc=code), "unsupported", f"{PILLOW} and {MAGICK} refuse it, FFmpeg 5.1 does not",
           "multiplied by their alpha")
for code in (b"ATI2", b"BC5U", b"BC5S"):
    refuse(f"{code.decode().lower()}.dds", dds(bc5, fourcc=code), "unsupported",
           f"{PILLOW} gives blue as 0 or 128, {FFMPEG} makes it out of red and green, and swaps them in ATI2", "two channels")
for number, words_in in ((83, "two channels"), (84, "two channels"), (81, "format 81"), (95, "BC6H"), (98, "BC7"), (99, "BC7"), (30, "format 30"),
                         (11, "format 11"), (61, "format 61"), (2, "format 2 ")):
    refuse(f"dx10_{number}.dds", dds(rgba.tobytes() * 2, dx10=number), "unsupported", f"{PILLOW} or {FFMPEG} refuses it, or they disagree",
           words_in)
for code, words_in in ((b"BC4S", "format BC4S"), (b"RXGB", "format RXGB"), (b"UYVY", "format UYVY"), (struct.pack("<I", 113), "format 113")):
    refuse(f"fourcc_{words_in[7:]}.dds", dds(rgba.tobytes() * 2, fourcc=code), "unsupported", f"{PILLOW} refuses it", words_in)
refuse("normal_map.dds", dds(bc3, FOURCC | NORMAL, fourcc=b"DXT5"), "unsupported", f"{PILLOW} and {FFMPEG} give different colours", "normal map")
refuse("swizzled.dds", dds(bc3, fourcc=b"DXT5", bits=int.from_bytes(b"RxBG", "little")), "unsupported",
       f"{PILLOW} and {FFMPEG} give different colours", "other places")
for tag in (b"AEXP", b"YCG1", b"YCG2"):
    refuse(f"{tag.decode().lower()}.dds", dds(bc3, fourcc=b"DXT5", tag=tag), "unsupported", f"{PILLOW} and {FFMPEG} give different colours",
           tag.decode())
refuse("both.dds", dds(bc3, FOURCC | RGB, fourcc=b"DXT5", bits=32, masks=BGRA), "unsupported", f"{PILLOW} takes it for raw, {FFMPEG} for blocks",
       "says both")
refuse("alpha_without_mask.dds", dds(bgra.tobytes(), RGB | ALPHA, bits=32, masks=BGRA[:3] + (0,)), "unsupported",
       f"{PILLOW} makes it transparent, {FFMPEG} does not", "unusual colour masks and alpha")
refuse("rgb24.dds", dds(np.ascontiguousarray(rgba[..., :3]).tobytes(), RGB, bits=24, masks=RGBA[:3] + (0,)), "unsupported",
       f"{PILLOW} reads it, {FFMPEG} refuses it, {MAGICK} swaps red and blue", "24 bits a pixel with unusual")
refuse("1555.dds", dds(words((5, 5, 5), rgba)[0], RGB | ALPHA, bits=16, masks=(0x7C00, 0x3E0, 0x1F, 0x8000)), "unsupported",
       f"{FFMPEG} ignores the alpha, {PILLOW} does not", "16 bits a pixel with unusual colour masks and alpha")
refuse("red.dds", dds(grey.tobytes(), RGB, bits=8, masks=(0xFF, 0, 0, 0)), "unsupported", f"red in {PILLOW}, grey in {FFMPEG}", "8 bits")
refuse("alpha.dds", dds(grey.tobytes(), 2, bits=8, masks=(0, 0, 0, 0xFF)), "unsupported", f"{PILLOW} and {MAGICK} refuse it", "without colours")
refuse("grey16.dds", dds(rgba.tobytes(), LUMINANCE, bits=16, masks=(0xFFFF, 0, 0, 0)), "unsupported", f"{PILLOW} and {MAGICK} refuse it", "in grey")
refuse("palette_4.dds", dds(bytes(1024) + grey.tobytes(), 8, bits=4), "unsupported", f"{PILLOW} and {MAGICK} refuse it", "without colours")
refuse("palette_cut.dds", dds(bytes(1000), PALETTE, bits=8), "truncated", "arithmetic", "ends at pixel 0 of 231")
refuse("header_size.dds", dds(bc3, fourcc=b"DXT5", size=32), "malformed", f"{ALL} refuse it", "begins as DDS")
refuse("header_cut.dds", dds(b"", fourcc=b"DXT5")[:100], "malformed", f"{ALL} refuse it", "begins as DDS")
refuse("dx10_cut.dds", dds(b"", dx10=77)[:140], "malformed", f"{FFMPEG} refuses it", "begins as DDS")
# 2 rows of blocks and 2 blocks: 8 rows of 21, and 8 pixels of the next one.
refuse("dxt5_cut.dds", dds(bc3[:14 * 16 + 5], fourcc=b"DXT5"), "truncated", "arithmetic", "ends at pixel 176 of 231")
refuse("dxt1_no_data.dds", dds(b"", fourcc=b"DXT1"), "truncated", "arithmetic", "ends at pixel 0 of 231")
refuse("bgra_cut.dds", dds(bgra.tobytes()[:402], RGB | ALPHA, bits=32, masks=BGRA), "truncated", "arithmetic: 402 / 4", "ends at pixel 100 of 231")
refuse("dx10_28_cut.dds", dds(rgba.tobytes()[:402], dx10=28), "truncated", "arithmetic: 402 / 4", "ends at pixel 100 of 231")
refuse("claims.dds", dds(bc3, fourcc=b"DXT5", sides=(8000, 8000)), "truncated", "arithmetic: 8000 x 8000 pixels are not in 416 bytes")
part.finish()
