"""TIFF whose samples do not fill bytes: 10, 12 and 14 bits as microscopes and cameras store them, and other depths. Needs nothing
but Python."""
import struct
import zlib

from corpus import Part

part = Part("tiff_bits")
W, H = 7, 3
DEFLATE, NONE = 8, 1


def packed(numbers, bits):
    """A row: the highest bit first, filled up to whole bytes."""
    value = 0
    for number in numbers:
        value = value << bits | number
    length = (len(numbers) * bits + 7) // 8
    return (value << (length * 8 - len(numbers) * bits)).to_bytes(length, "big")


def tiff(rows, bits, samples=1, photometric=1, compression=NONE, order="<", extra=None, planes=False, reverse=False):
    """`rows`: numbers, pixel by pixel. Strips of two rows."""
    strips = []
    for plane in range(samples if planes else 1):
        own = [row[plane::samples] for row in rows] if planes else rows
        for first in range(0, len(rows), 2):
            data = b"".join(packed(row, bits) for row in own[first:first + 2])
            if reverse:
                data = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
            strips.append(zlib.compress(data) if compression == DEFLATE else data)
    entries = [(256, 3, [len(rows[0]) // samples]), (257, 3, [len(rows)]), (258, 3, [bits] * samples), (259, 3, [compression]),
               (262, 3, [photometric]), (273, 4, None), (277, 3, [samples]), (278, 3, [2]),
               (279, 4, [len(strip) for strip in strips]), (284, 3, [2 if planes else 1])]
    if reverse:
        entries.append((266, 3, [2]))
    if extra is not None:
        entries.append((338, 3, [extra]))
    entries.sort()
    at = 8
    offsets = []
    for strip in strips:
        offsets.append(at)
        at += len(strip)
    at += at % 2
    directory, more = b"", b""
    more_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, values in entries:
        values = offsets if values is None else values
        raw = struct.pack(order + ("H" if kind == 3 else "I") * len(values), *values)
        directory += struct.pack(order + "HHI", tag, kind, len(values))
        if len(raw) <= 4:
            directory += raw.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", more_at + len(more))
            more += raw
    data = b"".join(strips)
    data += b"\0" * (len(data) % 2)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", at) + data + struct.pack(order + "H", len(entries)) + directory + bytes(4) + more


def drawn(bits, samples=1):
    white = (1 << bits) - 1
    return [[(y * 977 + i * 331) * (i + 3) % (white + 1) if i > 1 else white * (i % 2) for i in range(W * samples)]
            for y in range(H)]


def add(name, bits, samples=1, source="OpenCV 5 and tifffile 2026.3 say the same", **more):
    rows = drawn(bits, samples)
    white = (1 << bits) - 1
    full = 255 if bits < 8 else 65535

    def scaled(v):
        return (2 * v * full + white) // (2 * white)
    wanted = {(x, y): tuple(scaled(rows[y][x * samples + s]) for s in range(samples))
              for x, y in ((0, 0), (1, 0), (3, 1), (W - 1, H - 1))}
    part.add(name + ".tif", tiff(rows, bits, samples, **more), f"{W}x{H} {samples} {'u8' if bits < 8 else 'u16'}", wanted,
             f"arithmetic: round(v * {full} / {white}), white is white; {source}", "none")


for bits in (10, 12, 14):
    add(f"grey_{bits}", bits)
    add(f"grey_{bits}_deflate", bits, compression=DEFLATE)
    add(f"rgb_{bits}", bits, 3, photometric=2)
add("grey_12_high_byte_first", 12, order=">")
add("grey_12_low_bit_first", 12, reverse=True, source="tifffile 2026.3 and ImageMagick 6.9.11 say the same")
add("grey_12_alpha", 12, 2, extra=2, source="tifffile 2026.3 says the same")
add("rgb_12_planes", 12, 3, photometric=2, planes=True, source="ImageMagick 6.9.11 and tifffile 2026.3 say the same")
add("rgba_14", 14, 4, photometric=2, extra=2)
for bits in (6, 9, 15):
    add(f"grey_{bits}", bits, source="ImageMagick 6.9.11 and tifffile 2026.3 say the same")
part.add("white_is_0_12.tif", tiff(drawn(12), 12, photometric=0), "refused unsupported", None,
         "TIFF 6.0 makes 0 white; OpenCV 5, ImageMagick 6.9.11 and FFmpeg 5.1 make it black", "12-bit")
cut = tiff(drawn(12), 12)
at = cut.index(struct.pack("<HHI", 257, 3, 1)) + 8  # its height: more rows than there are strips
part.add("cut_12.tif", cut[:at] + struct.pack("<H", 200) + cut[at + 2:], "refused truncated", None,
         "arithmetic: two strips of two rows are not 200 rows")
part.finish()
