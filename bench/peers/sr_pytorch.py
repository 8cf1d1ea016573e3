#!/usr/bin/env python3
"""The peer of `imgmill upscale --model`: the same weights through spandrel, or through a network's own Python form, on
PyTorch, one whole process.

Reads every photo given, runs the model on the whole of it in fp32, writes a PNG at compression level 1, and prints
one JSON line: output megapixels per second of the work (reading, model, writing), of the model alone, and seconds.

  sr_pytorch.py --weights W -o DIR [--form NAME] [--threads N] [--channels-last] [--no-write] PHOTO...

NAME is a network that spandrel does not know: a class of tests/golden/distillation_networks.py or carn_network.py.
"""

import argparse
import json
import pathlib
import sys
import time


def open_network(weights, form):
    """A module from 0..1 to 0..1."""
    import torch

    if not form:
        import spandrel

        return spandrel.ModelLoader(device="cpu").load_from_file(weights).model.eval()
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden"))
    import carn_network
    import distillation_networks

    if form == "Carn":
        net = carn_network.Carn(groups=4)
        net.scale = 4  # of the several that it has
    else:
        net = getattr(distillation_networks, form)()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    net.load_state_dict(state.get("params_ema", state.get("params", state)))
    levels = net.LEVELS
    if levels != 1:
        inner = net.forward
        net.forward = lambda x: inner(x * levels) / levels
    return net.eval()


def upscale(model, picture, channels_last):
    """8-bit RGB array to 8-bit RGB array."""
    import torch

    planes = torch.from_numpy(picture).permute(2, 0, 1).unsqueeze(0).float().div(255)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    larger = model(planes.contiguous(memory_format=layout))
    larger = larger.squeeze(0).clamp(0, 1).mul(255).round().to(torch.uint8)
    return larger.permute(1, 2, 0).contiguous().numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--form", default="")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--no-write", action="store_true", help="leave out the encoding and writing")
    parser.add_argument("photos", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    started = time.perf_counter()
    import cv2
    import torch

    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(arguments.threads)
    model = open_network(arguments.weights, arguments.form)
    if arguments.channels_last:
        model = model.to(memory_format=torch.channels_last)
    arguments.output.mkdir(parents=True, exist_ok=True)
    loaded = time.perf_counter()

    pixels = 0
    model_seconds = 0.0
    with torch.inference_mode():
        for photo in arguments.photos:
            picture = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2RGB)
            before = time.perf_counter()
            larger = upscale(model, picture, arguments.channels_last)
            model_seconds += time.perf_counter() - before
            pixels += larger.shape[0] * larger.shape[1]
            if not arguments.no_write:
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
                "model_megapixels_per_s": round(pixels / 1e6 / model_seconds, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
