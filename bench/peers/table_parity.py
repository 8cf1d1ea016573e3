#!/usr/bin/env python3
"""Tables as others read and write them: what `imgmill embed --export` writes, by pyarrow, DuckDB, pandas and NumPy, and
what these write, by `imgmill embed --import`; against each other to the bit. What `filter --export` and `pack --metadata`
write as Parquet, against the same in JSON, and against Pillow.

2500 small pictures are made, so that a Parquet file has several row groups.

Usage: bench/peers/table_parity.py [--program build/release/bin/imgmill]
Needs: numpy, Pillow, pandas, pyarrow, duckdb (bench/peers/setup.sh tables)
"""
import argparse
import json
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


def read_both(file, order):
    """The rows by pyarrow and by DuckDB, which must be the same."""
    table = pyarrow.parquet.read_table(file)
    rows = table.to_pylist()
    relation = duckdb.sql(f"SELECT * FROM '{file}'")
    assert relation.columns == table.column_names
    assert [dict(zip(relation.columns, row)) for row in relation.fetchall()] == rows
    frame = pandas.read_parquet(file)
    assert list(frame[order]) == [row[order] for row in rows]
    return table, rows


def check_filter(program, scratch):
    for name in ("signals.jsonl", "signals.parquet"):
        subprocess.run([program, "filter", scratch / "in", "--drop", "brightness>p90", "--drop", "entropy<p5", "--catalog",
                        scratch / "catalog", "--quiet", "--export", scratch / name], check=True, stdout=subprocess.DEVNULL)
    table, rows = read_both(scratch / "signals.parquet", "path")
    lines = [json.loads(line) for line in (scratch / "signals.jsonl").read_text().splitlines()]
    assert len(rows) == len(lines) == PICTURES + 1
    assert table.column_names == list(lines[0])
    assert table.schema.field("kept").type == pyarrow.bool_() and table.schema.field("date").type == pyarrow.timestamp("ms")
    assert table.schema.field("sharpness").type == pyarrow.float64()
    for row, line in zip(rows, lines):
        line["dropped_by"] = "; ".join(line["dropped_by"]) or None
        row["date"] = row["date"] and row["date"].isoformat()
        assert row == line, (row, line)
    dates = [row["date"] for row in rows if row["date"]]
    assert dates == ["2019-12-31T23:59:58"]
    kept = duckdb.sql(f"SELECT count(*) FROM '{scratch}/signals.parquet' WHERE kept").fetchall()[0][0]
    assert kept == sum(line["kept"] for line in lines) and 0 < kept < PICTURES
    print(f"filter: {len(rows)} rows of {len(table.column_names)} columns, {kept} kept")


def check_pack(program, scratch):
    for i, image in enumerate(sorted((scratch / "in").rglob("*.png"))):
        if i % 3 == 0:
            image.with_suffix(".txt").write_text(f"a picture, № {i}\n")
        if i % 5 == 0:
            image.with_suffix(".json").write_text(json.dumps({"url": f"https://example.org/{i}"}))
    for form in ("tar", "lmdb"):
        out = scratch / form
        subprocess.run([program, "pack", scratch / "in", "-o", out, "--format", form, "--metadata", "parquet", "--quiet"] +
                       (["--shard-size", "200KiB"] if form == "tar" else []), check=True, stdout=subprocess.DEVNULL)
        table, rows = read_both(out / "members.parquet", "source")
        lines = [json.loads(line) for line in (out / "members.jsonl").read_text().splitlines()]
        assert len(rows) == len(lines) == PICTURES + 1
        captions = 0
        for row, line in zip(rows, lines):
            files = {pathlib.Path(file["member"]).suffix: file for file in line["files"]}
            image = files.get(".png") or files[".jpg"]
            assert (row["key"], row["shard"]) == (line["key"], line["shard"])
            assert all(row[name] == image[name] for name in ("member", "source", "content", "bytes")), row
            with Image.open(image["source"]) as opened:
                assert (row["width"], row["height"]) == opened.size, row
            for name, ending in (("caption", ".txt"), ("json", ".json")):
                there = ending in files
                assert row[name] == (pathlib.Path(files[ending]["source"]).read_text().rstrip("\n") if there else None)
            captions += row["caption"] is not None
        shards = {row["shard"] for row in rows}
        assert all((out / shard).exists() for shard in shards) and (len(shards) > 1) == (form == "tar")
        fifth = duckdb.sql(f"SELECT count(*) FROM '{out}/members.parquet' WHERE json->>'url' LIKE '%/10'").fetchall()[0][0]
        assert fifth == 1
        print(f"pack --format {form}: {len(rows)} rows, {captions} captions, {len(shards)} shards or databases")


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
        turned = Image.Exif()
        turned[274] = 6  # orientation
        turned[271] = "Mill"
        turned.get_ifd(0x8769)[0x9003] = "2019:12:31 23:59:58"
        Image.new("RGB", (12, 7), "red").save(scratch / "in/turned.jpg", exif=turned)
        check_filter(args.program, scratch)
        check_pack(args.program, scratch)
        print(f"NumPy {np.__version__} and pandas {pandas.__version__}: clip-retrieval's folder, {len(paths)} rows")


if __name__ == "__main__":
    main()
