"""Radiance files: headers as other programs write them, and those that libvips would read wrongly. Needs nothing but
Python."""
from corpus import Part

part = Part("radiance")
# Two rows of two pixels, flat: mantissas and a common exponent, of 2^(e - 136).
PIXELS = bytes([128, 64, 32, 129, 128, 128, 128, 128, 64, 64, 64, 128, 255, 128, 128, 128])


def srgb(linear):
    return round(linear * 12.92 if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055, 5)


DRAWN = {(x, y): (tuple(srgb(v * 2.0 ** (e - 136)) for v in (r, g, b)), 0.005) for x, y, (r, g, b, e) in
         ((0, 0, PIXELS[0:4]), (1, 0, PIXELS[4:8]), (0, 1, PIXELS[8:12]), (1, 1, PIXELS[12:16]))}
BOTH = "OpenCV 5 and ImageMagick 6.9.11; sRGB's curve of what was drawn"
RGBE = b"FORMAT=32-bit_rle_rgbe\n"
XYZE = b"FORMAT=32-bit_rle_xyze\n"
SIDES = b"-Y 2 +X 2\n"
FORMAT = "Radiance's \"File Formats\""


def read(name, header, source=BOTH, sides=SIDES):
    part.add(name + ".hdr", header + sides + PIXELS, "2x2 3 f32", DRAWN, source, "none")


def refused(name, header, notes, sides=SIDES, code="unsupported", source=FORMAT):
    part.add(name + ".hdr", header + sides + PIXELS, f"refused {code}", None, source, notes)


FIRST = b"#?RADIANCE\n"
read("plain", FIRST + RGBE + b"\n")
read("rgbe", b"#?RGBE\n" + RGBE + b"\n")
read("comment_names_xyze", FIRST + RGBE + b"# was FORMAT=32-bit_rle_xyze\n\n")
read("variable_names_xyze", FIRST + RGBE + b"CAMERA=FORMAT=32-bit_rle_xyze\n\n", FORMAT + ": a variable stands at the beginning of its line")
read("comment_long", FIRST + RGBE + b"# " + b"x" * 700 + b"\n\n", FORMAT + ": a comment is of any length; sRGB's curve of what was drawn")
read("two_spaces", FIRST + RGBE + b"\n", sides=b"-Y  2 +X 2\n")
read("primaries", FIRST + RGBE + b"PRIMARIES=0.64 0.33 0.29 0.60 0.15 0.06 0.3127 0.329\n\n")
read("windows_lines", (FIRST + RGBE + b"\n").replace(b"\n", b"\r\n"),
     "libvips 8.14, and arithmetic: its header means what it does with other ends of lines", b"-Y 2 +X 2\r\n")
for first in (b"RADIANCE", b"RGBE"):
    named = b"#?" + first + b"\n"
    name = first.decode().lower()
    refused("xyze_" + name, named + XYZE + b"\n", "XYZE")
    for sides in (b"+Y 2 +X 2", b"-Y 2 -X 2", b"+X 2 -Y 2"):
        word = sides.decode().replace("+", "plus_").replace("-", "minus_").replace(" 2", "").replace(" ", "_").lower()
        refused(f"{word}_{name}", named + RGBE + b"\n", "from left to right", sides + b"\n")
refused("xyze_space", FIRST + XYZE.replace(b"=", b"= ") + b"\n", "XYZE")
refused("xyze_windows_lines", (FIRST + XYZE + b"\n").replace(b"\n", b"\r\n"), "XYZE", b"-Y 2 +X 2\r\n")
refused("plus_y_windows_lines", (FIRST + RGBE + b"\n").replace(b"\n", b"\r\n"), "from left to right", b"+Y 2 +X 2\r\n")
# Longer than the 64 KiB that a reader may look at at first, but of few bytes in a repository.
refused("xyze_behind_comment", FIRST + b"# " + b"x" * 66000 + b"\n" + XYZE + b"\n", "XYZE")
refused("format_unknown", FIRST + b"FORMAT=32-bit_rle_hsve\n\n", "32-bit_rle_hsve")
refused("sides_missing", FIRST + RGBE + b"\n", "line of its sides", b"", "malformed")
refused("header_without_end", FIRST + RGBE, "does not end", b"", "malformed")
part.finish()
