#!/usr/bin/env python3
"""Makes tests/golden/tables: small Parquet and NumPy files of vectors as other programs write them.

Usage: tests/golden/make_table_golden.py
Needs: numpy, pyarrow 26, duckdb 2
"""
import pathlib
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent / "tables"
here.mkdir(exist_ok=True)

# Values that half precision has, too. The names repeat, so that dictionaries are used.
names = [f"{['a', 'b b', 'ü'][i % 3]}.jpg" for i in range(7)]
rows = [[i + 0.5, -i, 0.25] for i in range(7)]


def table(vectors):
    return pa.table({"number": range(7), "image_path": names, "embedding": vectors})


lists = table(pa.array(rows, pa.list_(pa.float32())))
pq.write_table(lists, here / "default.parquet")
pq.write_table(lists, here / "v2_zstd.parquet", data_page_version="2.0", compression="zstd", row_group_size=3)
pq.write_table(lists, here / "plain.parquet", compression="none", use_dictionary=False, row_group_size=2)
pq.write_table(table(pa.array(rows, pa.list_(pa.float64()))), here / "double_gzip.parquet", compression="gzip")
pq.write_table(table(pa.array(rows, pa.list_(pa.float32(), 3))), here / "fixed.parquet", use_dictionary=False)
pq.write_table(table(pa.array(np.array(rows, dtype=np.float16).tolist(), pa.list_(pa.float16()))), here / "half.parquet")
pq.write_table(lists, here / "split.parquet", use_dictionary=["image_path"],
               column_encoding={"embedding.list.element": "BYTE_STREAM_SPLIT"}, compression="zstd")
duckdb.sql(f"COPY (SELECT number, image_path, embedding::FLOAT[3] AS embedding FROM lists) TO '{here}/duckdb.parquet'")

# What is missing: a list, a number, a name; and an empty list.
pq.write_table(pa.table({"path": ["a", None, "c", "d"],
                         "v": pa.array([[1, 2], None, [], [3, None]], pa.list_(pa.float32()))}),
               here / "missing.parquet")

# What is not read.
pq.write_table(lists, here / "lz4.parquet", compression="lz4")
pq.write_table(lists, here / "delta.parquet", use_dictionary=False,
               column_encoding={"image_path": "DELTA_LENGTH_BYTE_ARRAY"})

# Columns that hold numbers and are no vectors.
pq.write_table(pa.table({
    "path": ["a", "b"],
    "scores": pa.array([[("x", 1.0), ("y", 2.0)], [("x", 3.0)]], pa.map_(pa.string(), pa.float32())),
    "boxes": pa.array([[{"x": 1.0, "y": 2.0}], [{"x": 3.0, "y": 4.0}]],
                      pa.list_(pa.struct([("x", pa.float32()), ("y", pa.float32())]))),
    "points": pa.array([[{"x": 1.0}], [{"x": 3.0}]], pa.list_(pa.struct([("x", pa.float32())]))),
    "prices": pa.array([[Decimal("0.10"), Decimal("0.90")], [Decimal("0.50")]], pa.list_(pa.decimal128(4, 2))),
    "inner": pa.array([{"v": [1.0, 2.0]}, {"v": [3.0, 4.0]}], pa.struct([("v", pa.list_(pa.float32()))])),
    "halves": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float16())),
    "matrix": pa.array([[[1.0], [2.0]], [[3.0]]], pa.list_(pa.list_(pa.float32()))),
}), here / "shapes.parquet")

for kind in ("float16", "float32", "float64"):
    np.save(here / f"{kind}.npy", np.array(rows, dtype=kind))
with open(here / "version2.npy", "wb") as file:
    np.lib.format.write_array(file, np.array(rows, dtype=np.float32), version=(2, 0))
np.save(here / "integers.npy", np.zeros((7, 3), dtype=np.int32))
np.save(here / "columns.npy", np.asfortranarray(np.array(rows, dtype=np.float32)))
