"""TIFF: extra samples of every kind, headers that claim much, and kinds that are refused in words. Needs numpy, tifffile, imagecodecs."""
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


def encoded(linear, bands=3):
    """Linear light as IEC 61966-2-1 encodes it; alpha as it is."""
    values = np.atleast_3d(linear.astype(np.float64)).copy()
    colour = values[..., :bands]
    colour[:] = np.where(colour <= 0.0031308, colour * 12.92, 1.055 * np.power(colour, 1 / 2.4) - 0.055)
    return values.round(6)


FLOAT = "as drawn, linear light encoded by IEC 61966-2-1; tifffile 2026.3 and ImageMagick 6.9 read the same samples"
for name, kind in (("float16", np.float16), ("float32", np.float32), ("float64", np.float64)):
    samples = floats.astype(kind)
    variants = {"": {}, "_predicted": {"compression": "zlib", "predictor": 3}, "_tiles": {"tile": (16, 16)},
                "_big_endian": {"byteorder": ">"}}
    if kind == np.float32:
        variants = {"": {}}
    for ending, more in variants.items():
        add(name + ending + ".tif", tiff(samples, **more), encoded(samples), FLOAT, "none", 1e-5, "f32")
for kind in (np.float16, np.float64):
    name = f"{np.dtype(kind).name}_planes"
    planes = np.moveaxis(floats.astype(kind), -1, 0)
    for ending, more in (("", {}), ("_tiles", {"tile": (16, 16)}), ("_deflate", {"compression": "zlib", "rowsperstrip": 4})):
        add(name + ending + ".tif", tiff(planes, planarconfig="separate", **more), encoded(floats.astype(kind)), FLOAT,
            "none", 1e-5, "f32")
add("float64_grey.tif", tiff(floats[..., 0], None, "minisblack"), encoded(floats[..., 0], 1), FLOAT, "none", 1e-5, "f32")
# libvips 8.14 takes alpha for a part of 255 here, and gives colours of up to 255.
with_alpha = np.dstack([floats, alpha / 255.0])
for kind in (np.float16, np.float32, np.float64):
    name, tolerance = np.dtype(kind).name, 1e-3 if kind == np.float16 else 1e-5
    times = np.dstack([floats * with_alpha[..., 3:], with_alpha[..., 3:]]).astype(kind)
    add(f"associated_{name}.tif", tiff(times, ["assocalpha"]), encoded(with_alpha), "as drawn, multiplied: arithmetic",
        "none", tolerance, "f32")
    add(f"unassociated_{name}.tif", tiff(with_alpha.astype(kind), ["unassalpha"]), encoded(with_alpha),
        "as drawn: arithmetic", "none", tolerance, "f32")
many = np.tile(rgb, (6, 5, 1))
TILES = "as drawn; Pillow 13, OpenCV 5 and ImageMagick 6.9 say the same"
planes = np.moveaxis(many, -1, 0)
add("planes_in_tiles.tif", tiff(planes, planarconfig="separate", tile=(16, 16)), many, TILES, "none")
add("planes_in_tiles_lzw.tif", tiff(planes, planarconfig="separate", tile=(16, 32), compression="lzw"), many, TILES, "none")
add("planes_in_tiles_16.tif", tiff(planes.astype(np.uint16) * 257, planarconfig="separate", tile=(16, 16)),
    many.astype(int) * 257, "as drawn; OpenCV 5 and ImageMagick 6.9 say the same", "none", depth="u16")
wide_alpha = np.tile(rgba, (6, 5, 1))
add("planes_in_tiles_alpha.tif",
    tiff(np.moveaxis(np.dstack([wide_alpha[..., :3], 0 * wide_alpha[..., 3], wide_alpha[..., 3]]), -1, 0),
         ["unspecified", "unassalpha"], planarconfig="separate", tile=(16, 16)), wide_alpha, DRAWN,
    "of 5 channels the first 3")
