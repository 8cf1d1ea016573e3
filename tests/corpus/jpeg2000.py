"""JPEG 2000 that libvips 8.14 gets wrong, and that is refused in words. Needs imagecodecs, numpy, opj_compress."""
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
part.finish()
