"""One part of the corpus: files, and a row for each in expected.tsv. See README.md for the fields."""
import pathlib


class Part:
    """Collects the files of one part; `finish` writes its expected.tsv."""

    def __init__(self, name):
        self.folder = pathlib.Path(__file__).parent / "files" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        self.rows = []

    def add(self, file, data, outcome, pixels, source, notes="-"):
        """`data`: the file's bytes. `pixels`: {(x, y): values} or {(x, y): (values, tolerance)}; None if refused."""
        assert file not in [row[0] for row in self.rows], file
        (self.folder / file).write_bytes(data)
        self.rows.append((file, outcome, _pixel_text(pixels), notes, source))

    def finish(self):
        with open(self.folder / "expected.tsv", "w") as out:
            out.write("# file\toutcome\tpixels\tnotes\tsource\n")
            for row in sorted(self.rows):
                assert not any("\t" in field or "\n" in field for field in row), row
                out.write("\t".join(row) + "\n")


def _pixel_text(pixels):
    if not pixels:
        return "-"
    texts = []
    for (x, y), wanted in pixels.items():
        values, tolerance = wanted if isinstance(wanted[0], (tuple, list)) else (wanted, 0)
        text = f"{x},{y}=" + ",".join(str(value) for value in values)
        texts.append(text + (f"~{tolerance}" if tolerance else ""))
    return ";".join(texts)
