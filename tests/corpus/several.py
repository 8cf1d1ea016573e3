"""Files of several pictures, of which one is read and the user is told. Needs Pillow (with AVIF), pillow-heif, tifffile,
imagecodecs, numpy."""
import io

import imagecodecs
import numpy as np
import pillow_heif
import tifffile
from PIL import Image

from corpus import Part

part = Part("several")
WIDTH, HEIGHT = 48, 32
pictures = [np.full((HEIGHT, WIDTH, 3), colour, np.uint8) for colour in ((200, 30, 20), (10, 200, 40), (20, 30, 200))]
images = [Image.fromarray(picture) for picture in pictures]


def add(file, data, notes, source, tolerance=0, which=0, bands=3):
    colour = tuple(pictures[which][0, 0].tolist()) + ((255,) if bands == 4 else ())
    wanted = (colour, tolerance) if tolerance else colour
    part.add(file, data, f"{WIDTH}x{HEIGHT} {bands} u8", {(0, 0): wanted, (40, 20): wanted}, source, notes)


def pillow(kind, **options):
    out = io.BytesIO()
    images[0].save(out, kind, save_all=True, append_images=images[1:], **options)
    return out.getvalue()


SAME = "Pillow 13 counts as many and shows the same one"
add("animated.webp", pillow("WEBP", lossless=True), "first of 3 frames", SAME + ", webpinfo 1.2 too")
add("animated.png", pillow("PNG"), "first of 3 frames", SAME)
add("default_and_animation.png", pillow("PNG", default_image=True), "first of 3 frames",
    "a first picture for readers without animation, and 2 frames (acTL); " + SAME)
add("animated.avif", pillow("AVIF", quality=95), "main one of 3 images", SAME + ", avifdec 0.11 (--info) too", 6)
add("animated.jxl", imagecodecs.jpegxl_encode(np.stack(pictures), lossless=True), "first of 3 frames", "jxlinfo 0.7 counts as many")
add("single.jxl", imagecodecs.jpegxl_encode(pictures[0], lossless=True), "none", "jxlinfo 0.7: no animation")
add("pages.tif", pillow("TIFF"), "first of 3 pages", SAME)
add("pictures.mpo", pillow("MPO", quality=95), "first of 3 images", SAME, 6)
out = io.BytesIO()
with tifffile.TiffWriter(out) as tiff:
    tiff.write(pictures[0], photometric="rgb", subifds=0)
    tiff.write(pictures[1][::2, ::2], photometric="rgb", subfiletype=1)
add("with_thumbnail.tif", out.getvalue(), "none", "a reduced copy is no page (TIFF 6.0, NewSubfileType)")
heif = pillow_heif.HeifFile()
for image in images:
    heif.add_from_pillow(image)
out = io.BytesIO()
heif.save(out, quality=95, primary_index=1)
add("second_is_main.heic", out.getvalue(), "main one of 3 images", "pillow-heif 1.8 and libvips 8.14 show the primary one", 6, 1)
part.finish()
