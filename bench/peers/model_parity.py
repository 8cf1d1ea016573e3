#!/usr/bin/env python3
"""Upscalers against spandrel's form of the same weights, or, of networks that spandrel does not have, against the
Python forms in tests/golden: the largest difference, in a table.

Real weights come from the test assets. Weights of other shapes and key layouts are made here from a seed, saved by
PyTorch, and read by both. Images are crops of a photo in 16 bits, of even and odd sides, since 8 bits would hide
anything below 1/510.

Usage: bench/peers/model_parity.py --program build/release/bin/imgmill --assets FOLDER [--only WORD]
Needs: spandrel, opencv-python-headless, safetensors
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import spandrel
import torch
from spandrel.__helpers.size_req import pad_tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden"))
import forms  # noqa: E402

import window_nets

SIZES = ((96, 64), (75, 53), (7, 5))
BOUND = 1e-4  # of the output's range


def esrgan_names(state):
    """Today's names of RRDBNet to those of ESRGAN's repository."""
    renamed = {}
    for name, tensor in state.items():
        name = name.replace("body.", "RRDB_trunk.", 1) if name.startswith("body.") else name
        for old, new in (("rdb", "RDB"), ("conv_body", "trunk_conv"), ("conv_up", "upconv"), ("conv_hr", "HRconv")):
            name = name.replace(old, new)
        renamed[name] = tensor
    return renamed


def rrdb(seed, **options):
    """A small RRDBNet with weights from a seed, under the numbered names."""
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet
    torch.manual_seed(seed)
    net = RRDBNet(num_filters=24, num_blocks=2, **options)
    with torch.no_grad():
        for tensor in net.parameters():
            tensor.mul_(1.5)
    return net.state_dict()


def seeded(seed, make, times=1.0):
    """The state of a network with weights from a seed, and convolutions' weights so many times as large."""
    torch.manual_seed(seed)
    net = make()
    with torch.no_grad():
        for tensor in net.parameters():
            if tensor.ndim == 4:
                tensor.mul_(times)
    return net.state_dict()


def safmn(seed, scale):
    from spandrel.architectures.SAFMN.__arch.safmn import SAFMN
    return seeded(seed, lambda: SAFMN(dim=36, n_blocks=4, upscaling_factor=scale), 2)


def plksr(seed, kind, scale, **options):
    from spandrel.architectures.PLKSR.__arch import PLKSR, RealPLKSR
    make = RealPLKSR.RealPLKSR if kind == "real" else PLKSR.PLKSR
    return seeded(seed, lambda: make(dim=64, n_blocks=4, upscaling_factor=scale, **options))


def mosr(seed, scale, upsampler):
    from spandrel.architectures.MoSR.__arch.mosr_arch import MoSR
    return seeded(seed, lambda: MoSR(n_block=4, dim=48, upscale=scale, upsampler=upsampler))


def moesr(seed, scale, upsampler, **options):
    from spandrel.architectures.MoESR.__arch.MoESR import MoESR
    return seeded(seed, lambda: MoESR(scale=scale, n_blocks=3, n_block=2, upsampler=upsampler, **options), 1.5)


def mm_real_sr(seed):
    from spandrel.architectures.MMRealSR.__arch.mmrealsr_arch import MMRRDBNet_test
    net = MMRRDBNet_test(num_in_ch=3, num_out_ch=3, num_block=4)
    torch.manual_seed(seed)
    with torch.no_grad():
        for tensor in net.parameters():
            tensor.normal_(0, tensor[0].numel() ** -0.5 if tensor.ndim > 1 else 0.1)
    return net.state_dict()


def restoring(seed, name, times=1.0, **options):
    """Of the architectures that give an image of the same size, by name."""
    from spandrel.architectures.DRUNet.__arch.network_unet import DRUNet
    from spandrel.architectures.FBCNN.__arch.FBCNN import FBCNN
    from spandrel.architectures.SCUNet.__arch.SCUNet import SCUNet
    make = {"DRUNet": DRUNet, "FBCNN": FBCNN, "SCUNet": SCUNet}[name]
    return seeded(seed, lambda: make(**options), times)


def enlarging(seed, name, times=1.0, **options):
    from spandrel.architectures.CRAFT.__arch.CRAFT import CRAFT
    from spandrel.architectures.DCTLSA.__arch.dctlsa import DCTLSA
    from spandrel.architectures.DITN.__arch.DITN_Real import DITN_Real
    from spandrel.architectures.SeemoRe.__arch.seemore_arch import SeemoRe
    from spandrel.architectures.SwiftSRGAN.__arch.SwiftSRGAN import Generator
    make = {"CRAFT": CRAFT, "DCTLSA": DCTLSA, "DITN": DITN_Real, "SeemoRe": SeemoRe, "Swift-SRGAN": Generator}[name]
    return seeded(seed, lambda: make(**options), times)


