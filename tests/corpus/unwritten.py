"""Files whose last 40 % were never written, GIFs whose end code comes early, whole files with zeros behind them, and whole ones
that end in much of the same.
Needs numpy, Pillow (with AVIF), imagecodecs, tifffile."""
import io
import struct

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

# GIF data that ends by its end code, of 3 bits as all others: a clear code before each pair of pixels keeps them so.
def blocks(codes):
    number = sum(code << (3 * i) for i, code in enumerate(codes))
    packed = number.to_bytes((3 * len(codes) + 7) // 8, "little")
    return b"".join(bytes([len(packed[i:i + 255])]) + packed[i:i + 255] for i in range(0, len(packed), 255)) + b"\0"


CLEAR, END = 4, 5
colours = np.array([(0, 0, 0), (200, 30, 20), (10, 200, 40), (250, 250, 250)], np.uint8)
index = (x // 3 + y) % 4
pairs = [[CLEAR, *pair] for pair in index.reshape(-1, 2).tolist()]


def image(width, height, codes):
    return b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2" + blocks(codes)


def gif(width, height, *images):
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x81, 0, 0) + colours.tobytes() + b"".join(images) + b"\x3b"


half, all_pairs = sum(pairs[:len(pairs) // 2], []), sum(pairs, [])
EARLY = "Pillow 13 and ImageMagick 6.9.11 refuse it: the image's data ends too early"
part.add("end_code.gif", gif(W, H, image(W, H, half + [END])), "refused truncated", None, EARLY,
         f"GIF data ends after {W * H // 2} of {W * H} pixels")
part.add("end_code_large.gif", gif(8000, 8000, image(8000, 8000, [CLEAR, 0, END])), "refused truncated", None, EARLY,
         "too few for the 8000 x 8000 pixels")
drawn = {place: tuple(colours[index[place[1], place[0]]].tolist()) for place in ((5, 5), (40, 20), (W - 1, H - 1))}
part.add("no_end_code.gif", gif(W, H, image(W, H, all_pairs)), f"{W}x{H} 3 u8", drawn, "as drawn; Pillow 13 and FFmpeg 5.1 say the same", "none")
part.add("end_code_in_second.gif", gif(W, H, image(W, H, all_pairs + [END]), image(W, H, half + [END])), f"{W}x{H} 3 u8", drawn,
         "as drawn: the first image is whole; Pillow 13 and FFmpeg 5.1 say the same", "first of 2 frames")

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
