"""What the peers of `imgmill upscale --model` share: flags, the loop over photos, and the line that is printed."""

import argparse
import json
import pathlib
import time


def parser_of(description):
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("photos", nargs="+", type=pathlib.Path)
    return parser


def enlarge_all(arguments, started, enlarge, write=True):
    """Enlarges each photo by `enlarge`, from one 8-bit RGB array to another, writes PNG at level 1, and prints seconds and
    output megapixels a second: of the work (reading, enlarging, writing), and of enlarging alone."""
    import cv2

    cv2.setNumThreads(arguments.threads)
    arguments.output.mkdir(parents=True, exist_ok=True)
    loaded = time.perf_counter()
    pixels = 0
    alone = 0.0
    for photo in arguments.photos:
        picture = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2RGB)
        before = time.perf_counter()
        larger = enlarge(picture)
        alone += time.perf_counter() - before
        pixels += larger.shape[0] * larger.shape[1]
        if write:
            target = arguments.output / (photo.stem + ".png")
            cv2.imwrite(str(target), cv2.cvtColor(larger, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    work = time.perf_counter() - loaded
    figures = {"images": len(arguments.photos), "megapixels": round(pixels / 1e6, 3), "load_s": round(loaded - started, 2),
               "work_s": round(work, 2), "megapixels_per_s": round(pixels / 1e6 / work, 3),
               "model_megapixels_per_s": round(pixels / 1e6 / alone, 3)}
    print(json.dumps(figures))