def rcan(seed, scale, **options):
    from spandrel.architectures.RCAN.__arch.rcan_arch import RCAN
    return seeded(seed, lambda: RCAN(scale=scale, n_resgroups=2, n_resblocks=3, **options))


def edsr(seed, **options):
    torch.manual_seed(seed)
    return Written(forms.Edsr(**options))


def art_cnn(seed, **options):
    torch.manual_seed(seed)
    net = forms.ArtCnn(**options)
    with torch.no_grad():
        net.depth_to_space["upscale"][0].bias.add_(0.5)
    return Written(net)


def cugan(seed, kind, channels=3, **options):
    from spandrel.architectures.RealCUGAN.__arch import upcunet_v3
    return seeded(seed, lambda: getattr(upcunet_v3, kind)(in_channels=channels, out_channels=channels, **options), 0.35)


class Written:
    """One of the Python forms in tests/golden: called with 0..1, and a grey one with each colour by itself."""

    def __init__(self, net, weights=None):
        if weights is not None:
            state = torch.load(weights, map_location="cpu", weights_only=True)
            net.load_state_dict(state.get("params_ema", state.get("params", state)))
        self.net, self.state = net.eval(), net.state_dict()
        self.grey = next(net.parameters()).shape[1] == 1
        self.scale = self(torch.zeros(1, 3, 16, 16)).shape[2] // 16

    @torch.inference_mode()
    def __call__(self, x):
        height, width = x.shape[2:]
        least = getattr(self.net, "least", 1)
        if min(height, width) < least:
            return self(pad_tensor(x, spandrel.SizeRequirements(minimum=least))[1])[
                :, :, :height * self.scale, :width * self.scale]
        if self.grey:
            return self.net(x.movedim(1, 0) * self.net.LEVELS).movedim(1, 0) / self.net.LEVELS
        return self.net(x * self.net.LEVELS) / self.net.LEVELS


def written(seed, name, **options):
    """With weights from a seed."""
    import carn_network
    import distillation_networks
    torch.manual_seed(seed)
    return Written(getattr(carn_network if name == "Carn" else distillation_networks, name)(**options))


def distillation_cases(assets):
    import distillation_networks as nets
    folder = assets / "weights/ofsoundof+NTIRE2022_ESR/model_zoo"
    for name, file, net in (("IMDN", "imdn_baseline", nets.Imdn()), ("IMDN+", "team39_imdn_plus", nets.ImdnPlus()),
                            ("RFDN", "rfdn_baseline", nets.Rfdn()), ("RLFN", "team04_rlfn", nets.Rlfn()),
                            ("EFDN", "team01_efdn", nets.Efdn()), ("BSRN", "team18_bsrn", nets.Bsrn())):
        yield name + " x4", folder / f"{file}.pth", Written(net, folder / f"{file}.pth")
    import carn_network
    carn = assets / "weights/nmhkahn+CARN-pytorch/checkpoint/carn_m.pth"
    for scale in (2, 3, 4):
        net = carn_network.Carn(groups=4)
        net.scale = scale
        yield f"CARN-M x{scale}", carn, Written(net, carn)


def distillation_seeds():
    """Other scales, one band, and other numbers of blocks and features."""
    return {
        "IMDN with weights from a seed, grey, x2": written(1, "Imdn", features=24, blocks=2, scale=2, bands=1),
        "IMDN+ with weights from a seed, x3": written(2, "ImdnPlus", features=24, blocks=3, scale=3),
        "RFDN with weights from a seed, x2": written(3, "Rfdn", features=24, inner=6, blocks=3, scale=2),
        "RLFN with weights from a seed, x3": written(4, "Rlfn", features=20, middle=24, blocks=6, scale=3),
        "EFDN with weights from a seed, x2": written(5, "Efdn", features=24, inner=8, scale=2),
        "CARN with weights from a seed, x4": written(7, "Carn", features=24, scales=(4,)),
        "CARN with weights from a seed, x3": written(8, "Carn", features=24, scales=(3,)),
        "BSRN with weights from a seed, x2": written(6, "Bsrn", features=24, inner=6, blocks=8, scale=2),
    }


