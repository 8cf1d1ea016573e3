"""Netpbm's formats beyond the plain ones: comments wherever they may stand, headers that say no number, PAM, and PFM's
scale. Needs nothing but Python."""
import struct

from corpus import Part

part = Part("pnm")
NETPBM = "Netpbm 11.1"
IMAGICK = "ImageMagick 6.9.11"


def grey(*values):
    return {(x, 0): (value,) for x, value in enumerate(values)}


PAIR = b"\x07\xf9"
BOTH = grey(7, 249)
for name, head, readers in (
        ("comments_in_a_row", b"P5\n# a\n# b\n# c\n2 1\n255\n", f"Pillow 13, OpenCV 5 and {NETPBM}"),
        ("comments_apart", b"P5\n# a\n2\n# b\n1\n# c\n255\n", f"Pillow 13, OpenCV 5 and {NETPBM}"),
        ("comment_then_space", b"P5\n# a\n  2 1\n255\n", f"Pillow 13, OpenCV 5 and {NETPBM}"),
        ("comment_ends_in_cr", b"P5\r# a\r2 1\r255\n", f"Pillow 13, OpenCV 5 and {NETPBM}"),
        ("comment_at_number", b"P5\n2#a\n1\n255\n", f"{NETPBM} and {IMAGICK}"),
        ("comment_at_magic", b"P5# a\n2 1\n255\n", f"{NETPBM} and {IMAGICK}"),
        ("comment_for_space", b"P5\n2 1\n255# a\n", f"{NETPBM} and {IMAGICK}: its end is the space behind the maxval"),
        ("comment_long", b"P5\n#" + b"x" * 1000 + b"\n2 1\n255\n", f"Pillow 13, OpenCV 5 and {NETPBM}")):
    part.add(name + ".pgm", head + PAIR, "2x1 1 u8", BOTH, readers, "none")
part.add("hash_is_a_pixel.pgm", b"P5\n2 1\n255\n# ", "2x1 1 u8", grey(35, 32), "Pillow 13, OpenCV 5 and FFmpeg 5.1", "none")
part.add("comments_in_a_row.pbm", b"P4\n# a\n# b\n4 1\n\x50", "4x1 1 u8", grey(255, 0, 255, 0), f"Pillow 13 and {NETPBM}",
         "none")
part.add("comments_text.pbm", b"P1\n# a\n# b\n4 2\n01 # 1\n # 0\n11\n010 1\n", "4x2 1 u8",
         grey(255, 0, 0, 0) | {(0, 1): (255,), (1, 1): (0,), (2, 1): (255,), (3, 1): (0,)},
         f"Pillow 13, OpenCV 5 and {NETPBM}", "none")
part.add("comments_text.pgm", b"P2\n# a\n# b\n4 1\n255\n7 # 8\n# 9\n10 11\n# 12\n13\n", "4x1 1 u8", grey(7, 10, 11, 13),
         f"Pillow 13, OpenCV 5 and {NETPBM}", "none")
part.add("no_last_space.pgm", b"P2\n2 1\n255\n7 249", "2x1 1 u8", BOTH, "Pillow 13 and FFmpeg 5.1", "none")
part.add("comments_text.ppm", b"P3\n# a\n# b\n2 1 # x\n255# 9\n1 2 # 7 8\n# 3\n3 4 5 6\n", "2x1 3 u8",
         {(0, 0): (1, 2, 3), (1, 0): (4, 5, 6)}, f"{NETPBM} and {IMAGICK}", "none")
for name, head in (("maxval_25.5", b"P5\n2 1\n25.5\n"), ("maxval_negative", b"P5\n2 1\n-255\n"), ("width_word", b"P5\nx 1\n255\n"),
                   ("width_plus", b"P5\n+2 1\n255\n")):
    part.add(name + ".pgm", head + PAIR, "refused malformed", None,
             f"the format's manual page: decimal digits; {NETPBM} refuses it")
part.add("number_1.5.pgm", b"P2\n2 1\n255\n1.5 7\n", "refused malformed", None, "the format's manual page: whole numbers")
part.add("number_missing.pgm", b"P2\n2 2\n255\n101 102\n103\n", "refused truncated", None, f"arithmetic; Pillow 13 and {NETPBM} refuse it",
         "in row 1 of 2")
part.add("digit_2.pbm", b"P1\n4 1\n0121\n", "refused malformed", None, f"Pillow 13 and {NETPBM} refuse it")


def pam(name, depth, maxval, kind, body, outcome, pixels, source, notes="none", before=b"", size=(2, 1)):
    head = b"P7\n" + before + b"WIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\n" % (*size, depth, maxval)
    if kind:
        head += b"TUPLTYPE " + kind + b"\n"
    part.add(name + ".pam", head + b"ENDHDR\n" + body, outcome, pixels, source, notes)


