"""Samples that do not fill their type, in every format that has such: white must come out white, and what lies between
in its place. Needs imagecodecs, pillow-heif and numpy."""
import imagecodecs
import numpy as np
import pillow_heif

from corpus import Part

part = Part("depth")


def scaled(value, white, full):
    """round(value * full / white), half up, and nothing above white."""
    return min((2 * value * full + white) // (2 * white), full)


def pnm(file, magic, maxval, values, bands=1, readers="Pillow 13 and ImageMagick 6.9.11"):
    head = f"{magic}\n# drawn\n{len(values) // bands} 1\n{maxval}\n".encode()
    if magic in ("P2", "P3"):
        body = (" ".join(map(str, values)) + "\n").encode()
    else:
        body = np.array(values, ">u2" if maxval > 255 else "u1").tobytes()
    full, kind = (255, "u8") if maxval <= 255 else (65535, "u16")
    wanted = [scaled(v, maxval, full) for v in values]
    count = len(values) // bands
    part.add(file, head + body, f"{count}x1 {bands} {kind}",
             {(x, 0): tuple(wanted[x * bands:(x + 1) * bands]) for x in range(count)},
             f"arithmetic: round(v * {full} / {maxval}); {readers} say the same", "none")


pnm("p5_100.pgm", "P5", 100, [0, 1, 50, 99, 100])
pnm("p5_1.pgm", "P5", 1, [0, 1, 1, 0])
pnm("p5_256.pgm", "P5", 256, [0, 1, 128, 255, 256])
pnm("p5_1023.pgm", "P5", 1023, [0, 1, 511, 512, 1023])
pnm("p5_65535.pgm", "P5", 65535, [0, 1, 257, 32768, 65535])
pnm("p6_7.ppm", "P6", 7, [0, 1, 5, 7, 6, 3], 3)
pnm("p6_4095.ppm", "P6", 4095, [0, 1, 50, 100, 4095, 3], 3, "ffmpeg 5.1 and ImageMagick 6.9.11")
pnm("p2_15.pgm", "P2", 15, [0, 1, 7, 15])
pnm("p2_1023.pgm", "P2", 1023, [0, 1, 7, 1023])
pnm("p3_15.ppm", "P3", 15, [0, 1, 7, 15, 14, 3], 3)
pnm("p3_1000.ppm", "P3", 1000, [0, 1, 7, 1000, 14, 3], 3, "ffmpeg 5.1 and ImageMagick 6.9.11")
pnm("p2_above_maxval.pgm", "P2", 15, [0, 1, 16, 200], 1, "OpenCV 5.0 and ImageMagick 6.9.11")
part.add("p2_beyond.pgm", b"P2\n4 1\n100000\n0 1 50000 100000\n", "refused unsupported", None,
         "the format's manual page: at most 65535; Pillow 13 refuses it")
bits = {(0, 0): (255,), (1, 0): (0,), (2, 0): (255,), (3, 0): (0,)}
part.add("p4.pbm", b"P4\n4 1\n\x50", "4x1 1 u8", bits, "Pillow 13 and ffmpeg 5.1: a set bit is black", "none")
part.add("p1.pbm", b"P1\n4 1\n0 1 0 1\n", "4x1 1 u8", bits, "Pillow 13 and ffmpeg 5.1: a set bit is black", "none")
part.add("p1_no_spaces.pbm", b"P1\n# drawn\n4 2\n01011\n010\n", "4x2 1 u8",
         bits | {(0, 1): (0,), (1, 1): (255,), (2, 1): (0,), (3, 1): (255,)},
         "Pillow 13, OpenCV 5.0 and ImageMagick 6.9.11; pnmtoplainpnm writes no spaces", "none")
part.add("side_too_long.pgm", b"P5\n20000000 1\n255\nabcd", "refused unsupported", None,
         "libvips 8.14's VIPS_MAX_COORD: no output of such a side can be written", "a side may have at most")
part.add("sides_beyond_limit.pfm", b"Pf\n2147483647 2147483647\n-1\nabcd", "refused limit_exceeded", None,
         "arithmetic: more than the default limit of 2^30 pixels", "more than the limit")
part.add("maxval_0.pgm", b"P5\n2 1\n0\n\x07\xf9", "refused malformed", None, "the format's manual page: at least 1")
part.add("p4_cut.pbm", b"P4\n# drawn\n16 4\n\x50\x51\x52\x53\x54", "refused truncated", None,
         "arithmetic: 5 bytes are not the 8 of four rows; Pillow 13 and FFmpeg 5.1 refuse it")
part.add("p1_cut.pbm", b"P1\n4 2\n01011\n", "refused truncated", None, "Pillow 13 and FFmpeg 5.1 refuse it")
# Linear light, encoded as sRGB; the bottom row comes first.
floats = np.array([[0.0, 0.25], [0.5, 1.0]], "<f4")
srgb = np.where(floats <= 0.0031308, floats * 12.92, 1.055 * floats ** (1 / 2.4) - 0.055)
part.add("bottom_up.pfm", b"Pf\n2 2\n-1.0\n" + floats.tobytes(), "2x2 1 f32",
         {(x, y): ((round(float(srgb[1 - y, x]), 5),), 0.0001) for x in range(2) for y in range(2)},
         "Pillow 13, OpenCV 5.0 and ImageMagick 6.9.11: the first row in the file is the lowest; IEC 61966-2-1", "none")

# Sixteen even steps from black to white, 4 pixels wide each.
for depth in (4, 10, 12):
    white = (1 << depth) - 1
    full, kind, stored_as = (255, "u8", "u1") if depth < 8 else (65535, "u16", "u2")
    steps = [white * i // 15 for i in range(16)]
    grey = np.tile(np.repeat(np.array(steps, stored_as), 4), (64, 1))
    rgb = np.dstack([grey] * 3)
    rule = f"arithmetic: round(v * {full} / {white})"
    for name, bands, picture in (("grey", 1, grey), ("rgb", 3, rgb)):
        wanted = {(4 * i + 1, 5): (scaled(steps[i], white, full),) * bands for i in (0, 1, 7, 14, 15)}
        part.add(f"{name}_{depth}.jp2",
                 imagecodecs.jpeg2k_encode(picture, level=0, reversible=True, codecformat="jp2", bitspersample=depth),
                 f"64x64 {bands} {kind}", wanted, rule + " of what opj_decompress 2.5 gives", "none")
        # imagecodecs calls 16-bit JPEG XL linear light.
        if depth == 4:
            part.add(f"{name}_{depth}.jxl", imagecodecs.jpegxl_encode(picture, lossless=True, bitspersample=depth),
                     f"64x64 {bands} {kind}", wanted, rule + " of what djxl 0.7 gives", "none")
    if depth < 8:
        continue

    def near(tolerance):
        return {(4 * i + 1, 5): ((scaled(steps[i], white, full),) * 3, 0 if i in (0, 15) else tolerance)
                for i in (0, 1, 7, 15)}
    part.add(f"rgb_{depth}.avif", imagecodecs.avif_encode(rgb, level=100, bitspersample=depth), "64x64 3 u16", near(80),
             "libavif 0.11 (avifdec -d 16) and imagecodecs 2026: white is 65535 of 65535, " + rule, "none")
    pillow_heif.options.SAVE_HDR_TO_12_BIT = depth == 12
    heif = pillow_heif.from_bytes(mode="RGB;16", size=(64, 64),
                                  data=((rgb.astype("u4") * 65535 + white // 2) // white).astype("<u2").tobytes())
    out = part.folder / "written.heic"
    heif.save(out, quality=-1)
    data = out.read_bytes()
    out.unlink()
    part.add(f"rgb_{depth}.heic", data, "64x64 3 u16", near(200), "near lossless: white is white; " + rule, "none")
signed = np.tile(np.arange(64, dtype="i2") * 100 - 750, (64, 1))
part.add("signed.jp2", imagecodecs.jpeg2k_encode(signed, level=0, reversible=True), "refused unsupported", None,
         "signed numbers have no white")
part.finish()
