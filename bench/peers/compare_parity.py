#!/usr/bin/env python3
"""The figures of `imgmill compare` against its peers', for pairs made of real photos: a table of the largest difference
of each metric.

Pairs come from a seed: photos of BSDS500, cut to several sizes, with noise, JPEG, blur and other colours; grey ones; ones
of 16 bits; and the low resolutions of Set5, enlarged by Pillow, against the high ones, with a border cut off.

Peers: BasicSR's calculate_psnr and calculate_ssim (RGB and Y), scikit-image's peak_signal_noise_ratio and
structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False), pytorch-msssim's ms_ssim, NumPy.

Usage: bench/peers/compare_parity.py --program build/release/bin/imgmill --assets FOLDER [--golden]
  --golden  print, in place of the table, figures of a few pairs that are made without photos: those of tests/metrics
Needs: basicsr (its --no-deps will do), scikit-image, pytorch-msssim, torch, OpenCV, NumPy
"""
import argparse
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile
import types

import cv2
import numpy as np
import torch
from pytorch_msssim import ms_ssim
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

WITHIN = 1e-4


def load_basicsr():
    """Its metrics without the package's own imports, which want an older torchvision."""
    folder = pathlib.Path(importlib.util.find_spec("basicsr").submodule_search_locations[0])
    for name in ("basicsr", "basicsr.utils", "basicsr.metrics"):
        module = types.ModuleType(name)
        module.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module
    colours = importlib.import_module("basicsr.utils.color_util")
    sys.modules["basicsr.utils"].bgr2ycbcr = colours.bgr2ycbcr
    return importlib.import_module("basicsr.metrics.psnr_ssim")


basicsr = load_basicsr()


def colour(image):
    return image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)


def peers(a, b, border):
    """{metric: {peer: figure}} of two BGR or grey arrays of one depth."""
    figures = {}

    def put(metric, peer, value):
        figures.setdefault(metric, {})[peer] = float(value)
    full = 255 if a.dtype == np.uint8 else 65535
    a, b = colour(a), colour(b)
    if full == 255:
        for metric, on_y in (("psnr", False), ("psnr_y", True)):
            put(metric, "BasicSR", basicsr.calculate_psnr(a, b, border, test_y_channel=on_y))
        for metric, on_y in (("ssim", False), ("ssim_y", True)):
            put(metric, "BasicSR", basicsr.calculate_ssim(a, b, border, test_y_channel=on_y))
    if border:
        a, b = a[border:-border, border:-border], b[border:-border, border:-border]
    put("psnr", "scikit-image", peak_signal_noise_ratio(a, b, data_range=full))
    put("ssim", "scikit-image", structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=full))
    if min(a.shape[:2]) > 160:
        tensors = [torch.from_numpy(x.astype(np.float64)).permute(2, 0, 1)[None] for x in (a, b)]
        put("ms_ssim", "pytorch-msssim", ms_ssim(*tensors, data_range=full))
    step = np.abs(a.astype(np.float64) - b) * (255 / full)
    put("mae", "NumPy", step.mean())
    put("rmse", "NumPy", np.sqrt((step ** 2).mean()))
    put("max", "NumPy", step.max())
    return figures


def spoilt(image, random):
    """(name, image) of everything that is done to a photo."""
    full = 255 if image.dtype == np.uint8 else 65535
    noise = image + random.normal(0, full * 0.03, image.shape)
    yield "noise", np.clip(noise, 0, full).round().astype(image.dtype)
    yield "blur", cv2.GaussianBlur(image, (0, 0), 1.7)
    yield "dark", (image * 0.9).astype(image.dtype)
    if image.dtype == np.uint8:
        for quality in (20, 90):
            jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            yield f"jpeg{quality}", cv2.imdecode(jpeg, cv2.IMREAD_UNCHANGED)
        yield "tint", np.clip(image * np.array([1.1, 1, 0.8][:image.ndim == 3 and 3 or 1]), 0, 255).astype(np.uint8)


