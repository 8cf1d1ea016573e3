#!/usr/bin/env python3
"""Makes pillow_photos.tsv: what Pillow decodes the test photos to, for the decode contract's golden test.

Usage: IMGMILL_TEST_ASSETS=... python3 make_pillow_checksums.py > pillow_photos.tsv
Columns: path below photos/, width, height, CRC-32 of the 8-bit RGB bytes, CRC-32 of convert("L").
Pillow applies no ICC profile: compare with ReadOptions::keep_profile. 16-bit grey files are left out (Pillow clips them).
"""
import os
import sys
import zlib

import PIL
from PIL import Image, features

root = os.path.join(os.environ["IMGMILL_TEST_ASSETS"], "photos")
print(f"# Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}")
for folder, _, names in sorted(os.walk(root)):
    for name in sorted(names):
        path = os.path.join(folder, name)
        try:
            image = Image.open(path)
            image.load()
        except Exception as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        if image.mode not in ("L", "RGB", "RGBA", "P", "LA", "1"):
            print(f"{path}: {image.mode} left out", file=sys.stderr)
            continue
        if image.getexif().get(0x0112, 1) != 1:
            continue
        crc = [zlib.crc32(image.convert(mode).tobytes()) for mode in ("RGB", "L")]
        print(os.path.relpath(path, root), *image.size, *(f"{c:08x}" for c in crc), sep="\t")