whole = tiff(planes, planarconfig="separate", tile=(16, 16), compression="zlib")
refuse("planes_in_tiles_cut.tif", whole[:len(whole) * 7 // 10], "truncated", "Read error", "as drawn: 30 % is cut off")
SAID = "not read here: said in words"
refuse("uint64.tif", tiff(rgb.astype(np.uint64)), "unsupported", "64-bit samples", SAID)
refuse("planes_in_tiles_32.tif",
       tiff(planes.astype(np.uint32), planarconfig="separate", tile=(16, 16)), "unsupported",
       "each channel in a plane of its own", SAID)


def in_one_plane(samples, photometric="minisblack", **more):
    """One channel that says it lies in a plane of its own, which tifffile writes of several only: another tag's number is changed."""
    data = tiff(samples, None, photometric, extratags=[(285, 3, 1, 2, True)], **more)
    order = ">" if data[:2] == b"MM" else "<"
    tag = struct.pack(order + ("HHQ" if data[2:4] in (b"\0+", b"+\0") else "HHI"), 285, 3, 1)
    assert data.count(tag) == 1
    return data.replace(tag, struct.pack(order + "H", 284) + tag[2:])


# With one sample a pixel both of PlanarConfiguration's values mean the same (TIFF 6.0, section 8).
ONE_PLANE = "as drawn; tifffile 2026.3 and libtiff's tiffcp say the same"
one = many[..., 0]
colours = np.random.default_rng(2).integers(0, 256, (3, 256)).astype(np.uint16)
tiles = {"tile": (16, 16)}
add("one_plane_tiles.tif", in_one_plane(one, **tiles), one, ONE_PLANE + ", Pillow 13 too", "none")
add("one_plane_tiles_deflate.tif", in_one_plane(one, compression="zlib", **tiles), one, ONE_PLANE + ", Pillow 13 too", "none")
add("one_plane_tiles_float32.tif", in_one_plane((one / 255).astype(np.float32), **tiles), encoded(one / 255, 1),
    ONE_PLANE + ", linear light encoded by IEC 61966-2-1", "none", 1e-5, "f32")
add("one_plane_tiles_float16.tif", in_one_plane((one / 255).astype(np.float16), **tiles), encoded((one / 255).astype(np.float16), 1),
    ONE_PLANE + ", linear light encoded by IEC 61966-2-1", "none", 1e-5, "f32")
add("one_plane_tiles_16.tif", in_one_plane(one.astype(np.uint16) * 257, byteorder=">", **tiles), one.astype(int) * 257, ONE_PLANE,
    "none", depth="u16")
add("one_plane_tiles_big.tif", in_one_plane(one, byteorder=">", bigtiff=True, **tiles), one, ONE_PLANE, "none")
add("one_plane_tiles_palette.tif", in_one_plane(one, "palette", colormap=colours * 257, **tiles), colours.T[one].astype(np.uint8),
    ONE_PLANE + ", Pillow 13 too", "none")
add("one_plane_tiles_bits.tif", in_one_plane(one > 128, **tiles), (one > 128) * 255,
    "as drawn; tifffile 2026.3 and Pillow 13 say the same", "none")
add("one_plane_strips.tif", in_one_plane(one, compression="lzw", rowsperstrip=4), one, ONE_PLANE + ", Pillow 13 too", "none")


# Grey and what belongs to it, in planes of strips: libvips 8.14 takes one plane's samples for pixels.
PLANES = "as drawn; tifffile 2026.3 and libtiff's tiffcp say the same"
strips = {"planarconfig": "separate", "rowsperstrip": 4}
add("planes_grey_alpha.tif", tiff(np.stack([grey, alpha]), ["unassalpha"], "minisblack", **strips), grey_alpha, PLANES, "none")
add("planes_grey_unspecified_alpha.tif",
    tiff(np.stack([grey, nothing, alpha]), ["unspecified", "unassalpha"], "minisblack", **strips), grey_alpha, PLANES,
    "of 3 channels the first 1 are used")
add("planes_grey_alpha_16.tif",
    tiff(np.stack([grey, alpha]).astype(np.uint16) * 257, ["unassalpha"], "minisblack", compression="lzw", **strips),
    grey_alpha.astype(int) * 257, "as drawn; tifffile 2026.3 says the same", "none", depth="u16")
refuse("planes_white_is_0.tif", tiff(np.stack([grey, alpha]), ["unassalpha"], "miniswhite", **strips), "unsupported",
       "a TIFF of grey with each channel in a plane of its own", SAID)
refuse("planes_lab.tif", tiff(np.moveaxis(rgb, -1, 0), None, "cielab", **strips), "unsupported",
       "a TIFF of Lab with each channel in a plane of its own", SAID)
for name, compression in (("", None), ("_lzw", "lzw")):
    # tifffile writes this photometric for JPEG only.
    data = tiff(rgb, compression=compression, extratags=[(530, 3, 2, (1, 1), True)])
    tag = struct.pack("<HHI", 262, 3, 1)
    refuse(f"ycbcr{name}.tif", data.replace(tag + struct.pack("<H", 2), tag + struct.pack("<H", 6)), "unsupported",
           "a TIFF of YCbCr that is not compressed by JPEG",
           "TIFF 6.0, section 21; Pillow 13 and OpenCV 5 make RGB of it, libvips 8.14 takes the numbers for RGB")
for compression, words in (("jpeg2000", "JPEG 2000"), ("png", "PNG"), ("jpegxl", "JPEG XL")):
    for name, more in (("", {}), ("_tiles", {"tile": (16, 16)})):
        refuse(f"in_{compression}{name}.tif", tiff(rgb, compression=compression, **more), "unsupported",
               "a TIFF compressed by " + words, "libtiff 4.5 has no codec for it: its pixels cannot be had, damaged or not")


def claim(width, height, compression=1, bits=8):
    """A header and two bytes, 132 in all."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, compression), (262, 3, 1), (273, 4, 130), (277, 3, 1),
            (278, 4, height), (279, 4, 2)]
    data = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    for tag, kind, value in tags:
        data += struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
    return (data + struct.pack("<I", 0)).ljust(132, b"\x80")


refuse("cmyk_float.tif", tiff(np.zeros((H, W, 4), np.float32), photometric="separated"), "unsupported", "CMYK in floating point",
       "ImageMagick 6.9.11 alone reads it; libvips 8.14 takes it for 0 to 255: black")
add("tile_beyond_picture.tif", tiff(rgb, tile=(1024, 1024), compression="zlib"), rgb, DRAWN)
LIMIT = "arithmetic: more than the default limit of 2^30 pixels"
refuse("claims_square.tif", claim(2**31 - 1, 2**31 - 1), "limit_exceeded", "pixels are more than the limit", LIMIT)
refuse("claims_wide.tif", claim(262144, 2**27), "limit_exceeded", "pixels are more than the limit", LIMIT)
refuse("claims_tall.tif", claim(1, 2**30), "unsupported", "a side may have at most 10000000",
       "libvips 8.14's VIPS_MAX_COORD")
refuse("claims_some.tif", claim(4000, 3000), "truncated", "too few for a strip or tile of 4000 x 3000",
       "arithmetic: 12,000,000 bytes are not in 132")
refuse("claims_deflate.tif", claim(4000, 3000, 8), "truncated", "too few for a strip or tile",
       "arithmetic: 132 bytes of Deflate (RFC 1951) are at most 1032 times as many")
refuse("claims_32.tif", claim(8000, 8000, bits=32), "truncated", "too few for a strip or tile of 8000 x 8000",
       "arithmetic: 256,000,000 bytes are not in 132")
in_planes = tiff(planes, planarconfig="separate")
for tag, side in ((256, many.shape[1]), (257, many.shape[0]), (278, many.shape[0])):
    for kind, value in ((3, struct.pack("<HH", side, 0)), (4, struct.pack("<I", side))):
        in_planes = in_planes.replace(struct.pack("<HHI", tag, kind, 1) + value, struct.pack("<HHII", tag, 4, 1, 8000))
refuse("claims_planes.tif", in_planes, "truncated", "too few for a strip or tile of 8000 x 8000",
       "arithmetic: planes of 64,000,000 bytes each are not in it")
part.finish()
