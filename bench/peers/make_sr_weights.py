#!/usr/bin/env python3
"""Writes weights from a seed for networks whose published weights are not at hand, in their published sizes.

  make_sr_weights.py swin_ir_light|dat_light|drunet|fbcnn|fdncnn|swift_srgan|plksr|real_plksr|mosr FILE
Needs: torch, spandrel
"""
import sys

import torch
import window_nets

#: SwinIR's and DAT's light models for x4, as their papers give them.
SIZES = {
    "swin_ir_light": (window_nets.swin_ir, dict(img_size=64, upscale=4, embed_dim=60, depths=[6] * 4, num_heads=[6] * 4,
                                                upsampler="pixelshuffledirect", last="upsample")),
    "dat_light": (window_nets.dat, dict(upscale=4, embed_dim=60, depth=[18], num_heads=[6], split_size=[8, 32],
                                        resi_connection="3conv", upsampler="pixelshuffledirect", last="upsample")),
}


def restoring(name):
    """Networks of convolutions alone, as their authors publish them for colour; those that enlarge for x4."""
    from spandrel.architectures.DnCNN.__arch.network_dncnn import DnCNN
    from spandrel.architectures.DRUNet.__arch.network_unet import DRUNet
    from spandrel.architectures.FBCNN.__arch.FBCNN import FBCNN
    from spandrel.architectures.MoSR.__arch.mosr_arch import MoSR
    from spandrel.architectures.PLKSR.__arch.PLKSR import PLKSR
    from spandrel.architectures.PLKSR.__arch.RealPLKSR import RealPLKSR
    from spandrel.architectures.SwiftSRGAN.__arch.SwiftSRGAN import Generator
    torch.manual_seed(1)
    return {"plksr": lambda: PLKSR(upscaling_factor=4), "mosr": lambda: MoSR(upscale=4),
            "real_plksr": lambda: RealPLKSR(upscaling_factor=4, dysample=True), "drunet": lambda: DRUNet(in_nc=4, out_nc=3), "fbcnn": FBCNN, "swift_srgan": Generator,
            "fdncnn": lambda: DnCNN(in_nc=4, out_nc=3, nc=96, nb=20, act_mode="R", mode="FDnCNN")}[name]().state_dict()


def main():
    name, path = sys.argv[1:]
    if name not in SIZES:
        return torch.save(restoring(name), path)
    make, options = SIZES[name]
    torch.manual_seed(1)
    torch.save(make(torch.rand(1, 3, 64, 64), 1, **options), path)


if __name__ == "__main__":
    main()
