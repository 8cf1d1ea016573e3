"""Sums up predicted and actual memory of a report's batches as rows of a table.

Usage: prediction_error.py OPERATION ROW REPORT.json [--details]
"""
import json
import sys


def percent(value):
    return f"{100 * value:+.1f} %"


def columns(errors):
    if not errors:
        return "0 | | | "
    near = sum(abs(error) <= 0.05 for error in errors) / len(errors)
    return f"{len(errors)} | {100 * near:.1f} % | {percent(min(errors))} | {percent(max(errors))}"


def main():
    operation, row, path = sys.argv[1:4]
    with open(path, encoding="utf-8") as file:
        batches = json.load(file)["history"]["batches"]
    images = [b for b in batches if b.get("actual")]
    process, own = [], []
    for batch in images:
        before = batch["resident_before"]
        process.append((before + batch["predicted"]) / (before + batch["actual"]) - 1)
        if batch["actual"] > 8 << 20:
            own.append(batch["predicted"] / batch["actual"] - 1)
    print(f"| {operation} | {row} | {columns(process)} | {columns(own)} |")
    on_devices = [b for b in batches if b["device"] != "host" and not b["failed"]]
    if on_devices:
        errors = [b["predicted_pooled"] / max(1, b["actual_pooled"]) - 1 for b in on_devices]
        print(f"| {operation}, batches on {on_devices[0]['device']} | {row} | {columns(errors)} | | | | |")
    if "--details" in sys.argv:
        for error, batch in sorted(zip(process, images), key=lambda pair: -abs(pair[0]))[:10]:
            print(f"    {percent(error)} {batch['width']}x{batch['height']} predicted {batch['predicted'] / 2**20:.2f}"
                  f" actual {batch['actual'] / 2**20:.2f} MiB, pooled {batch['predicted_pooled'] / 2**20:.2f}"
                  f" {batch['actual_pooled'] / 2**20:.2f}")


if __name__ == "__main__":
    main()
