#!/usr/bin/env python3
"""Whole runs of imgmill on a GPU that is not its own, as one table: budgets kept, neighbours before and during the run,
all images accounted for, and what it costs. scripts/gpu-check.sh calls it.

Usage: scripts/gpu_runs.py --program FOLDER --model FILE --photos FOLDER [--device cuda] [--count 100]
                           [--no-neighbour] [--keep FOLDER]
  --program       what scripts/carry.sh made, or any folder with bin/imgmill
  --photos        JPEGs to enlarge; used over and over up to --count
  --device        cpu:0 tries the script itself where there is no GPU
  --no-neighbour  leaves out the runs that need another process on the GPU (and PyTorch in this python3)
  --keep          a folder for each run's report and log
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

MIB = 1 << 20
HEADINGS = ("run", "done", "failed", "off plan", "seconds", "against undisturbed", "budget MiB", "peak MiB",
            "by the driver", "peak / budget", "errors")


class Neighbour:
    """scripts/gpu_neighbour.py at the other end of a pipe."""

    def __init__(self):
        script = pathlib.Path(__file__).with_name("gpu_neighbour.py")
        self.process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("gpu_runs: the neighbour has ended")
        return int(line)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def environment_for(program):
    """With the libraries that scripts/carry.sh put beside it."""
    environment = dict(os.environ)
    carried = pathlib.Path(program) / "lib" / "carried"
    if carried.is_dir():
        environment["LD_LIBRARY_PATH"] = f"{carried}:{environment.get('LD_LIBRARY_PATH', '')}"
    return environment


def copy_photos(source, target, count):
    """So many JPEGs into a new folder, over and over."""
    target.mkdir()
    sources = sorted(pathlib.Path(source).glob("*.jpg"))
    for number in range(count):
        shutil.copy(sources[number % len(sources)], target / f"{number:05}.jpg")


def run(options, photos, scratch, name, flags=(), during=None):
    """One run; `during` is called a little after its beginning. @return its report, with exit code and seconds"""
    shutil.rmtree(scratch / "out", ignore_errors=True)
    report = scratch / "report.json"
    report.unlink(missing_ok=True)
    command = [str(pathlib.Path(options.program) / "bin" / "imgmill"), "upscale", str(photos), "-o",
               str(scratch / "out"), "--model", options.model, "--device", options.device, "--no-catalog",
               "--report", str(report), *flags]
    start = time.monotonic()
    process = subprocess.Popen(command, env=environment_for(options.program), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if during:
        threading.Thread(target=during, daemon=True).start()
    _, errors = process.communicate()
    seconds = time.monotonic() - start
    if options.keep:
        kept = pathlib.Path(options.keep)
        kept.mkdir(parents=True, exist_ok=True)
        stem = "".join(letter if letter.isalnum() else "_" for letter in name)
        (kept / f"{stem}.log").write_text(errors)
        if report.exists():
            shutil.copy(report, kept / f"{stem}.json")
    if not report.exists():
        sys.exit(f"gpu_runs: {' '.join(command)} ended with {process.returncode} and no report:\n{errors}")
    found = json.loads(report.read_text())
    found["wall"] = seconds
    found["exit"] = process.returncode
    return found


def row(name, report, undisturbed, by_driver=None):
    device = report["memory"]["devices"][0]
    budget, peak = device["budget"], device["peak"]
    errors = "; ".join(f"{error['count']} x {error['text'][:60]}" for error in device["errors"])
    return (name, report["done"], len(report["failed"]), report["off_plan"], f"{report['wall']:.1f}",
            f"{report['wall'] / undisturbed:.1f} x", f"{budget / MIB:.0f}", f"{peak / MIB:.0f}",
            "" if by_driver is None else f"{by_driver / MIB:.0f}", f"{peak / budget:.2f}" if budget else "", errors)


def print_row(cells):
    print("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--no-neighbour", action="store_true")
    parser.add_argument("--keep")
    options = parser.parse_args()

    scratch = pathlib.Path(tempfile.mkdtemp(prefix="imgmill-gpu-"))
    photos = scratch / "photos"
    copy_photos(options.photos, photos, options.count)
    neighbour = None if options.no_neighbour else Neighbour()
    wrong = []

    def judge(name, report, budget=None, by_driver=None):
        device = report["memory"]["devices"][0]
        if report["done"] != options.count or report["failed"] or report["exit"] != 0:
            wrong.append(f"{name}: {report['done']} of {options.count} done")
        if device["peak"] > device["budget"] or (budget and device["budget"] > budget):
            wrong.append(f"{name}: peak {device['peak']} of a budget of {device['budget']}")
        if budget and by_driver and by_driver > budget:
            wrong.append(f"{name}: {by_driver} bytes by the driver's account")

    try:
        run(options, photos, scratch, "first")  # files and kernels into the caches
        undisturbed = run(options, photos, scratch, "undisturbed")
        seconds = undisturbed["wall"]
        print_row(HEADINGS)
        print_row(["---"] * len(HEADINGS))
        print_row(row("undisturbed", undisturbed, seconds))
        judge("undisturbed", undisturbed)
        for mib in (256, 512, 1024):
            before = neighbour.tell("watch") if neighbour else 0
            name = f"--device-memory {mib}MiB"
            report = run(options, photos, scratch, name, ["--device-memory", f"{mib}MiB"])
            by_driver = max(0, before - neighbour.tell("seen")) if neighbour else None
            print_row(row(name, report, seconds, by_driver))
            judge(name, report, mib * MIB, by_driver)
        for moment in ("before", "during") if neighbour else ():
            for mib in (700, 200, 50):
                name = f"a neighbour leaves {mib} MiB, {moment} the run"
                if moment == "before":
                    neighbour.tell(f"leave {mib}")
                    report = run(options, photos, scratch, name)
                else:
                    def come(mib=mib):
                        time.sleep(seconds / 3)
                        neighbour.tell(f"leave {mib}")
                    report = run(options, photos, scratch, name, during=come)
                neighbour.tell("free")
                print_row(row(name, report, seconds))
                judge(name, report)
    finally:
        if neighbour:
            neighbour.close()
        shutil.rmtree(scratch, ignore_errors=True)
    for line in wrong:
        print(f"gpu_runs: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
