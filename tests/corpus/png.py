"""PNG files whose chunks claim more than the file has. Needs nothing but Python."""
import struct
import zlib

from corpus import Part

part = Part("png")


def chunk(name, data, claims=None):
    length = len(data) if claims is None else claims
    return struct.pack(">I", length) + name + data + struct.pack(">I", zlib.crc32(name + data))


header = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0))
picture = chunk(b"IDAT", zlib.compress(b"\0\1\2\3\4" * 4))
text = b"Title\0a text"
refused = "arithmetic: its length is beyond the file's end, so no chunk of the picture can follow it"
for name in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf"):
    part.add(f"claims_{name.decode()}.png", header + chunk(name, text, 900_000_000) + picture, "refused truncated", None,
             refused, notes="claims 900000000 bytes")
part.add("text.png", header + chunk(b"tEXt", text) + picture + chunk(b"IEND", b""), "4x4 1 u8",
         {(0, 0): (1,), (3, 3): (4,)}, "arithmetic: lossless, as drawn")
part.add("claims_behind.png", header + picture + chunk(b"tEXt", text, 900_000_000), "4x4 1 u8",
         {(0, 0): (1,), (3, 3): (4,)}, "arithmetic: lossless; what lies behind the picture is nobody's business")
part.finish()