THREE = f"{NETPBM}, OpenCV 5 and {IMAGICK}"
pam("grey", 1, 255, b"GRAYSCALE", PAIR, "2x1 1 u8", BOTH, THREE)
pam("grey_alpha", 2, 255, b"GRAYSCALE_ALPHA", b"\x07\xff\xf9\x80", "2x1 2 u8", {(0, 0): (7, 255), (1, 0): (249, 128)}, THREE)
pam("rgb", 3, 255, b"RGB", b"\1\2\3\4\5\6", "2x1 3 u8", {(0, 0): (1, 2, 3), (1, 0): (4, 5, 6)}, THREE)
pam("rgb_alpha", 4, 255, b"RGB_ALPHA", b"\1\2\3\x80\4\5\6\xff", "2x1 4 u8", {(0, 0): (1, 2, 3, 128), (1, 0): (4, 5, 6, 255)},
    THREE)
pam("bits", 1, 1, b"BLACKANDWHITE", b"\0\1\1\0", "4x1 1 u8", grey(0, 255, 255, 0),
    f"{NETPBM}, {IMAGICK} and FFmpeg 5.1: 1 is white", size=(4, 1))
pam("bits_alpha", 2, 1, b"BLACKANDWHITE_ALPHA", b"\0\1\1\0", "2x1 2 u8", {(0, 0): (0, 255), (1, 0): (255, 0)},
    f"{NETPBM} and {IMAGICK}")
pam("grey_1023", 1, 1023, b"GRAYSCALE", struct.pack(">3H", 0, 512, 1023), "3x1 1 u16", grey(0, 32800, 65535),
    f"arithmetic: round(v * 65535 / 1023); {IMAGICK} and FFmpeg 5.1", size=(3, 1))
pam("rgb_7", 3, 7, b"RGB", b"\0\1\2\3\4\7", "2x1 3 u8", {(0, 0): (0, 36, 73), (1, 0): (109, 146, 255)},
    f"arithmetic: round(v * 255 / 7); {IMAGICK}")
pam("rgb_alpha_65535", 4, 65535, b"RGB_ALPHA", struct.pack(">4H", 1, 257, 65535, 32768), "1x1 4 u16",
    {(0, 0): (1, 257, 65535, 32768)}, f"arithmetic; {IMAGICK}", size=(1, 1))
pam("comments", 1, 255, b"GRAYSCALE", PAIR, "2x1 1 u8", BOTH, f"{NETPBM}, OpenCV 5 and FFmpeg 5.1", before=b"# one\n#two\n\n")
pam("without_type_grey", 1, 255, b"", PAIR, "2x1 1 u8", BOTH, f"{NETPBM} and OpenCV 5")
pam("without_type_rgb", 3, 255, b"", b"\1\2\3\4\5\6", "2x1 3 u8", {(0, 0): (1, 2, 3), (1, 0): (4, 5, 6)},
    f"{NETPBM}, OpenCV 5 and {IMAGICK}")
pam("without_type_two", 2, 255, b"", b"\1\2\3\4", "refused unsupported", None, f"OpenCV 5, {IMAGICK} and FFmpeg 5.1 refuse it",
    "without a tuple type")
pam("cmyk", 4, 255, b"CMYK", b"\1\2\3\4\5\6\7\x08", "refused unsupported", None, "no type of the format's manual page; OpenCV 5 refuses it",
    '"CMYK"')
pam("rgb_five", 5, 255, b"RGB", bytes(10), "refused unsupported", None, "OpenCV 5 and FFmpeg 5.1 refuse it", "5 numbers a pixel")
pam("cut", 3, 255, b"RGB", b"\1\2\3\4\5\6" * 2, "refused truncated", None, f"arithmetic: two rows of three; {NETPBM} refuses it",
    "in row 2 of 3", size=(2, 3))
part.add("without_end.pam", b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\n", "refused malformed", None,
         f"{NETPBM} and OpenCV 5 refuse it", "ENDHDR")

LINEAR = struct.pack("<2f", 0.25, 0.5)
ENCODED = {(0, 0): ((0.5371,), 0.0001), (1, 0): ((0.7354,), 0.0001)}
CURVE = "IEC 61966-2-1"
part.add("comments.pfm", b"Pf\n# a\n# b\n2 1\n# c\n-1.0\n" + LINEAR, "2x1 1 f32", ENCODED, f"Pillow 13 and {IMAGICK}; {CURVE}", "none")
part.add("high_byte_first.pfm", b"Pf\n2 1\n1.0\n" + struct.pack(">2f", 0.25, 0.5), "2x1 1 f32", ENCODED,
         f"Pillow 13, OpenCV 5 and {IMAGICK}; {CURVE}", "none")
part.add("scale_2.pfm", b"Pf\n2 1\n-2.0\n" + LINEAR, "2x1 1 f32", ENCODED,
         f"Pillow 13 and libvips 8.14 take its sign alone; OpenCV 5 divides, {IMAGICK} multiplies; {CURVE}", "none")
for name, scale in (("0", b"0"), ("word", b"one"), ("infinite", b"inf")):
    part.add(f"scale_{name}.pfm", b"Pf\n2 1\n" + scale + b"\n" + LINEAR, "refused malformed", None, "Pillow 13 and OpenCV 5 refuse it")
part.add("cut.pfm", b"Pf\n2 2\n-1.0\n" + LINEAR, "refused truncated", None, "arithmetic: one of two rows; Pillow 13 refuses it")
part.finish()