def photo_pairs(assets):
    random = np.random.default_rng(20240607)
    photos = sorted((assets / "photos/bsds500-val").glob("*.jpg"))[:8]
    sizes = [(321, 481), (200, 300), (257, 163), (161, 161), (176, 320), (50, 70), (11, 11), (240, 241)]
    for index, (photo, (height, width)) in enumerate(zip(photos, sizes)):
        image = cv2.imread(str(photo))
        image = image[:height, :width] if image.shape[0] >= height and image.shape[1] >= width else \
            cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        forms = {"rgb": image, "grey": cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)}
        if index < 4:
            low = random.integers(0, 257, image.shape)
            forms["deep"] = np.clip(image.astype(np.int64) * 257 + low - 128, 0, 65535).astype(np.uint16)
        for form, original in forms.items():
            for name, other in spoilt(original, random):
                yield f"{photo.stem}_{form}_{name}", original, other


def set5_pairs(assets, scale):
    for high in sorted((assets / f"sr/Set5/image_SRF_{scale}").glob("*_HR.png")):
        original = cv2.imread(str(high))
        low = cv2.imread(str(high).replace("_HR", "_LR"))
        size = (original.shape[1], original.shape[0])
        yield high.stem, original, cv2.resize(low, size, interpolation=cv2.INTER_CUBIC)


def compare(program, pairs, border):
    """[(peers' figures, imgmill's)]"""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        expected = {}
        for side in "ab":
            (folder / side).mkdir()
        for name, a, b in pairs:
            cv2.imwrite(str(folder / "a" / f"{name}.png"), a)
            cv2.imwrite(str(folder / "b" / f"{name}.png"), b)
            expected[name] = peers(a, b, border)
        run = subprocess.run([program, "compare", str(folder / "a"), str(folder / "b"), "--metrics", "all",
                              "--crop-border", str(border), "--no-catalog", "--json", "--quiet"],
                             check=True, capture_output=True)
        found = json.loads(run.stdout)["pairs"]
    return [(expected[pathlib.Path(pair["path"]).stem], pair) for pair in found]


def golden():
    """Pictures by formula, as tests/metrics/pair_meter_test.cpp draws them."""
    for width, height, deep in ((190, 171, False), (40, 23, False), (190, 171, True)):
        y, x, c = np.mgrid[0:height, 0:width, 0:3]
        a = (x * 7 + y * 13 + c * 31 + x * y // 5) % 256 // 2 + (x // 9 * 29 + y // 7 * 17 + c * 5) % 97
        b = np.maximum(a + (x * 37 + y * 101 + c * 17) % 23 - 11 - 4 * c, 0)
        if deep:
            a, b = a * 257 + (x * 11 + y * 3 + c) % 257, b * 257 + (x * 5 + y * 19) % 257
        a, b = (v[..., ::-1].astype(np.uint16 if deep else np.uint8) for v in (a, b))
        print(f"{width}x{height}, {'16' if deep else '8'} bits")
        for metric, by_peer in peers(np.ascontiguousarray(a), np.ascontiguousarray(b), 0).items():
            for peer, value in by_peer.items():
                print(f"  {metric} {value:.9f}  {peer}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/release/bin/imgmill")
    parser.add_argument("--assets", type=pathlib.Path, default=pathlib.Path("../shared/assets"))
    parser.add_argument("--golden", action="store_true")
    options = parser.parse_args()
    if options.golden:
        return golden()
    sets = [(list(photo_pairs(options.assets)), 0)]
    sets += [(list(set5_pairs(options.assets, scale)), scale) for scale in (2, 3, 4)]
    largest, counted = {}, {}
    for pairs, border in sets:
        for expected, found in compare(options.program, pairs, border):
            for metric, by_peer in expected.items():
                for peer, value in by_peer.items():
                    key = metric, peer
                    difference = 0.0 if np.isinf(value) and found["equal"] else \
                        np.inf if found[metric] is None else abs(found[metric] - value)
                    largest[key] = max(largest.get(key, 0), difference)
                    counted[key] = counted.get(key, 0) + 1
    print(f"| metric | peer | pairs | largest difference |\n|---|---|---|---|")
    for (metric, peer), difference in largest.items():
        print(f"| {metric} | {peer} | {counted[metric, peer]} | {difference:.1e} |")
    if max(largest.values()) > WITHIN:
        sys.exit(f"more than {WITHIN} apart")


if __name__ == "__main__":
    main()
