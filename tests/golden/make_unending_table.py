#!/usr/bin/env python3
"""Makes tests/golden/tables/unending.parquet: 236 bytes that say their only vector goes on for 2^40 places, each
an element of a list that is not there. No library writes such a file, so it is put together here, field by field,
as the format's description (parquet.thrift, and Thrift's compact protocol) has it.

Usage: tests/golden/make_unending_table.py
"""
import pathlib
import struct

FLOAT, BYTE_ARRAY = 4, 6
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2
LIST = 3  # converted type
PLAIN, RLE = 0, 3
I32, I64, BINARY, LIST_OF, STRUCT = 5, 6, 8, 9, 12  # types of fields
PLACES = 1 << 40


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def zigzag(number):
    return varint(number << 1)


def text(value):
    return varint(len(value)) + value


def struct_of(*fields):
    """Fields as (id, type, bytes), in the order of their ids."""
    out, last = b"", 0
    for number, kind, value in fields:
        out += bytes([(number - last) << 4 | kind]) + value
        last = number
    return out + b"\0"


def list_of(kind, items):
    return bytes([len(items) << 4 | kind]) + b"".join(items)


def run(length, level):
    return varint(length << 1) + bytes([level])


def levels(*runs):
    return struct.pack("<I", len(b"".join(runs))) + b"".join(runs)


def page(body, values):
    head = struct_of((1, I32, zigzag(values)), (2, I32, zigzag(PLAIN)), (3, I32, zigzag(RLE)), (4, I32, zigzag(RLE)))
    size = zigzag(len(body))
    return struct_of((1, I32, zigzag(0)), (2, I32, size), (3, I32, size), (5, STRUCT, head)) + body


def chunk(offset, data, values, kind, names):
    size = zigzag(len(data))
    about = struct_of(
        (1, I32, zigzag(kind)), (2, LIST_OF, list_of(I32, [zigzag(PLAIN)])),
        (3, LIST_OF, list_of(BINARY, [text(name) for name in names])), (4, I32, zigzag(0)), (5, I64, zigzag(values)),
        (6, I64, size), (7, I64, size), (9, I64, zigzag(offset)))
    return struct_of((2, I64, zigzag(offset)), (3, STRUCT, about))


def group(name, children, repetition=None, converted=None):
    fields = [(3, I32, zigzag(repetition))] if repetition is not None else []
    fields += [(4, BINARY, text(name)), (5, I32, zigzag(children))]
    return struct_of(*fields, *([(6, I32, zigzag(converted))] if converted is not None else []))


def leaf(name, kind):
    return struct_of((1, I32, zigzag(kind)), (3, I32, zigzag(REQUIRED)), (4, BINARY, text(name)))


names = page(struct.pack("<I", 5) + b"a.jpg", 1)
# The row begins, and all that comes behind it is of the same row; nothing of it is in a list.
places = page(levels(run(1, 0), run(PLACES, 1)) + levels(run(PLACES + 1, 0)), PLACES + 1)
data = b"PAR1" + names + places
vector = [b"vector", b"list", b"element"]
columns = [chunk(4, names, 1, BYTE_ARRAY, [b"path"]), chunk(4 + len(names), places, PLACES + 1, FLOAT, vector)]
schema = [group(b"schema", 2), leaf(b"path", BYTE_ARRAY), group(b"vector", 1, REQUIRED, LIST),
          group(b"list", 1, REPEATED), leaf(b"element", FLOAT)]
rows = struct_of((1, LIST_OF, list_of(STRUCT, columns)), (2, I64, zigzag(10)), (3, I64, zigzag(1)))
footer = struct_of((1, I32, zigzag(1)), (2, LIST_OF, list_of(STRUCT, schema)), (3, I64, zigzag(1)),
                   (4, LIST_OF, list_of(STRUCT, [rows])))
out = pathlib.Path(__file__).parent / "tables" / "unending.parquet"
out.write_bytes(data + footer + struct.pack("<I", len(footer)) + b"PAR1")
