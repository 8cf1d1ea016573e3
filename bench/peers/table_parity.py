#!/usr/bin/env python3
"""Tables of vectors as others read and write them: what `imgmill embed --export` writes, by pyarrow, DuckDB, pandas and
NumPy, and what these write, by `imgmill embed --import`; against each other to the bit.

2500 small pictures are made, so that a Parquet file has several row groups.

Usage: bench/peers/table_parity.py [--program build/release/bin/imgmill]
Needs: numpy, Pillow, pandas, pyarrow, duckdb (bench/peers/setup.sh tables)
"""
import argparse
import pathlib
import subprocess
import tempfile

import duckdb
import numpy as np
import pandas
import pyarrow.parquet
from PIL import Image

PICTURES = 2500


def pictures(folder):
    rng = np.random.default_rng(5)
    for i in range(PICTURES):
        part = folder / f"part {i % 7}"
        part.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(part / f"bild_{i}_ä.png")


def check_import(program, scratch, names, rows):
    vectors = pyarrow.table({"path": names, "label": range(len(names)),
                           "v": pyarrow.FixedSizeListArray.from_arrays(rows.reshape(-1), rows.shape[1])})
    frame = pandas.DataFrame({"path": names, "v": list(rows)})
    database = duckdb.connect()
    database.register("vectors", vectors)
    ways = {
        "pyarrow, default": lambda file: pyarrow.parquet.write_table(vectors, file),
        "pyarrow, version 2 pages": lambda file: pyarrow.parquet.write_table(
            vectors, file, data_page_version="2.0", compression="zstd", row_group_size=300),
        "pyarrow, gzip, split": lambda file: pyarrow.parquet.write_table(
            vectors, file, compression="gzip", use_dictionary=["path"],
            column_encoding={"v.list.element": "BYTE_STREAM_SPLIT"}),
        "pandas, default": lambda file: frame.to_parquet(file),
        "DuckDB, default": lambda file: database.sql(f"COPY (SELECT * FROM vectors) TO '{file}' (FORMAT parquet)"),
        "DuckDB, zstd": lambda file: database.sql(
            f"COPY (SELECT * FROM vectors) TO '{file}' (FORMAT parquet, COMPRESSION zstd)"),
    }
    for name, write in ways.items():
        file = scratch / "theirs.parquet"
        write(str(file))
        subprocess.run([program, "embed", scratch / "in", "--catalog", scratch / "catalog", "--quiet", "--import", file,
                        "--import-columns", "path,v", "--model-name", name, "--export", scratch / "back.npy"],
                       check=True, stdout=subprocess.DEVNULL)
        assert np.array_equal(np.load(scratch / "back.npy"), rows), name
        print(f"imported from {name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/release/bin/imgmill")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        pictures(scratch / "in")
        for target in ("v.npy", "v.parquet", "clip/"):
            subprocess.run([args.program, "embed", scratch / "in", "--catalog", scratch / "catalog", "--quiet",
                            "--export", f"{scratch}/{target}"], check=True, stdout=subprocess.DEVNULL)
        rows = np.load(scratch / "v.npy")
        names = (scratch / "v.paths.txt").read_text().splitlines()
        assert rows.shape == (PICTURES, 512) and len(set(names)) == PICTURES

        file = pyarrow.parquet.ParquetFile(scratch / "v.parquet")
        assert file.metadata.num_row_groups > 1
        table = file.read()
        assert table["path"].to_pylist() == names
        assert np.array_equal(table["vector"].combine_chunks().flatten().to_numpy().reshape(rows.shape), rows)
        assert table.schema.metadata[b"imgmill.vectors"] == b"builtin/1"
        print(f"pyarrow {pyarrow.__version__}: {table.num_rows} rows, {file.metadata.num_row_groups} row groups")

        found = duckdb.sql(f"SELECT path, vector FROM '{scratch}/v.parquet'").fetchall()
        assert [path for path, _ in found] == names
        assert np.array_equal(np.array([vector for _, vector in found], dtype=np.float32), rows)
        nearest = duckdb.sql(
            f"SELECT list_cosine_similarity(a.vector, b.vector) FROM '{scratch}/v.parquet' a, '{scratch}/v.parquet' b "
            f"WHERE a.path = ? AND a.path = b.path", params=[names[-1]]).fetchall()[0][0]
        assert abs(nearest - 1) < 1e-6
        print(f"DuckDB {duckdb.__version__}: {len(found)} rows")

        halves = np.load(scratch / "clip/img_emb/img_emb_0.npy")
        assert halves.dtype == np.float16 and np.array_equal(halves, rows.astype(np.float16))
        paths = pandas.read_parquet(scratch / "clip/metadata/metadata_0.parquet")
        assert list(paths.columns) == ["image_path"] and list(paths["image_path"]) == names
        check_import(args.program, scratch, names, rows)
        print(f"NumPy {np.__version__} and pandas {pandas.__version__}: clip-retrieval's folder, {len(paths)} rows")


if __name__ == "__main__":
    main()
