"""AVIF that libheif 1.15 shows otherwise than it is meant, refused in words, and its nearest kin, which is read. Needs
avifenc 0.11, numpy, Pillow."""
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

from corpus import Part

part = Part("avif")
y, x = np.mgrid[0:64, 0:128]
grey = np.where(x < 40, 0, np.where(x < 80, 128, 255)).astype(np.uint8)
rgba = np.dstack([grey, 255 - grey, np.full_like(grey, 60), np.where(y < 32, 255, 100)]).astype(np.uint8)
PLACES = [(5, 5), (60, 40), (120, 60)]


def avif(pixels, *options):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "a.png"), pathlib.Path(folder, "a.avif")
        Image.fromarray(pixels).save(source)
        subprocess.run(["avifenc", "-j", "1", "-s", "8", "--min", "0", "--max", "0", *options, source, target], check=True,
                       capture_output=True)
        return target.read_bytes()


def refuse(name, data, words, source):
    part.add(name, data, "refused unsupported", None, source, words)


def add(name, data, wanted, tolerance, source):
    part.add(name, data, f"128x64 {wanted.shape[2]} u8", {(px, py): (tuple(wanted[py, px].tolist()), tolerance)
                                                          for px, py in PLACES}, source, "none")


LIMITED = "readers disagree: Pillow 13 gives 0 and 255 as drawn, avifdec 0.11 and libheif 1.15 16 and 235"
SAME = "as drawn; Pillow 13 says the same"
for name, more in (("", []), ("_10", ["-d", "10"]), ("_grid", ["--grid", "2x1"])):
    refuse(f"grey_limited{name}.avif", avif(grey, "-y", "400", "-r", "limited", *more), "a grey AVIF of limited range", LIMITED)


def unsaid(data):
    """Without the box that tells the range: the stream's own header still does."""
    at = data.index(b"colrnclx")
    return data[:at] + b"free" + data[at + 4:]


for name, more in (("", []), ("_10", ["-d", "10"]), ("_grid", ["--grid", "2x1"])):
    refuse(f"grey_limited_unsaid{name}.avif", unsaid(avif(grey, "-y", "400", "-r", "limited", *more)),
           "a grey AVIF of limited range",
           "FFmpeg 5.1 calls its range tv; Pillow 13 gives 0 and 255 as drawn, avifdec 0.11 and OpenCV 5 16 and 235")
add("grey_full_unsaid.avif", unsaid(avif(grey, "-y", "400")), np.dstack([grey] * 3), 1, "as drawn; Pillow 13 and FFmpeg 5.1 say the same")
add("grey_full.avif", avif(grey, "-y", "400"), np.dstack([grey] * 3), 1, SAME)
# Colours that are stored as RGB, without a matrix.
RGB = ["-y", "444", "--cicp", "1/13/0"]
refuse("rgb_limited.avif", avif(rgba[..., :3], *RGB, "-r", "limited"), "an AVIF of RGB of limited range",
       "avifdec 0.11 and Pillow 13 give the colours as drawn, libheif 1.15 those between 16 and 235")
add("rgb_full.avif", avif(rgba[..., :3], *RGB, "-r", "full"), rgba[..., :3], 0, SAME)
# Its alpha is grey, its colours are limited: neither is both.
add("rgba_limited.avif", avif(rgba, "-y", "444", "-r", "limited"), rgba, 3, SAME)
refuse("multiplied.avif", avif(rgba, "-y", "444", "-p"), "multiplied by its alpha",
       "MIAF's (ISO 23000-22) reference prem; Pillow 13 divides the colours, libheif 1.15 leaves them")
part.finish()
