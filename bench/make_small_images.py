#!/usr/bin/env python3
"""Makes many small images that all differ: grey PNG files of 8x8 blocks of random shades, 1000 a folder.

Usage: make_small_images.py FOLDER COUNT [FIRST]    FIRST is the number of the first image, 0 by default
"""
import os, random, struct, sys, zlib

root, count = sys.argv[1], int(sys.argv[2])
first = int(sys.argv[3]) if len(sys.argv) > 3 else 0


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
end = chunk(b"IEND", b"")
shades = [bytes([value]) * 8 for value in range(256)]
rng = random.Random(1 + first)
for i in range(first, first + count):
    folder = f"{root}/{i // 1000:04d}"
    if i == first or i % 1000 == 0:
        os.makedirs(folder, exist_ok=True)
    blocks = rng.randbytes(64)
    rows = b"".join((b"\0" + b"".join(shades[v] for v in blocks[y * 8 : y * 8 + 8])) * 8 for y in range(8))
    with open(f"{folder}/{i % 1000:03d}.png", "wb") as file:
        file.write(head + chunk(b"IDAT", zlib.compress(rows, 1)) + end)