def cases(assets, scratch, only):
    """Name and weight file of each case, and the peer where it is not spandrel's."""
    converted = assets / "weights" / "converted"
    yield "animevideov3 x4", assets / "weights/realesrgan/realesr-animevideov3-x4.pth"
    yield "RealESRGAN x4plus anime 6B", converted / "RealESRGAN_x4plus_anime_6B.safetensors"
    yield "RealESRGAN x4plus, half precision file", converted / "RealESRGAN_x4plus_fp16.safetensors"
    yield "Real-CUGAN x2", converted / "REALCUGAN_SE_UP2X.safetensors"
    team = assets / "weights/sunny2109+SAFMN"
    light = forms.SafmnPp(32, 16, 48, blocks=2, light=True)
    for name, file, net in (("SAFMN of NTIRE 2023", "NTIRE2023_ESR/model_zoo/team15_SAFMN.pth", forms.SafmnEntry()),
                            ("SAFMN++", "NTIRE2024_ESR/model_zoo/team23_safmnpp.pth", forms.SafmnPp()),
                            ("SAFMN++, light", "AIS2024-RTSR/pretrained_model/light_safmnpp.pth", light)):
        yield name, team / file, Written(net, team / file)
    yield "SPAN x2, 48 channels", converted / "spanx2_ch48.safetensors"
    yield "SPAN x4, 48 channels", converted / "spanx4_ch48.safetensors"
    from safetensors.torch import load_file
    made = {
        "RRDBNet, ESRGAN's names": esrgan_names(load_file(converted / "RealESRGAN_x4plus_anime_6B.safetensors")),
        "RRDBNet, numbered names, x4": rrdb(1, scale=4),
        "RRDBNet, numbered names, x2": rrdb(2, scale=2),
        "RRDBNet, numbered names, x8": rrdb(3, scale=8),
        "RRDBNet, numbered names, x1": rrdb(4, scale=1),
        "RRDBNet, squares of 2, x2": rrdb(5, in_nc=12, scale=4, shuffle_factor=2),
        "RRDBNet, squares of 4, x1": rrdb(6, in_nc=48, scale=4, shuffle_factor=4),
        "SAFMN with weights from a seed, x4": safmn(1, 4),
        "SAFMN with weights from a seed, x2": safmn(2, 2),
        "PLKSR, x2": plksr(1, "plain", 2),
        "PLKSR, rectangles, x4": plksr(2, "plain", 4, lk_type="RectSparsePLK", ccm_type="ICCM"),
        "PLKSR, dilated, x3": plksr(3, "plain", 3, lk_type="SparsePLK", ccm_type="DCCM"),
        "RealPLKSR, x4": plksr(4, "real", 4),
        "RealPLKSR, x1": plksr(5, "real", 1),
        "RealPLKSR, layer norm, DySample, x2": plksr(6, "real", 2, layer_norm=True, dysample=True),
        "RealPLKSR, DySample, x4": plksr(7, "real", 4, dysample=True),
        "MoSR, x4": mosr(1, 4, "ps"),
        "MoSR, mean of eight, x2": mosr(2, 2, "gps"),
        "MoSR, DySample, x3": mosr(3, 3, "dys"),
        "MMRealSR, x4": mm_real_sr(1),
        "MoESR, x4": moesr(1, 4, "pixelshuffledirect"),
        "MoESR, shuffles, x3": moesr(2, 3, "pixelshuffle"),
        "MoESR, nearest, x2": moesr(3, 2, "nearest+conv"),
        "MoESR, DySample, x4": moesr(4, 4, "dysample"),
        "MoESR, x1": moesr(5, 1, "conv"),
        "RCAN, x4": rcan(1, 4),
        "RCAN, without means, x3": rcan(2, 3, norm=False),
        "RCAN, squares, x2": rcan(3, 2, unshuffle_mod=True),
        "RCAN, squares, x1": rcan(4, 1, unshuffle_mod=True, norm=False),
        "DRUNet": restoring(1, "DRUNet", in_nc=4, out_nc=3, nb=2),
        "FBCNN": restoring(2, "FBCNN", nb=2),
        "SCUNet": restoring(3, "SCUNet", config=[2, 2, 1, 2, 1, 2, 2]),
        "Swift-SRGAN, x4": enlarging(4, "Swift-SRGAN", num_blocks=4),
        "Swift-SRGAN, x2": enlarging(5, "Swift-SRGAN", num_blocks=16, upscale_factor=2),
        "DITN, x4": enlarging(6, "DITN", 2, upscale=4),
        "SeemoRe, x4": enlarging(7, "SeemoRe", 2, scale=4, num_layers=6, embedding_dim=36, num_experts=3),
        "SeemoRe, large, x2": enlarging(8, "SeemoRe", scale=2, num_layers=16, embedding_dim=48, num_experts=1,
                                        use_shuffle=False, recursive=1),
        "CRAFT, x4": enlarging(9, "CRAFT", 2, upscale=4),
        "CRAFT, x3": enlarging(10, "CRAFT", upscale=3),
        "DCTLSA, x4": enlarging(11, "DCTLSA", nf=50, upscale=4),
        "DCTLSA, x2": enlarging(12, "DCTLSA", 2, nf=40, upscale=2),
        "EDSR, x2": edsr(1, scale=2),
        "EDSR, x3": edsr(2, scale=3),
        "EDSR, large, x4": edsr(3, features=256, blocks=4, scale=4),
        "ArtCNN R8F64, luma, x2": art_cnn(1, bands=1),
        "ArtCNN of 16 blocks and 96 features, x4": art_cnn(2, features=96, blocks=16, bands=3, scale=4),
        "ArtCNN, kernels of 5, x3": art_cnn(3, features=24, blocks=3, bands=3, scale=3, side=5),
        "ArtCNN, x1": art_cnn(4, features=32, blocks=4, bands=3, scale=1),
        "Real-CUGAN x2, told to be pro": load_file(converted / "REALCUGAN_SE_UP2X.safetensors") | {"pro": torch.zeros(1)},
        "Real-CUGAN with weights from a seed, x3": cugan(2, "UpCunet3x"),
        "Real-CUGAN with weights from a seed, x4": cugan(3, "UpCunet4x"),
        "Real-CUGAN with weights from a seed, x2 fast": cugan(4, "UpCunet2x_fast"),
    }
    yield from distillation_cases(assets)
    yield from window_nets.cases(assets, scratch, only)
    for name, state in (made | distillation_seeds()).items():
        peer = [state] if isinstance(state, Written) else []
        state = peer[0].state if peer else state
        path = scratch / ("".join(c if c.isalnum() else "_" for c in name) + ".pth")
        torch.save(state, path)
        yield name, path, *peer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--assets", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="imgmill-parity-"))
    photo = cv2.imread(str(sorted((options.assets / "photos/bsds500-val").glob("*.jpg"))[3])).astype(np.float32) / 255
    inputs = scratch / "in"
    inputs.mkdir()
    for width, height in SIZES:
        crop = photo[40:40 + height, 60:60 + width]
        cv2.imwrite(str(inputs / f"{width}x{height}.png"), np.round(crop * 65535).astype(np.uint16))

    failed = False
    print("| weights | scale | largest difference, of 1 |\n|---|---|---|")
    for name, weights, *peer in cases(options.assets, scratch, options.only):
        if options.only not in name:
            continue
        model = peer[0] if peer else spandrel.ModelLoader(device="cpu").load_from_file(str(weights)).eval()
        out = scratch / "out"
        run = subprocess.run([options.program, "upscale", str(inputs), "-o", str(out), "--model", str(weights),
                              "--scale", str(model.scale), "--no-catalog", "--force", "-q"], capture_output=True, text=True)
        if run.returncode != 0:
            print(f"| {name} | {model.scale} | {run.stderr.strip()} |")
            failed = True
            continue
        largest, within = 0.0, 0
        for width, height in SIZES:
            pixels = cv2.imread(str(inputs / f"{width}x{height}.png"), cv2.IMREAD_UNCHANGED)
            x = torch.from_numpy(pixels[:, :, ::-1].astype(np.float32) / 65535).permute(2, 0, 1)[None]
            with torch.inference_mode():
                # The network itself, which pads as its authors did: spandrel's descriptor pads further. It is
                # asked about images that the network itself does not take.
                # SeemoRe alone gives other values where a side is below 16, to which spandrel pads.
                whole = peer or name.startswith("SeemoRe")
                try:
                    expected = model(x) if whole else model.model(x.clone())
                except RuntimeError:
                    if peer:  # it takes no image as small
                        continue
                    expected = model(x)
                expected = expected[0] if isinstance(expected, tuple) else expected  # beside the image, what it found
                expected = expected[0].permute(1, 2, 0).numpy()
            within += int(((expected > 0) & (expected < 1)).sum())
            expected = expected.clip(0, 1)
            got = cv2.imread(str(out / f"{width}x{height}.png"), cv2.IMREAD_UNCHANGED)[:, :, ::-1] / 65535
            if got.shape != expected.shape:
                largest = float("inf")
                continue
            largest = max(largest, float(np.abs(got - expected).max()))
        # Half a step of 16 bits is the file's, not the network's. An output that is all black or white would show nothing.
        failed |= not largest <= BOUND + 0.5 / 65535 or within < 1000
        note = " all black or white" if within < 1000 else ""
        print(f"| {name} | {model.scale} | {largest:.1e} |{note}", flush=True)
    return 1 if failed else 0


sys.exit(main())
