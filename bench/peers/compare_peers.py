#!/usr/bin/env python3
"""PSNR and SSIM of pairs, RGB and Y, as people compute them in Python.

  basicsr  BasicSR's calculate_psnr and calculate_ssim, with and without test_y_channel, on what OpenCV reads
  skimage  scikit-image's peak_signal_noise_ratio and structural_similarity on the same, and on its rgb2ycbcr's Y
  opencv   the same figures with OpenCV alone, as fast as it goes: float32, separable Gaussians

Usage: compare_peers.py PEER FOLDER FOLDER [--processes N]      prints a line a pair
"""
import argparse
import multiprocessing
import pathlib

import cv2
import numpy as np


def basicsr(a, b):
    from compare_parity import basicsr as metrics
    return [metric(a, b, 0, test_y_channel=on_y) for on_y in (False, True)
            for metric in (metrics.calculate_psnr, metrics.calculate_ssim)]


def skimage(a, b):
    from skimage.color import rgb2ycbcr
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    window = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
    y = [rgb2ycbcr(x[..., ::-1])[..., 0] for x in (a, b)]
    return [peak_signal_noise_ratio(a, b), structural_similarity(a, b, channel_axis=2, **window),
            peak_signal_noise_ratio(*y, data_range=255), structural_similarity(*y, **window)]


WEIGHTS = np.float32([24.966, 128.553, 65.481]) / 255


def opencv(a, b):
    def blur(x):
        return cv2.GaussianBlur(x, (11, 11), 1.5)[5:-5, 5:-5]

    def both(x, y):
        psnr = 10 * np.log10(255 ** 2 / np.mean((x - y) ** 2, dtype=np.float64))
        mean_x, mean_y = blur(x), blur(y)
        means, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
        covariance, variances = blur(x * y) - means, blur(x * x + y * y) - squares
        c1, c2 = 6.5025, 58.5225
        ssim = (2 * means + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))
        return [psnr, np.mean(ssim, dtype=np.float64)]
    a, b = np.float32(a), np.float32(b)
    return both(a, b) + both(a @ WEIGHTS + 16, b @ WEIGHTS + 16)


def measure(job):
    peer, a, b = job
    figures = globals()[peer](cv2.imread(a), cv2.imread(b))
    return f"{pathlib.Path(a).stem} " + " ".join(f"{figure:.4f}" for figure in figures)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=["basicsr", "skimage", "opencv"])
    parser.add_argument("first", type=pathlib.Path)
    parser.add_argument("second", type=pathlib.Path)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    partners = {path.stem: path for path in options.second.iterdir()}
    jobs = [(options.peer, str(path), str(partners[path.stem])) for path in sorted(options.first.iterdir())]
    cv2.setNumThreads(1)
    with multiprocessing.Pool(options.processes, cv2.setNumThreads, (1,)) as pool:
        for line in pool.imap(measure, jobs):
            print(line)


if __name__ == "__main__":
    main()
