#!/usr/bin/env python3
"""What upscalers reach on Set5, beside what the original programs were measured to reach: PSNR on Y as MATLAB converts
it, in float, of 8-bit pictures, as many pixels shaved at each edge as the scale. Fails where the difference is more
than 0.01 dB.

Usage: bench/peers/set5_psnr.py --program build/release/bin/imgmill --assets FOLDER [--only WORD] [--peer]
--peer measures the Python forms in tests/golden instead, which need torch. Needs: numpy, opencv-python-headless
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

BOUND = 0.01  # dB
ESR = "weights/ofsoundof+NTIRE2022_ESR/model_zoo/"
CARN = "weights/nmhkahn+CARN-pytorch/checkpoint/carn_m.pth"
ZIPPED = "weights/zip-state-dicts/"

# Weights, scale, dB of the original, and which of the Python forms it is. The same weights in another format must
# reach the same. The authors of IMDN+ give 32.11, but not how it was measured; 32.135 is the Python form's.
CASES = (
    ("IMDN", ESR + "imdn_baseline.pth", 4, 32.250, "Imdn"),
    ("IMDN, zip", ZIPPED + "ofsoundof+NTIRE2022_ESR__imdn_baseline.pt", 4, 32.250, "Imdn"),
    ("RFDN", ESR + "rfdn_baseline.pth", 4, 32.161, "Rfdn"),
    ("RLFN", ESR + "team04_rlfn.pth", 4, 32.098, "Rlfn"),
    ("EFDN", ESR + "team01_efdn.pth", 4, 32.080, "Efdn"),
    ("BSRN", ESR + "team18_bsrn.pth", 4, 32.012, "Bsrn"),
    ("IMDN+", ESR + "team39_imdn_plus.pth", 4, 32.135, "ImdnPlus"),
    ("CARN-M", CARN, 2, 37.682, "CarnM"),
    ("CARN-M", CARN, 3, 34.061, "CarnM"),
    ("CARN-M", CARN, 4, 31.885, "CarnM"),
    ("CARN-M, zip", ZIPPED + "nmhkahn+CARN-pytorch__carn_m.pt", 4, 31.885, "CarnM"),
)


def luma(picture):
    """Y of ITU-R BT.601 for B, G, R of 0..255, not rounded, as rgb2ycbcr gives it."""
    return picture.astype(np.float64) @ (np.array([24.966, 128.553, 65.481]) / 255) + 16


def psnr(picture, truth, border):
    inside = slice(border, -border)
    error = (luma(picture) - luma(truth))[inside, inside]
    return 10 * np.log10(255**2 / np.mean(error**2))


def by_program(program, inputs, weights, scale, folder):
    """Enlarged pictures of 8 bits by name."""
    subprocess.run([program, "upscale", *map(str, inputs), "-o", str(folder), "--model", str(weights), "--scale",
                    str(scale), "--no-catalog", "-q"], check=True, stdout=subprocess.DEVNULL)
    return {path.name: cv2.imread(str(path)) for path in pathlib.Path(folder).glob("*.png")}


def by_peer(form, inputs, weights, scale):
    import torch
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden"))
    import carn_network
    import distillation_networks
    net = carn_network.Carn(groups=4) if form == "CarnM" else getattr(distillation_networks, form)()
    net.scale = scale
    state = torch.load(weights, map_location="cpu", weights_only=True)
    net.load_state_dict(state.get("params", state))
    pictures = {}
    for path in inputs:
        x = torch.from_numpy(cv2.imread(str(path))[:, :, ::-1].astype(np.float32) * (net.LEVELS / 255))
        with torch.inference_mode():
            output = net(x.permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy() * (255 / net.LEVELS)
        pictures[path.name] = np.round(output.clip(0, 255))[:, :, ::-1]
    return pictures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/release/bin/imgmill")
    parser.add_argument("--assets", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    failed = False
    print("| weights | scale | PSNR, dB | original | difference |\n|---|---|---|---|---|")
    for name, weights, scale, wanted, form in CASES:
        if options.only not in name:
            continue
        folder = options.assets / f"sr/Set5/image_SRF_{scale}"
        inputs = sorted(folder.glob("*_LR.png"))
        weights = options.assets / weights
        if options.peer:
            pictures = by_peer(form, inputs, weights, scale)
        else:
            with tempfile.TemporaryDirectory(prefix="imgmill-set5-") as scratch:
                pictures = by_program(options.program, inputs, weights, scale, scratch)
        reached = np.mean([psnr(pictures[path.name], cv2.imread(str(path).replace("_LR", "_HR")), scale)
                           for path in inputs])
        failed |= not abs(reached - wanted) <= BOUND
        print(f"| {name} | {scale} | {reached:.3f} | {wanted:.3f} | {reached - wanted:+.3f} |", flush=True)
    return 1 if failed else 0


sys.exit(main())
