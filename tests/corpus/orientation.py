"""Pictures that lie on their side and say so, in EXIF, in XMP, in a PNG's text, or in two of them that disagree.
Needs Pillow, numpy and exiftool."""
import io
import pathlib
import struct
import subprocess
import tempfile

import numpy as np
from PIL import Image, PngImagePlugin

from corpus import Part

part = Part("orientation")
# Red at the top left, green at the top right, blue at the bottom left.
stored = np.zeros((20, 30, 3), np.uint8)
stored[:8, :8], stored[:8, -8:], stored[-8:, :8] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
image = Image.fromarray(stored)
thumbnail = io.BytesIO()
image.resize((15, 10)).save(thumbnail, "JPEG")

LYING = ("30x20 3 u8", {(2, 2): (250, 0, 0), (27, 2): (0, 250, 0), (2, 17): (0, 0, 250), (27, 17): (0, 0, 0)})
TURNED = ("20x30 3 u8", {(17, 2): (250, 0, 0), (17, 27): (0, 250, 0), (2, 2): (0, 0, 250), (2, 27): (0, 0, 0)})
KINDS = {"jpg": dict(format="JPEG", quality=95, subsampling=0), "png": dict(format="PNG"),
         "webp": dict(format="WEBP", lossless=True), "tif": dict(format="TIFF")}


def tagged(kind, *tags, with_thumbnail=False):
    """`image` as `kind`, with tags by ExifTool."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "a." + kind)
        image.save(file, **KINDS[kind])
        pathlib.Path(folder, "thumbnail").write_bytes(thumbnail.getvalue())
        if with_thumbnail:
            tags += (f"-ThumbnailImage<={folder}/thumbnail",)
        subprocess.run(["exiftool", "-q", "-q", "-n", "-overwrite_original", *tags, file], check=True)
        return file.read_bytes()


def add(file, data, wanted, source):
    outcome, pixels = wanted
    if file.endswith("jpg"):
        pixels = {where: (values, 6) for where, values in pixels.items()}
    part.add(file, data, outcome, pixels, source, "none")


EXIF6, EXIF1, XMP6, XMP1 = "-EXIF:Orientation=6", "-EXIF:Orientation=1", "-XMP-tiff:Orientation=6", "-XMP-tiff:Orientation=1"
for kind in KINDS:
    add(f"both6.{kind}", tagged(kind, EXIF6, XMP6, "-Make=Mill", "-XMP:Title=hello", "-GPSLatitude=10", "-GPSLatitudeRef=N",
                                with_thumbnail=kind != "tif"),
        TURNED, "Pillow 13 and libvips 8.14 (vips autorot) turn it")
    add(f"exif6_xmp1.{kind}", tagged(kind, EXIF6, XMP1), TURNED, "Pillow 13 and libvips 8.14 turn it: EXIF wins")
    add(f"exif1_xmp6.{kind}", tagged(kind, EXIF1, XMP6), LYING, "Pillow 13 and OpenCV 5.0 do not turn it: EXIF wins")
    add(f"xmp6.{kind}", tagged(kind, XMP6), LYING,
        "OpenCV 5.0 and libvips 8.14 do not turn it, nor does a browser; Pillow 13 does")


def exif(orientation):
    return (b"Exif\0\0II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0) +
            struct.pack("<HHI4s", 0x10F, 2, 4, b"Mil\0") + b"\0\0\0\0")


def text_png(key, name, data, itxt=False, compressed=True):
    digits = data.hex()
    lines = "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72))
    text = f"\n{name}\n{len(data):8d}\n{lines}\n"
    info = PngImagePlugin.PngInfo()
    if itxt:
        info.add_itxt(key, text, zip=compressed)
    else:
        info.add_text(key, text, zip=compressed)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


EXIF_KEY = "Raw profile type exif"
add("text_ztxt.png", text_png(EXIF_KEY, "exif", exif(6)), TURNED, "Pillow 13 and ImageMagick 6.9.11 (-auto-orient) turn it")
add("text_plain.png", text_png(EXIF_KEY, "exif", exif(6), compressed=False), TURNED,
    "Pillow 13 and ImageMagick 6.9.11 (-auto-orient) turn it")
add("text_itxt.png", text_png(EXIF_KEY, "exif", exif(6), itxt=True), TURNED, "Pillow 13 turns it, ExifTool 12.57 reads 6")
add("text_app1.png", text_png("Raw profile type APP1", "APP1", exif(6)), TURNED, "ExifTool 12.57 reads 6 there")
add("text_bare.png", text_png(EXIF_KEY, "exif", exif(6)[6:]), TURNED, "Pillow 13 turns it, ExifTool 12.57 reads 6")
short = f"\nexif\n{100:8d}\n{exif(6).hex()[:60]}\n"
info = PngImagePlugin.PngInfo()
info.add_text(EXIF_KEY, short)
out = io.BytesIO()
image.save(out, "PNG", pnginfo=info)
add("text_short.png", out.getvalue(), LYING, "fewer digits than it says: no EXIF; OpenCV 5.0 and libvips 8.14 do not turn it")


def late(png):
    """`png` with its EXIF behind the pixels, as ImageMagick writes it."""
    chunks, at = [], 8
    while at < len(png):
        end = at + 12 + struct.unpack(">I", png[at:at + 4])[0]
        chunks.append(png[at:end])
        at = end
    exifs = [chunk for chunk in chunks if chunk[4:8] in (b"eXIf", b"zTXt")]
    return png[:8] + b"".join([chunk for chunk in chunks[:-1] if chunk not in exifs] + exifs + chunks[-1:])


add("exif_late.png", late(tagged("png", EXIF6)), TURNED, "Pillow 13 (once it is loaded) turns it, ExifTool 12.57 reads 6")
add("text_late.png", late(text_png(EXIF_KEY, "exif", exif(6))), TURNED,
    "Pillow 13 (once it is loaded) and ImageMagick 6.9.11 (-auto-orient) turn it")
part.finish()
