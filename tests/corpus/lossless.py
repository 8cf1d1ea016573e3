"""JPEG XL and AVIF of one picture, lossless and nearly so: exact_* give back what was drawn, lossy_* do not, and untold_*
do so without a header that could be found. Needs cjxl and djxl 0.7, avifenc 0.11, ffmpeg."""
import pathlib
import struct
import subprocess
import tempfile
import zlib

from corpus import Part

W, H = 40, 24
PLACES = [(0, 0), (39, 0), (7, 3), (20, 12), (30, 18), (0, 23), (39, 23)]
noise = [(i * 2654435761 >> 13) & 15 for i in range(4 * W * H)]


def drawn(bands, deep=False):
    """Ramps with some noise: {(x, y): values}."""
    picture = {}
    for y in range(H):
        for x in range(W):
            values = [(6 * x, 10 * y, 3 * x + 5 * y, 255 - 4 * x)[band] for band in range(bands)]
            values = [min(value + noise[4 * (y * W + x) + band], 255) for band, value in enumerate(values)]
            picture[x, y] = tuple(value * 257 + (7 * x + band) % 100 if deep and value < 250 else value * (257 if deep else 1)
                                  for band, value in enumerate(values))
    return picture


def png(picture):
    bands = len(picture[0, 0])
    deep = max(max(values) for values in picture.values()) > 255

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    width, height = max(picture)[0] + 1, max(picture)[1] + 1
    rows = b"".join(b"\0" + b"".join(struct.pack(">H" if deep else "B", value) for x in range(width) for value in picture[x, y])
                    for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 16 if deep else 8, {1: 0, 3: 2, 4: 6}[bands], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def run(data, kind, target, *command):
    """What a program makes of a file that holds `data`."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = pathlib.Path(folder, "a" + kind), pathlib.Path(folder, "b" + target)
        source.write_bytes(data)
        places = {"IN": source, "OUT": made}
        subprocess.run([places.get(word, word) for word in command], check=True, capture_output=True)
        return made.read_bytes()


def jxl(data, *options, kind=".png"):
    return run(data, kind, ".jxl", "cjxl", "IN", "OUT", *options)


def avif(data, *options):
    return run(data, ".png", ".avif", "avifenc", "-j", "1", "-s", "9", *options, "IN", "OUT")


part = Part("lossless")
rgb, rgba, grey, deep = drawn(3), drawn(4), drawn(1), drawn(3, deep=True)


def add(name, data, picture, tolerance):
    # libheif gives grey as RGB.
    bands = 3 if len(picture[0, 0]) == 1 and name.endswith(".avif") else 1
    shown = {place: picture[place] * bands for place in PLACES}
    part.add(name, data, f"{W}x{H} {len(shown[0, 0])} {'u16' if picture is deep else 'u8'}",
             {place: (values, tolerance) for place, values in shown.items()},
             "arithmetic: " + ("as drawn" if tolerance == 0 else "near what was drawn"))


LOSSLESS = ["-d", "0"]
add("exact_rgb.jxl", jxl(png(rgb), *LOSSLESS), rgb, 0)
add("exact_boxes.jxl", jxl(png(rgb), *LOSSLESS, "--container=1"), rgb, 0)
add("exact_fast.jxl", jxl(png(rgb), *LOSSLESS, "-e", "1"), rgb, 0)
add("exact_slow.jxl", jxl(png(rgb), *LOSSLESS, "-e", "9"), rgb, 0)
add("exact_progressive.jxl", jxl(png(rgb), *LOSSLESS, "-p"), rgb, 0)
add("exact_alpha.jxl", jxl(png(rgba), *LOSSLESS), rgba, 0)
add("exact_grey.jxl", jxl(png(grey), *LOSSLESS), grey, 0)
add("exact_16.jxl", jxl(png(deep), *LOSSLESS), deep, 0)  # in several boxes, since it needs level 10
add("lossy_dct.jxl", jxl(png(rgb), "-d", "1"), rgb, 40)
add("lossy_modular.jxl", jxl(png(rgb), "-d", "1", "-m", "1"), rgb, 60)
add("lossy_alpha.jxl", jxl(png(rgba), "-d", "1"), rgba, 60)
jpeg = run(png(rgb), ".png", ".jpg", "ffmpeg", "-i", "IN", "-q:v", "2", "OUT")
add("lossy_of_jpeg.jxl", jxl(jpeg, kind=".jpg"), rgb, 60)
# A gamma that has no name: djxl writes its profile, and cjxl keeps that.
gamma = run(jxl(png(rgb), *LOSSLESS, "-x", "color_space=RGB_D65_SRG_Rel_g0.51"), ".jxl", ".png", "djxl", "IN", "OUT")


def srgb(value):
    linear = (value / 255) ** (1 / 0.51)
    return round(255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055))


part.add("untold_profile.jxl", jxl(gamma, *LOSSLESS), f"{W}x{H} 3 u8",
         {place: (tuple(srgb(value) for value in rgb[place]), 3) for place in PLACES}, "arithmetic: gamma 0.51 as sRGB")

QUANTISERS_0 = ["--min", "0", "--max", "0", "--minalpha", "0", "--maxalpha", "0"]
RGB = ["--cicp", "1/13/0"]
add("exact_rgb.avif", avif(png(rgb), "-l"), rgb, 0)
add("exact_alpha.avif", avif(png(rgba), "-l"), rgba, 0)
add("exact_grey.avif", avif(png(grey), "-l", "-y", "400"), grey, 0)
add("exact_screen.avif", avif(png(rgb), "-l", "-a", "tune-content=screen", "-a", "enable-qm=1"), rgb, 0)
add("exact_full_header.avif", run(png(rgb), ".png", ".avif", "ffmpeg", "-i", "IN", "-pix_fmt", "gbrp", "-c:v", "libaom-av1",
                                  "-crf", "0", "-aom-params", "lossless=1", "OUT"), rgb, 0)
add("lossy_rgb.avif", avif(png(rgb), "--min", "1", "--max", "1", *RGB), rgb, 20)
add("lossy_matrix.avif", avif(png(rgb), *QUANTISERS_0, "--cicp", "1/13/6"), rgb, 4)
add("lossy_420.avif", avif(png(rgb), *QUANTISERS_0, "--cicp", "1/13/6", "-y", "420"), rgb, 30)
add("lossy_alpha_only.avif", avif(png(rgba), "--min", "0", "--max", "0", *RGB, "--minalpha", "20", "--maxalpha", "20"), rgba, 40)
wide = png({(x, y): (17, 99, 200) for y in range(64) for x in range(128)})
for name, options in (("exact_grid.avif", ["-l"]), ("lossy_grid.avif", ["--min", "9", "--max", "9", *RGB])):
    part.add(name, avif(wide, *options, "-g", "2x1"), "128x64 3 u8", {(5, 5): ((17, 99, 200), 6 if "lossy" in name else 0)},
             "arithmetic: one colour, as drawn")
part.finish()
