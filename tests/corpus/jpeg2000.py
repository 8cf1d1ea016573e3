"""JPEG 2000 that libvips 8.14 gets wrong, and that is refused in words; zeros instead of data before an end that is there,
and pictures that are all zeros rightly. Needs imagecodecs, numpy, opj_compress."""
import pathlib
import struct
import subprocess
import tempfile

import imagecodecs
import numpy as np

from corpus import Part

part = Part("jpeg2000")
W, H = 21, 13
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 10, y * 15, (x + y) * 5], -1).astype(np.uint8)


def box(name, content):
    return struct.pack(">I", 8 + len(content)) + name + content


def refuse(name, data, words, source):
    part.add(name, data, "refused unsupported", None, source, words)


whole = imagecodecs.jpeg2k_encode(((x + y) % 16).astype(np.uint8), level=0, reversible=True, codecformat="jp2", bitspersample=8)
at = whole.index(b"jp2h") - 4
end = at + struct.unpack(">I", whole[at:at + 4])[0]
colours = np.random.default_rng(1).integers(0, 256, (16, 3)).astype(np.uint8)
palette = box(b"pclr", struct.pack(">HB3B", 16, 3, 7, 7, 7) + colours.tobytes())
palette += box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3)))
SPOILS = "ISO 15444-1, I.5.3.4; libvips 8.14 makes room for one channel and three are written: it ended by SIGSEGV"
refuse("palette.jp2", whole[:at] + box(b"jp2h", whole[at + 8:end] + palette) + whole[end:], "with a palette", SPOILS)
refuse("palette_misplaced.jp2", whole[:end] + palette + whole[end:], "with a palette", SPOILS)

with tempfile.TemporaryDirectory() as folder:
    source, target = pathlib.Path(folder) / "a.ppm", pathlib.Path(folder) / "a.jp2"
    source.write_bytes(b"P6\n%d %d\n255\n" % (W, H) + rgb.tobytes())
    for name, more in (("offset", ["-d", "5,3"]), ("offset_tiles", ["-d", "5,3", "-t", "16,16"])):
        subprocess.run(["opj_compress", "-i", source, "-o", target, "-n", "2", *more], check=True, capture_output=True)
        refuse(name + ".jp2", target.read_bytes(), "at 5,3",
               "ISO 15444-1, B.2; libvips 8.14 gives other columns and rows at the right and lower edge at each run")


def encoded(pixels, *more):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "a.ppm", pathlib.Path(folder) / "a.j2k"
        source.write_bytes(b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes())
        subprocess.run(["opj_compress", "-i", source, "-o", target, *more], check=True, capture_output=True)
        return target.read_bytes()


def parts_of(stream):
    """The main header, and the tile-parts."""
    at = 2
    while stream[at:at + 2] != b"\xff\x90":
        at += 2 + struct.unpack(">H", stream[at + 2:at + 4])[0]
    head, parts = stream[:at], []
    while stream[at:at + 2] == b"\xff\x90":
        length = struct.unpack(">I", stream[at + 6:at + 10])[0]
        parts.append(stream[at:at + length])
        at += length
    return head, parts


START = 14  # of a tile-part: SOT and SOD
END = b"\xff\xd9"
MADE = "as made: data is lost before an end marker that is there"
noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
head, (tile,) = parts_of(encoded(noise, "-n", "3"))
part.add("all_zeros.j2k", head + tile[:START] + bytes(len(tile) - START) + END, "refused truncated", None, MADE, "zeros")
part.add("half_zeros.j2k", head + tile[:len(tile) // 2] + bytes(len(tile) - len(tile) // 2) + END, "refused truncated", None,
         MADE, "zeros")
part.add("all_zeros_open.j2k", head + tile[:6] + bytes(4) + tile[10:START] + bytes(len(tile) - START) + END,
         "refused truncated", None, MADE + ", in a tile-part that reaches to it", "zeros")
part.add("no_tile.j2k", head + END, "refused malformed", None, "opj_decompress 2.5: Stream too short")
part.add("empty_tile.j2k", head + tile[:6] + struct.pack(">I", START) + tile[10:START] + END, "refused malformed", None,
         "opj_decompress 2.5: Failed to decode tile")
head, tiles = parts_of(encoded(noise, "-t", "8,8", "-n", "2"))
part.add("last_tile_zeros.j2k", head + b"".join(tiles[:-1]) + tiles[-1][:START] + bytes(len(tiles[-1]) - START) + END,
         "refused truncated", None, MADE, "tile-part 4")
part.add("tile_missing.j2k", head + b"".join(tiles[:-1]) + END, "refused malformed", None,
         "opj_decompress 2.5: Failed to decode all used components")
# Grey is what JPEG 2000 takes a picture for where nothing is said: each packet is one zero.
grey = np.full((200, 200, 3), 128, np.uint8)
for name, more in (("one_layer", []), ("ten_layers", ["-r", "100,90,80,70,60,50,40,30,20,10"]), ("precincts", ["-c", "[32,32]"]),
                   ("tiles_precincts", ["-n", "3", "-t", "77,50", "-c", "[32,32]"])):
    part.add(f"grey_{name}.j2k", encoded(grey, *more), "200x200 3 u8", {(0, 0): (128,) * 3, (199, 199): (128,) * 3},
             "arithmetic: as drawn, and nothing is lost", "none")
part.finish()
