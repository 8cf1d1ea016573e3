"""TIFF: extra samples of every kind, headers that claim much, and kinds that are refused in words. Needs numpy, tifffile."""
import io
import struct

import numpy as np
import tifffile

from corpus import Part

part = Part("tiff")
H, W = 6, 8
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 30 + 10, y * 40 + 5, (x + y) * 15 + 20], -1).astype(np.uint8)
grey = rgb[..., 0]
alpha = np.where(x < 4, 255, 100).astype(np.uint8)
nothing = np.zeros((H, W), np.uint8)
multiplied = ((rgb.astype(int) * alpha[..., None] + 127) // 255).astype(np.uint8)
PLACES = [(1, 1), (6, 3), (7, 5)]


def tiff(samples, extra=None, photometric="rgb", **more):
    file = io.BytesIO()
    tifffile.imwrite(file, samples, photometric=photometric, extrasamples=extra, metadata=None, software=False, **more)
    return file.getvalue()


def add(name, data, wanted, source, notes="-", tolerance=0, depth="u8"):
    wanted = np.atleast_3d(wanted)
    part.add(name, data, f"{wanted.shape[1]}x{wanted.shape[0]} {wanted.shape[2]} {depth}",
             {(px, py): (tuple(wanted[py, px].tolist()), tolerance) for px, py in PLACES}, source, notes)


PILLOW = "as drawn; Pillow 13 and tifffile 2026.3 (samples) say the same"
DRAWN = "as drawn, after TIFF 6.0's ExtraSamples; tifffile 2026.3 and libvips 8.14 give the same samples"
rgba, grey_alpha = np.dstack([rgb, alpha]), np.dstack([grey, alpha])
# A viewer of "unspecified" has no more to go by than the name: it is not alpha.
add("unspecified.tif", tiff(np.dstack([rgb, nothing]), ["unspecified"]), rgb, PILLOW, "only the first 3 of 4 channels")
add("unassociated.tif", tiff(rgba, ["unassalpha"]), rgba, PILLOW, "none")
# Dividing again what was rounded: 3 units at alpha 100.
add("associated.tif", tiff(np.dstack([multiplied, alpha]), ["assocalpha"]), rgba,
    "as drawn, multiplied; Pillow 13 and ImageMagick 6.9 divide to the same", "none", 2)
add("unspecified_unassociated.tif", tiff(np.dstack([rgb, nothing, alpha]), ["unspecified", "unassalpha"]), rgba, DRAWN,
    "of 5 channels the first 3 are used, and the alpha channel")
add("unspecified_associated.tif", tiff(np.dstack([multiplied, nothing, alpha]), ["unspecified", "assocalpha"]), rgba,
    DRAWN, "of 5 channels the first 3", 2)
add("unassociated_unspecified.tif", tiff(np.dstack([rgb, alpha, nothing]), ["unassalpha", "unspecified"]), rgba, DRAWN,
    "only the first 4 of 5")
add("unspecified_twice.tif", tiff(np.dstack([rgb, nothing, nothing]), ["unspecified"] * 2), rgb, DRAWN,
    "only the first 3 of 5")
add("grey_unspecified.tif", tiff(np.dstack([grey, nothing]), ["unspecified"], "minisblack"), grey, PILLOW,
    "only the first 1 of 2")
add("grey_unassociated.tif", tiff(grey_alpha, ["unassalpha"], "minisblack"), grey_alpha,
    "as drawn; Pillow 13 and libvips 8.14 say the same", "none")
add("grey_unspecified_unassociated.tif",
    tiff(np.dstack([grey, nothing, alpha]), ["unspecified", "unassalpha"], "minisblack"), grey_alpha, DRAWN,
    "of 3 channels the first 1 are used")
add("unassociated_16.tif", tiff(rgba.astype(np.uint16) * 257, ["unassalpha"]), rgba.astype(int) * 257, DRAWN, "none",
    depth="u16")
add("associated_16.tif", tiff(np.dstack([multiplied, alpha]).astype(np.uint16) * 257, ["assocalpha"]),
    rgba.astype(int) * 257, "as drawn, multiplied; ImageMagick 6.9 and libvips 8.14 divide to the same", "none", 2 * 257,
    "u16")
add("planes_in_strips.tif", tiff(np.moveaxis(rgb, -1, 0), planarconfig="separate"), rgb,
    "as drawn; Pillow 13 and OpenCV 5 say the same", "none")


def refuse(name, data, code, words, source):
    part.add(name, data, "refused " + code, None, source, words)


floats = rgb / 255.0
SAID = "readable by ImageMagick 6.9, not by libvips 8.14, which reads here: said in words"
refuse("float16.tif", tiff(floats.astype(np.float16)), "unsupported", "16-bit floating point", SAID)
refuse("float64.tif", tiff(floats), "unsupported", "64-bit floating point", SAID)
refuse("float64_grey.tif", tiff(floats[..., 0], None, "minisblack"), "unsupported", "64-bit floating point", SAID)
refuse("uint64.tif", tiff(rgb.astype(np.uint64)), "unsupported", "64-bit samples", SAID)
refuse("planes_in_tiles.tif",
       tiff(np.moveaxis(np.tile(rgb, (3, 2, 1)), -1, 0), planarconfig="separate", tile=(16, 16)), "unsupported",
       "each channel in a plane of its own", SAID)


def claim(width, height, compression=1):
    """A header and two bytes, 132 in all."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1), (273, 4, 130), (277, 3, 1),
            (278, 4, height), (279, 4, 2)]
    data = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    for tag, kind, value in tags:
        data += struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
    return (data + struct.pack("<I", 0)).ljust(132, b"\x80")


LIMIT = "arithmetic: more than the default limit of 2^30 pixels"
refuse("claims_square.tif", claim(2**31 - 1, 2**31 - 1), "limit_exceeded", "pixels are more than the limit", LIMIT)
refuse("claims_wide.tif", claim(262144, 2**27), "limit_exceeded", "pixels are more than the limit", LIMIT)
refuse("claims_tall.tif", claim(1, 2**30), "unsupported", "a side may have at most 10000000",
       "libvips 8.14's VIPS_MAX_COORD")
refuse("claims_some.tif", claim(4000, 3000), "truncated", "too few for a strip or tile of 4000 x 3000",
       "arithmetic: 12,000,000 bytes are not in 132")
refuse("claims_deflate.tif", claim(4000, 3000, 8), "truncated", "too few for a strip or tile",
       "arithmetic: 132 bytes of Deflate (RFC 1951) are at most 1032 times as many")
part.finish()
