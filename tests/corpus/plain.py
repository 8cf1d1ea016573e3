"""One small good picture in each format: what malformed variants are made from. Needs Pillow,
pillow-heif, imagecodecs, OpenEXR, opencv-python-headless and numpy."""
import io
import tempfile

import OpenEXR
import cv2
import imagecodecs
import numpy as np
import pillow_heif
from PIL import Image

from corpus import Part

part = Part("plain")
WIDTH, HEIGHT = 40, 24

# Smooth for lossy formats; for lossless ones with noise, so that the compressed data fills some hundred bytes.
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
smooth = np.stack([x * 6, y * 10, (x + y) * 4], axis=-1).astype(np.uint8)
smooth_grey = (x * 5 + y).astype(np.uint8)
noise = (x * 7919 + y * 104729) ** 2 // 64 % 13
rgb = np.minimum(smooth + np.stack([noise, noise[::-1], noise[:, ::-1]], axis=-1), 255).astype(np.uint8)
grey = rgb[..., 2].copy()
rgba = np.dstack([rgb, 255 - y * 5]).astype(np.uint8)
rgb16 = rgb.astype(np.uint16) * 257 ^ x[..., None].astype(np.uint16)
places = [(0, 0), (39, 0), (7, 3), (20, 12), (0, 23), (39, 23)]


def at(array, tolerance=0, where=places):
    values = {}
    for px, py in where:
        pixel = tuple(np.atleast_1d(array[py, px]).tolist())
        values[px, py] = (pixel, tolerance) if tolerance else pixel
    return values


def pillow(array, kind, mode=None, **options):
    out = io.BytesIO()
    image = Image.fromarray(array, mode) if mode else Image.fromarray(array)
    image.save(out, kind, **options)
    return out.getvalue()


def outcome(bands, sample="u8"):
    return f"{WIDTH}x{HEIGHT} {bands} {sample}"


def lossless(file, data, array, **options):
    bands = 1 if array.ndim == 2 else array.shape[2]
    sample = {"uint8": "u8", "uint16": "u16", "float32": "f32"}[str(array.dtype)]
    part.add(file, data, outcome(bands, sample), at(array), "arithmetic: lossless, as drawn", **options)


def lossy(file, data, array, tolerance, **options):
    bands = 1 if array.ndim == 2 else array.shape[2]
    # Away from the edges, where the drawing has no step.
    where = [(7, 3), (20, 12), (30, 18)]
    part.add(file, data, outcome(bands), at(array, tolerance, where), "arithmetic: lossy, near what was drawn", **options)


lossy("baseline.jpg", pillow(smooth, "JPEG", quality=90), smooth, 8)
lossy("progressive.jpg", pillow(smooth, "JPEG", quality=90, progressive=True), smooth, 8)
lossy("restart.jpg", pillow(smooth, "JPEG", quality=90, restart_marker_blocks=2), smooth, 8)
lossy("grey.jpg", pillow(smooth_grey, "JPEG", quality=90), smooth_grey, 8)
lossless("rgb.png", pillow(rgb, "PNG"), rgb)
lossless("alpha.png", pillow(rgba, "PNG"), rgba)
lossless("16bit.png", imagecodecs.png_encode(rgb16), rgb16)
frames = [Image.fromarray(smooth), Image.fromarray(smooth[::-1].copy())]
lossless("lossless.webp", pillow(rgb, "WEBP", lossless=True), rgb)
lossy("lossy.webp", pillow(smooth, "WEBP", quality=90), smooth, 10)
for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
    lossless(f"{compression}.tif", pillow(rgb, "TIFF", compression=compression), rgb)
lossy("jpeg.tif", pillow(smooth, "TIFF", compression="jpeg"), smooth, 16)
lossless("grey.gif", pillow(grey, "GIF"), np.dstack([grey] * 3))
out = io.BytesIO()
frames[0].quantize(64).save(out, "GIF", save_all=True, append_images=[frames[1].quantize(64)])
# Its second frame has a transparent index, so that the image has alpha.
opaque = np.dstack([smooth, np.full_like(smooth_grey, 255)])
part.add("animated.gif", out.getvalue(), outcome(4), at(opaque, 40, [(7, 3), (20, 12), (30, 18)]),
         "arithmetic: 64 colours, near what was drawn", notes="first of 2 frames")
lossless("lossless.jp2", imagecodecs.jpeg2k_encode(rgb, level=0, reversible=True), rgb)
lossless("lossless.j2k", imagecodecs.jpeg2k_encode(rgb, level=0, reversible=True, codecformat="j2k"), rgb)
lossless("lossless.jxl", imagecodecs.jpegxl_encode(rgb, lossless=True), rgb)
lossy("lossy.avif", pillow(smooth, "AVIF", quality=90), smooth, 12)
pillow_heif.register_heif_opener()
lossy("lossy.heic", pillow(smooth, "HEIF", quality=90), smooth, 12)
lossless("rgb.ppm", pillow(rgb, "PPM"), rgb)
lossless("grey.pgm", pillow(grey, "PPM"), grey)
lossless("text.ppm", b"P3\n40 24\n255\n" + b"\n".join(b" ".join(b"%d" % v for v in row.ravel()) for row in rgb) + b"\n",
         rgb)
lossless("raw.bmp", pillow(rgb, "BMP"), rgb)
lossless("runs.tga", pillow(rgb, "TGA", compression="tga_rle"), rgb)
lossless("rgba.qoi", imagecodecs.qoi_encode(rgba), rgba)
icon = np.resize(rgba, (32, 32, 4))
part.add("png.ico", pillow(icon, "ICO", sizes=[(32, 32)]), "32x32 4 u8", at(icon, 0, [(0, 0), (20, 12), (31, 31)]),
         "arithmetic: lossless, as drawn")
# Linear light, handed out as sRGB encodes it (IEC 61966-2-1); RGBE keeps 8 bits of each.
linear = (smooth / 255.0).astype(np.float32)
encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).round(4)
done, data = cv2.imencode(".hdr", linear[..., ::-1].copy())
assert done
part.add("runs.hdr", data.tobytes(), outcome(3, "f32"), at(encoded, 0.01, [(7, 3), (20, 12), (30, 18)]),
         "arithmetic: sRGB's curve of what was drawn, 8 bits a channel")
# Colours that are half there, and stored so.
veiled = np.dstack([linear * 0.5, np.full_like(linear[..., 0], 0.5)]).astype(np.float32)
with tempfile.NamedTemporaryFile(suffix=".exr") as exr:
    OpenEXR.File({"compression": OpenEXR.PIZ_COMPRESSION}, {"RGBA": veiled}).write(exr.name)
    part.add("veiled.exr", exr.read(), outcome(4, "f32"),
             at(np.dstack([encoded, np.full_like(x, 0.5, float)]), 0.002, [(7, 3), (20, 12), (30, 18)]),
             "arithmetic: what was drawn before it was multiplied by its alpha, as the format wants it")
with tempfile.NamedTemporaryFile(suffix=".exr") as exr:
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, {"RGB": linear}).write(exr.name)
    # libvips' reader makes RGBA of every OpenEXR file, opaque where it has no alpha.
    part.add("zip.exr", exr.read(), outcome(4, "f32"),
             at(np.dstack([encoded, np.ones_like(x)]), 0.001, [(7, 3), (20, 12), (30, 18)]),
             "arithmetic: sRGB's curve of what was drawn")
part.add("rgb.pfm", b"PF\n40 24\n-1.0\n" + linear[::-1].tobytes(), outcome(3, "f32"), at(encoded, 0.001),
         "arithmetic: sRGB's curve of what was drawn")
part.finish()
