#!/usr/bin/env python3
"""What a network loses where an image is cut into tiles: a photo cut in the middle, with several overlaps, against the
same photo whole, in levels of 255. Both are made by imgmill, which is given the parts as images of their own, 16 bits.

Usage: bench/peers/tile_overlap.py --program build/release/bin/imgmill --photo FILE [--size 480x160]
         [--overlaps 16,32,48,64] [--seeded WORD] [WEIGHTS...]
--seeded adds networks of published sizes, with weights from a seed, whose names have this word in them ("" is all): what
such weights lose, trained ones need not. The photo is cut to --size from its middle. Overlaps, and half the width, must
be whole windows of a network that attends in such.
Needs: opencv-python-headless; for --seeded, spandrel
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np


def plksr(photo, kind, **options):
    import window_nets
    from spandrel.architectures.PLKSR.__arch import PLKSR, RealPLKSR
    net = RealPLKSR.RealPLKSR(upscaling_factor=4, **options) if kind == "real" else PLKSR.PLKSR(
        dim=64, n_blocks=28, upscaling_factor=4, **options)
    return window_nets.lively(net, 1, photo, net.feats[-1])


def mosr(photo):
    import window_nets
    from spandrel.architectures.MoSR.__arch.mosr_arch import MoSR
    net = MoSR(upscale=4, upsampler="ps")
    return window_nets.lively(net, 1, photo, net.upsampler[0])


def mm_real_sr(photo):
    import window_nets
    from spandrel.architectures.MMRealSR.__arch.mmrealsr_arch import MMRRDBNet_test
    net = MMRRDBNet_test(num_in_ch=3, num_out_ch=3)
    forward = net.forward
    net.forward = lambda x: forward(x)[0]
    # 23 factors of about 1 behind one another.
    return window_nets.lively(net, 1, photo, net.conv_last, lambda name: 0.3 if name.endswith("fc.4.weight") else 1)


def moesr(photo):
    import window_nets
    from spandrel.architectures.MoESR.__arch.MoESR import MoESR
    net = MoESR(scale=4)
    # Its norms are of a class of its own, which would be taken for biases.
    return window_nets.lively(net, 1, photo, net.upscale[0],
                              lambda name: 20 if name.endswith("norm.weight") else 3 if name.endswith("gamma") else 1)


def rcan(photo, **options):
    import window_nets
    from spandrel.architectures.RCAN.__arch.rcan_arch import RCAN
    net = RCAN(scale=4, norm=False, **options)
    # 200 blocks that each add as much as they are given would leave nothing but black and white.
    second = [name for name, _ in net.named_parameters() if name.count("body") == 3 and ".body.2." in name]
    return window_nets.lively(net, 1, photo, net.tail[-1], lambda name: 0.1 if name in second else 1)


def drunet(photo):
    import torch
    import window_nets
    from spandrel.architectures.DRUNet.__arch.network_unet import DRUNet
    net = DRUNet(in_nc=4, out_nc=3)
    return window_nets.lively(net, 1, torch.cat([photo, torch.full_like(photo[:, :1], 15 / 255)], 1), net.m_tail)


def fbcnn(photo):
    import window_nets
    from spandrel.architectures.FBCNN.__arch.FBCNN import FBCNN
    net = FBCNN()
    net.forward = lambda x: FBCNN.forward(net, x)[0]
    return window_nets.lively(net, 1, photo, net.m_tail)


def scunet(photo):
    import window_nets
    from spandrel.architectures.SCUNet.__arch.SCUNet import SCUNet
    net = SCUNet()
    return window_nets.lively(net, 1, photo, net.m_tail[0])


def seemore(photo):
    import window_nets
    from spandrel.architectures.SeemoRe.__arch.seemore_arch import SeemoRe
    net = SeemoRe(num_layers=8, embedding_dim=48, num_experts=3, global_kernel_size=11)
    return window_nets.lively(net, 1, photo, net.upsampler[0])


def rrdb(photo):
    import window_nets
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet
    net = RRDBNet()
    return window_nets.lively(net, 1, photo, net.model[-1])


def attending(name, **options):
    def make(photo):
        import window_nets
        made = getattr(window_nets, name)(photo, 1, upscale=4, upsampler="pixelshuffle", **options)
        return made[0] if isinstance(made, tuple) else made
    return make


SIX = dict(depths=[6] * 6, num_heads=[6] * 6, embed_dim=180)
LIGHT = dict(depths=[6] * 4, num_heads=[6] * 4, embed_dim=60)
SEEDED = {
    "PLKSR x4, 28 blocks, kernel 17": lambda photo: plksr(photo, "plain"),
    "RealPLKSR x4, 28 blocks, kernel 17, layer norm": lambda photo: plksr(photo, "real", layer_norm=True),
    "RealPLKSR x4, 28 blocks, kernel 17, group norm": lambda photo: plksr(photo, "real"),
    "MoSR x4, 24 blocks": mosr,
    "MMRealSR x4, 23 blocks": mm_real_sr,
    "MoESR x4, 9 groups of 4 blocks": moesr,
    "RCAN x4, 10 groups of 20 blocks": rcan,
    "RRDBNet x4, 23 blocks": rrdb,
    "DRUNet, 4 blocks": drunet,
    "FBCNN, 4 blocks": fbcnn,
    "SCUNet, 4 blocks": scunet,
    "SeemoRe-B x4": seemore,
    "SwinIR-light x4": attending("swin_ir", **LIGHT),
    "SRFormer-light x4, window 16": attending("sr_former", **LIGHT),
    "SRFormer x4, window 24": attending("sr_former", window_size=24, **SIX),
    "DRCT x4, window 16": attending("drct", gc=32, **SIX),
    "Swin2SR x4, window 8": attending("swin2_sr", **SIX),
}


def run(program, weights, folder, side, scratch):
    out = scratch / "out"
    subprocess.run([program, "upscale", str(folder), "-o", str(out), "--model", str(weights), "--tile", str(side),
                    "--no-catalog", "--force", "-q"], check=True, stdout=subprocess.DEVNULL)
    return {path.stem: cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32) / 257 for path in out.glob("*.png")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--photo", required=True)
    parser.add_argument("--size", default="480x160")
    parser.add_argument("--overlaps", default="16,32,48,64")
    parser.add_argument("--seeded")
    parser.add_argument("weights", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="imgmill-overlap-"))
    width, height = (int(side) for side in options.size.split("x"))
    overlaps = [int(overlap) for overlap in options.overlaps.split(",")]
    cut = width // 2
    photo = cv2.imread(options.photo)
    y, x = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
    if min(x, y) < 0:
        sys.exit(f"{options.photo} is smaller than {options.size}")
    photo = photo[y:y + height, x:x + width]
    parts = scratch / "in"
    parts.mkdir()
    for name, part in [("whole", photo)] + [
            (f"{side}{overlap}", photo[:, :cut + overlap] if side == "left" else photo[:, cut - overlap:])
            for overlap in overlaps for side in ("left", "right")]:
        cv2.imwrite(str(parts / f"{name}.png"), part.astype(np.uint16) * 257)

    networks = {path.name: path for path in options.weights}
    if options.seeded is not None:
        import torch
        shown = torch.from_numpy(photo[:96, :96, ::-1].astype(np.float32) / 255).permute(2, 0, 1)[None]
        for name, make in SEEDED.items():
            if options.seeded in name:
                networks[name + ", seeded"] = scratch / f"{len(networks)}.pth"
                torch.save(make(shown), networks[name + ", seeded"])
    print("| weights | overlap | mean | 999 of 1000 at most | at most |\n|---|---|---|---|---|")
    for name, weights in networks.items():
        images = run(options.program, weights, parts, max(width, height), scratch)
        whole = images["whole"]
        scale = whole.shape[1] // width
        inside = ((whole > 0) & (whole < 255)).mean()
        for overlap in overlaps:
            tiled = np.concatenate([images[f"left{overlap}"][:, :cut * scale],
                                    images[f"right{overlap}"][:, overlap * scale:]], 1)
            lost = np.abs(tiled - whole)
            print(f"| {name} | {overlap} | {lost.mean():.4f} | {np.quantile(lost, 0.999):.3f} | {lost.max():.3f} |", flush=True)
        # What was cut off at black or white shows nothing.
        if inside < 0.8:
            print(f"{name}: only {inside:.0%} of the values lie between black and white", file=sys.stderr)


if __name__ == "__main__":
    main()
