"""SGI images of every usual kind, byte by byte after SGI's description of the format. Needs numpy."""
import struct

import numpy as np

from corpus import Part

part = Part("sgi")
W, H = 21, 11
random = np.random.default_rng(3)
# Pairs of equal pixels, so that there are runs.
wide = np.repeat(random.integers(0, 65536, (H, (W + 1) // 2, 4)), 2, axis=1)[:, :W].astype(np.uint16)
narrow = (wide >> 8).astype(np.uint8)
PLACES = [(0, 0), (W - 1, 0), (4, 3), (9, 7), (0, H - 1), (W - 1, H - 1)]
PILLOW, FFMPEG, MAGICK = "Pillow 13", "FFmpeg 5.1", "ImageMagick 6.9.11"
ALL = f"{PILLOW}, {FFMPEG} and {MAGICK}"
NOENDS = f"{FFMPEG} and {MAGICK}"
WIDE = f"{FFMPEG} and {MAGICK}, and Pillow 13 of the upper 8 bits,"


def add(file, data, wanted, source=ALL):
    wanted = np.atleast_3d(wanted)
    part.add(file, data, f"{wanted.shape[1]}x{wanted.shape[0]} {wanted.shape[2]} u{8 * wanted.itemsize}",
             {(x, y): tuple(wanted[y, x].tolist()) for x, y in PLACES}, f"as drawn; {source} say the same", "none")


def refuse(file, data, code, source, notes="-"):
    part.add(file, data, "refused " + code, None, source, notes)


def header(runs, sample_bytes, bands, dimension=None, colormap=0, sides=(W, H)):
    dimension = dimension or (2 if bands == 1 else 3)
    return struct.pack(">HBBHHHHII4x80sI404x", 474, runs, sample_bytes, dimension, *sides, bands, 0, 255 if sample_bytes == 1 else 65535,
                       b"drawn", colormap)


def planes(picture):
    """Rows of each channel, the lowest first."""
    picture = np.atleast_3d(picture)
    return [picture[y, :, band] for band in range(picture.shape[2]) for y in reversed(range(H))]


def raw(picture, **options):
    picture = np.atleast_3d(picture)
    rows = b"".join(row.astype(row.dtype.newbyteorder(">")).tobytes() for row in planes(picture))
    return header(0, picture.itemsize, picture.shape[2], **options) + rows


def coded(row, ends=True):
    """Runs of pairs, and single pixels as they are; 0 ends the row, but FFmpeg writes none."""
    word = ">B" if row.itemsize == 1 else ">H"
    out, x = b"", 0
    while x < len(row):
        if x + 1 < len(row) and row[x] == row[x + 1]:
            out += struct.pack(word, 2) + struct.pack(word, row[x])
            x += 2
        else:
            count = min(3, len(row) - x)
            out += struct.pack(word, 0x80 | count) + b"".join(struct.pack(word, v) for v in row[x:x + count])
            x += count
    return out + struct.pack(word, 0) * ends


def table_and_rows(picture, order=1, shift=0, ends=True):
    """A table of where rows begin, one of their lengths, and the rows, stored in this order; each only once."""
    picture = np.atleast_3d(picture)
    stored = [coded(row[shift:] if shift else row, ends) for row in planes(picture)]
    at = 512 + 8 * len(stored)
    starts, data = {}, b""
    for row in stored[::order]:
        if row not in starts:
            starts[row] = at + len(data)
            data += row
    return b"".join(struct.pack(">I", starts[row]) for row in stored) + b"".join(struct.pack(">I", len(row)) for row in stored), data


def runs(picture, order=1, shift=0, ends=True, **options):
    picture = np.atleast_3d(picture)
    return header(1, picture.itemsize, picture.shape[2], **options) + b"".join(table_and_rows(picture, order, shift, ends))


for kind, make in (("raw", raw), ("runs", runs)):
    for bands, name in ((1, "grey"), (3, "rgb"), (4, "rgba")):
        add(f"{name}_{kind}.sgi", make(narrow[..., :bands]), narrow[..., :bands])
        add(f"{name}16_{kind}.sgi", make(wide[..., :bands]), wide[..., :bands], WIDE)
add("rows_backwards.sgi", runs(narrow, order=-1), narrow)
for bands, name in ((1, "grey"), (3, "rgb")):
    add(f"{name}_runs_without_ends.sgi", runs(narrow[..., :bands], ends=False), narrow[..., :bands], NOENDS)
add("rgb16_runs_without_ends.sgi", runs(wide[..., :3], ends=False), wide[..., :3], NOENDS)
flat = np.broadcast_to(narrow[:1], narrow.shape)
add("one_row_for_all.sgi", runs(flat), flat)
for kind, make in (("raw", raw), ("runs", runs)):
    add(f"grey_of_3_dimensions_{kind}.sgi", make(narrow[..., :1], dimension=3), narrow[..., :1], f"{FFMPEG} and {MAGICK}")

refuse("1_dimension.sgi", raw(narrow[..., :1], dimension=1), "unsupported", f"{FFMPEG} refuses it", "1 dimensions and 1 channels")
refuse("2_dimensions_3_channels.sgi", raw(narrow[..., :3], dimension=2), "unsupported", f"{PILLOW} refuses it", "2 dimensions and 3 channels")
refuse("2_channels.sgi", raw(narrow[..., :2]), "unsupported", f"{PILLOW} and {FFMPEG} refuse it", "2 channels")
refuse("5_channels.sgi", raw(np.dstack([narrow, narrow[..., :1]])), "unsupported", f"{PILLOW} and {FFMPEG} refuse it", "5 channels")
for colormap in (1, 2):
    refuse(f"colormap_{colormap}.sgi", raw(narrow[..., :1], colormap=colormap), "unsupported", f"{MAGICK} refuses it, {PILLOW} does not look",
           "colour map")
refuse("short_rows.sgi", runs(narrow[..., :3], shift=3), "truncated", f"{FFMPEG} refuses it", "ends at pixel 0 of 231")
# The last channel is cut: 231 - 40 pixels have all three.
refuse("rgb_raw_cut.sgi", raw(narrow[..., :3])[:-40], "truncated", f"{PILLOW} and {FFMPEG} refuse it", "ends at pixel 191 of 231")
refuse("rgb16_raw_cut.sgi", raw(wide[..., :3])[:-40], "truncated", f"{FFMPEG} refuses it", "ends at pixel 211 of 231")
refuse("rgb_raw_half.sgi", raw(narrow[..., :3])[:512 + 300], "truncated", f"{PILLOW} and {FFMPEG} refuse it", "ends at pixel 0 of 231")
# The top row of the last channel is the last that is stored.
refuse("rgb_runs_cut.sgi", runs(narrow[..., :3])[:-2], "truncated", f"{PILLOW} and {MAGICK} refuse it", "ends at pixel 210 of 231")
refuse("rgb_runs_zeros.sgi", runs(narrow[..., :3])[:-5] + bytes(5), "truncated", f"{FFMPEG} refuses it", "ends at pixel 210 of 231")
too_long = runs(narrow[..., :1])
refuse("row_too_long.sgi", too_long[:512 + 88] + b"\x7f" + too_long[512 + 89:], "malformed", f"{PILLOW} and {FFMPEG} refuse it")
refuse("claims.sgi", raw(narrow[..., :3], sides=(8000, 8000)), "truncated", "arithmetic: 8000 x 8000 x 3 bytes are not in 1205")
refuse("claims_runs.sgi", runs(narrow[..., :3], sides=(8000, 8000)), "truncated", "arithmetic: a table of 8000 x 3 x 8 bytes is not there")
part.finish()
