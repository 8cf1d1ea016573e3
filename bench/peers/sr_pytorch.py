#!/usr/bin/env python3
"""The peer of `imgmill upscale --model`: the same weights through spandrel, or through a network's own Python form, on
PyTorch, one whole process.

Reads every photo given, runs the model on the whole of it in fp32, writes a PNG at compression level 1, and prints
one JSON line: output megapixels per second of the work (reading, model, writing), of the model alone, and seconds.

  sr_pytorch.py --weights W -o DIR [--form NAME] [--threads N] [--channels-last] [--no-write] PHOTO...
  sr_pytorch.py --weights W -o DIR [--form NAME] --operations PHOTO...

The second form only counts: it prints the GFLOP of all photos, two for each multiplication of a layer by definition.

NAME is a network that spandrel does not know: a class of tests/golden/distillation_networks.py, forms.py or
carn_network.py.
"""

import pathlib
import sys
import time

import sr_run


def open_network(weights, form):
    """A module from 0..1 to 0..1."""
    import torch

    if not form:
        import spandrel

        found = spandrel.ModelLoader(device="cpu").load_from_file(weights)
        # What these are told beside the image, or give beside it, spandrel adds and drops outside the network.
        return found.eval() if found.architecture.name in ("DnCNN", "DRUNet", "FBCNN") else found.model.eval()
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden"))
    import carn_network
    import distillation_networks
    import forms

    if form == "Carn":
        net = carn_network.Carn(groups=4)
        net.scale = 4  # of the several that it has
    else:
        net = getattr(forms if hasattr(forms, form) else distillation_networks, form)()
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


def operations(model, photos):
    """GFLOP of the network on all photos."""
    import cv2
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        for photo in photos:
            height, width = cv2.imread(str(photo)).shape[:2]
            model(torch.rand(1, 3, height, width))
    return counter.get_total_flops() / 1e9


def main():
    parser = sr_run.parser_of(__doc__)
    parser.add_argument("--form", default="")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--no-write", action="store_true", help="leave out the encoding and writing")
    parser.add_argument("--operations", action="store_true", help="count them instead")
    arguments = parser.parse_args()

    started = time.perf_counter()
    import torch

    torch.set_num_threads(arguments.threads)
    model = open_network(arguments.weights, arguments.form)
    if arguments.channels_last:
        model = model.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        if arguments.operations:
            print(f"{operations(model, arguments.photos):.1f}")
            return
        sr_run.enlarge_all(arguments, started, lambda picture: upscale(model, picture, arguments.channels_last),
                           write=not arguments.no_write)


if __name__ == "__main__":
    main()
