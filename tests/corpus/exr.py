"""OpenEXR headers that claim more than the file has, or are at odds with themselves. Needs nothing but Python."""
import struct

from corpus import Part

part = Part("exr")


def attribute(name, kind, value, claims=None):
    return name + b"\0" + kind + b"\0" + struct.pack("<I", len(value) if claims is None else claims) + value


claim = attribute(b"comments", b"unheard", b"some", 1_700_000_000) + b"\0" * 64
whole = attribute(b"comments", b"unheard", b"some") + b"\0"
source = "arithmetic: the attribute would end beyond the file's end"
part.add("claims.exr", b"\x76\x2f\x31\x01" + struct.pack("<I", 2) + claim, "refused truncated", None, source,
         notes="claims 1700000000 bytes")
part.add("claims_in_second_part.exr", b"\x76\x2f\x31\x01" + struct.pack("<I", 2 | 0x1000) + whole + claim,
         "refused truncated", None, source, notes="claims 1700000000 bytes")

begin = b"\x76\x2f\x31\x01" + struct.pack("<I", 2)
channel = struct.pack("<IBxxxII", 1, 0, 1, 1)
part.add("channels_without_end.exr", begin + attribute(b"channels", b"chlist", b"R\0" + channel + b"OOOO") + b"\0" * 64,
         "refused malformed", None, "OpenEXR File Layout: an empty name ends the list", notes="channels is not as long")
part.add("window_too_long.exr", begin + attribute(b"dataWindow", b"box2i", struct.pack("<5i", 0, 0, 7, 7, 7)) + b"\0" * 64,
         "refused malformed", None, "OpenEXR File Layout: a box2i is four numbers of four bytes",
         notes="dataWindow is not as long")
part.add("layer_only.exr", begin + attribute(b"channels", b"chlist", b"beauty.R\0" + channel + b"\0") + b"\0" * 64,
         "refused unsupported", None, "OpenEXR 3.4 lists one channel, of a layer; FFmpeg 5.1 refuses such a file",
         notes="it has beauty.R")
part.finish()
