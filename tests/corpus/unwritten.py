"""Files whose last 40 % were never written, whole ones with zeros behind them, and whole ones that end in much of the same.
Needs numpy, Pillow (with AVIF), imagecodecs, tifffile."""
import io

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from corpus import Part

part = Part("unwritten")
W, H = 64, 48
random = np.random.default_rng(3)
y, x = np.mgrid[0:H, 0:W]
smooth = np.stack([x * 4, y * 5, 128 + 100 * np.sin(x / 6) * np.cos(y / 5)], -1)
picture = (smooth + random.normal(0, 12, (H, W, 3))).clip(0, 255).astype(np.uint8)
flat = picture.copy()
flat[12:] = (200, 180, 160)  # its codes are few, and much alike
black = np.zeros((H, W, 3), np.uint8)


def save(pixels, kind, **more):
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    (image.quantize(32) if kind == "GIF" else image).save(file, kind, **more)
    return file.getvalue()


KINDS = {
    "lossy.webp": lambda p: save(p, "WEBP", quality=80),
    "lossless.webp": lambda p: save(p, "WEBP", lossless=True),
    "a.gif": lambda p: save(p, "GIF"),
    "interlaced.gif": lambda p: save(p, "GIF", interlace=1),
    "a.jp2": lambda p: save(p, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[8]),
    "tiles.j2k": lambda p: save(p, "JPEG2000", no_jp2=True, tile_size=(16, 16)),
    "a.avif": lambda p: save(p, "AVIF", quality=70),
    "a.png": lambda p: save(p, "PNG"),
    "a.jpg": lambda p: save(p, "JPEG", quality=85),
    "progressive.jpg": lambda p: save(p, "JPEG", quality=85, progressive=True),
    "a.jxl": lambda p: imagecodecs.jpegxl_encode(p, lossless=True),
}


def whole(name, data, source):
    wanted = np.array(Image.open(io.BytesIO(data)).convert("RGB")) if not name.endswith("jxl") else \
        imagecodecs.jpegxl_decode(data)
    part.add(name, data, f"{W}x{H} 3 u8",
             {place: (tuple(wanted[place[1], place[0]].tolist()), 8 if name.endswith("avif") else 3) for place in ((5, 5), (40, 20), (W - 1, H - 1))},
             source, "none")


for name, make in KINDS.items():
    data = make(picture)
    kept = len(data) * 6 // 10
    part.add("zeros_" + name, data[:kept] + bytes(len(data) - kept), "refused " + (
        "malformed" if name.endswith("jxl") else "truncated"), None, "as made: 40 % of its bytes are lost", "-")
    whole("behind_" + name, data + bytes(len(data) // 2), "as made: what lies behind the picture is not its own")
    if name not in ("a.png", "a.jpg", "progressive.jpg", "a.jxl"):
        whole("flat_" + name, make(flat), "as made: nothing is lost, Pillow 13 reads it")
        whole("black_" + name, make(black), "as made: nothing is lost, Pillow 13 reads it")

# An animation's first picture is all that is read.
frames = [Image.fromarray(np.roll(picture, i * 9, 1)) for i in range(4)]
file = io.BytesIO()
frames[0].quantize(32).save(file, "GIF", save_all=True, append_images=[f.quantize(32) for f in frames[1:]], duration=100)
data = file.getvalue()
kept = len(data) * 6 // 10
wanted = np.array(Image.open(io.BytesIO(data)).convert("RGBA"))
part.add("zeros_animation.gif", data[:kept] + bytes(len(data) - kept), f"{W}x{H} 4 u8",
         {(40, 20): tuple(wanted[20, 40].tolist())}, "as made: the first picture lies in the first half", "-")

# In TIFF, whose strips say how long they are.
for kind in ("webp", "lerc", "zlib", "zstd", "lzw", "packbits", "jpeg"):
    def tiff(pixels):
        out = io.BytesIO()
        tifffile.imwrite(out, pixels, photometric="rgb", compression=kind, rowsperstrip=H, metadata=None, software=False,
                         compressionargs={"lossless": False, "level": 50} if kind == "webp" else None)
        return out.getvalue()
    for name, pixels in (("flat", flat), ("black", black)):
        wanted = tifffile.imread(io.BytesIO(tiff(pixels)))
        part.add(f"{name}_{kind}.tif", tiff(pixels), f"{W}x{H} 3 u8",
                 {place: (tuple(wanted[place[1], place[0]].tolist()), 3 if kind == "jpeg" else 0)
                  for place in ((5, 5), (40, 20), (W - 1, H - 1))}, "as made: nothing is lost, tifffile 2026.3 reads it", "-")
    if kind != "lerc":
        data = tiff(picture)
        kept = len(data) * 6 // 10
        part.add(f"zeros_{kind}.tif", data[:kept] + bytes(len(data) - kept), "refused truncated", None,
                 "as made: 40 % of its bytes are lost", "never written")
part.finish()
