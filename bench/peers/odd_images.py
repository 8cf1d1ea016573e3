#!/usr/bin/env python3
"""Images of odd sizes and kinds through imgmill and through spandrel, on the same decoded pixels: a table of the largest
difference, in steps of the output file (of 8 or 16 bits). 0.50 is what rounding to a step alone makes.

The peer is the network as spandrel builds it, on the whole image; where it takes no image as small, spandrel's
descriptor, which pads it. Grey goes through a colour network on all three planes, and so does alpha; the mean of what
comes back is meant, as imgmill has it.

Usage: bench/peers/odd_images.py --program build/release/bin/imgmill --assets FOLDER [--only WORD]
Needs: spandrel, opencv-python-headless, Pillow, safetensors
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import torch
from PIL import Image

import window_nets

BOUND_8, BOUND_16 = 0.6, 3.0  # steps
GLOBAL = ("Real-CUGAN", "HAT", "FDAT")
TILED = ("600x48", "48x300")  # what networks that look at the whole image may not see as a whole


def saved(scratch, name, state):
    path = scratch / f"{name}.pth"
    torch.save(state, path)
    return path


def networks(assets, scratch, photo):
    converted = assets / "weights/converted"
    from spandrel.architectures.PLKSR.__arch.RealPLKSR import RealPLKSR
    torch.manual_seed(5)
    yield "RealESRGAN x4plus anime 6B", converted / "RealESRGAN_x4plus_anime_6B.safetensors"
    yield "SPAN x4", converted / "spanx4_ch48.safetensors"
    yield "Real-CUGAN x2", converted / "REALCUGAN_SE_UP2X.safetensors"
    yield "SwinIR x2, seed", saved(scratch, "swin_ir", window_nets.swin_ir(photo, 1, upsampler="pixelshuffle", upscale=2))
    yield "SwinIR x1, seed", saved(scratch, "swin_ir_x1", window_nets.swin_ir(photo, 2))
    yield "HAT x2, seed", saved(scratch, "hat", window_nets.hat(photo, 3, upscale=2))
    yield "Swin2SR x2, seed", saved(scratch, "swin2_sr", window_nets.swin2_sr(
        photo, 4, upsampler="pixelshuffle", upscale=2))
    yield "FDAT x2, seed", saved(scratch, "fdat", window_nets.fdat(photo, 5, "transpose+conv", 2))
    yield "RealPLKSR x1, seed", saved(scratch, "real_plksr_x1", RealPLKSR(
        dim=32, n_blocks=3, upscaling_factor=1, layer_norm=True).state_dict())


def images(photo):
    """Name and array of each, as OpenCV has them (BGR), or as Pillow has grey with alpha."""
    def crop(width, height):
        return np.ascontiguousarray(photo[8:8 + height, 4:4 + width])

    def eight(x):
        return np.round(x * 255).astype(np.uint8)

    def sixteen(x):
        return np.round(x * 65535).astype(np.uint16)

    def with_alpha(x, most):
        fade = np.linspace(0, most, x.shape[1])[None, :, None].repeat(x.shape[0], 0)
        return np.concatenate([x, fade.astype(x.dtype)], 2)

    middle = crop(45, 38)
    grey = middle.mean(2)
    yield "one pixel", eight(crop(1, 1))
    yield "1x17", eight(crop(1, 17))
    yield "17x1", eight(crop(17, 1))
    yield "5x7", eight(crop(5, 7))
    yield "grey", eight(grey)
    yield "grey and alpha", np.stack([eight(grey), with_alpha(eight(middle), 255)[..., 3]], 2)
    yield "RGBA", with_alpha(eight(middle), 255)
    yield "16 bits", sixteen(middle)
    yield "grey, 16 bits", sixteen(grey)
    yield "RGBA, 16 bits", with_alpha(sixteen(middle), 65535)
    # Larger than the largest tile.
    yield "600x48", eight(np.concatenate([crop(300, 48), crop(300, 48)[:, ::-1]], 1))
    yield "48x300", eight(crop(48, 300))


def expected(peer, pixels):
    """The peer's values of each band in steps, not rounded."""
    most = np.iinfo(pixels.dtype).max
    bands = pixels[:, :, None] if pixels.ndim == 2 else pixels

    def run(planes):
        x = torch.from_numpy(planes.astype(np.float32) / most).permute(2, 0, 1)[None]
        return peer(x)[0].permute(1, 2, 0).clamp(0, 1).double().numpy() * most

    colours = 3 if bands.shape[2] > 2 else 1
    out = [run(bands[:, :, 2::-1])[:, :, ::-1]] if colours == 3 else [run(bands[:, :, [0] * 3]).mean(2, keepdims=True)]
    if bands.shape[2] > colours:
        out.append(run(bands[:, :, [colours] * 3]).mean(2, keepdims=True))
    return np.concatenate(out, 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--assets", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(2)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="imgmill-odd-"))
    photo = cv2.imread(str(sorted((options.assets / "photos/bsds500-val").glob("*.jpg"))[3])).astype(np.float32) / 255
    if photo.shape[0] > photo.shape[1]:
        photo = photo.transpose(1, 0, 2)
    shown = torch.from_numpy(photo[40:104, 60:156, ::-1].copy()).permute(2, 0, 1)[None]
    inputs = scratch / "in"
    inputs.mkdir()
    kinds = dict(images(photo))
    for name, pixels in kinds.items():
        path = inputs / f"{name}.png"
        if pixels.ndim == 3 and pixels.shape[2] == 2:
            Image.fromarray(pixels, "LA").save(path)
        else:
            cv2.imwrite(str(path), pixels)

    failed = False
    print("| weights | " + " | ".join(kinds) + " |\n|" + "---|" * (len(kinds) + 1))
    for name, weights in networks(options.assets, scratch, shown):
        if options.only not in name:
            continue
        peer = window_nets.Peer(weights)
        out = scratch / "out"
        run = subprocess.run([options.program, "upscale", str(inputs), "-o", str(out), "--model", str(weights),
                              "--no-catalog", "--force", "-q"], capture_output=True, text=True)
        if run.returncode != 0:
            print(f"| {name} | {run.stderr.strip()} |")
            failed = True
            continue
        row = []
        for kind, pixels in kinds.items():
            path = out / f"{kind}.png"
            with Image.open(path) as opened:
                got = np.array(opened) if opened.mode == "LA" else cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            wanted = expected(peer, pixels)
            got = got[:, :, None] if got.ndim == 2 else got
            if got.shape != wanted.shape or got.dtype != pixels.dtype:
                row.append(f"{got.dtype} {got.shape} instead of {pixels.dtype} {wanted.shape}")
                failed = True
                continue
            steps = float(np.abs(got.astype(np.float64) - wanted).max())
            if not (kind in TILED and name.startswith(GLOBAL)):
                failed |= steps > (BOUND_8 if pixels.dtype == np.uint8 else BOUND_16)
            row.append(f"{steps:.2f}")
        print(f"| {name} | " + " | ".join(row) + " |", flush=True)
    return 1 if failed else 0


sys.exit(main())
