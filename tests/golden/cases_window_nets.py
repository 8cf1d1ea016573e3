#!/usr/bin/env python3
"""Cases of small networks that attend in windows, by spandrel's form of them. Usage: tests/golden/cases_window_nets.py [CASE...]"""
import pathlib
import sys

from network_golden import Case, write_all
from spandrel.architectures.ATD.__arch.atd_arch import ATD
from spandrel import SizeRequirements
from spandrel.__helpers.size_req import pad_tensor
from spandrel.architectures.CRAFT.__arch.CRAFT import CRAFT
from spandrel.architectures.DAT.__arch.DAT import DAT
from spandrel.architectures.DCTLSA.__arch.dctlsa import DCTLSA
from spandrel.architectures.DRCT.__arch.drct_arch import DRCT
from spandrel.architectures.FDAT.__arch.fdat import FDAT
from spandrel.architectures.HAT.__arch.HAT import HAT
from spandrel.architectures.OmniSR.__arch.OmniSR import OmniSR
from spandrel.architectures.RGT.__arch.rgt import RGT
from spandrel.architectures.Swin2SR.__arch.Swin2SR import Swin2SR
from spandrel.architectures.SwinIR.__arch.SwinIR import SwinIR

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench" / "peers"))
from window_nets import sr_former_net  # noqa: E402: spandrel does not know it; and sorting is stable after this


def swin_ir(bands=3, height=6, width=5, last="conv_last.weight", factor=0.5, **options):
    shape = dict(img_size=16, embed_dim=8, depths=[2], num_heads=[2], window_size=4, mlp_ratio=2)
    net = SwinIR(in_chans=bands, **{**shape, **options})
    rename = (lambda name: name.replace("conv_first.", "conv_first.1.")) if "start_unshuffle" in options else None
    return Case(net, height, width, bands=bands, factors={last: factor}, skip=(".attn_mask",), rename=rename)


def hat(**options):
    shape = dict(img_size=16, embed_dim=8, depths=[2], num_heads=[2], window_size=4, mlp_ratio=2, compress_ratio=2,
                 squeeze_factor=4)
    net = HAT(**{**shape, **options})
    # Else the convolutions beside the attention, of which 0.01 counts, would not show.
    strong = "layers.0.residual_group.blocks.0.conv_block.cab.2.weight"
    return Case(net, 6, 5, factors={"conv_last.weight": 0.5, strong: 50})


def dat(**options):
    shape = dict(img_size=16, embed_dim=16, split_size=[2, 4], depth=[3, 2], num_heads=[4, 2], expansion_factor=2.0)
    net = DAT(**{**shape, **options})
    return Case(net, 6, 5, factors={"conv_last.weight": 0.5}, skip=(".attn_mask_0", ".attn_mask_1"), given=(".rpe_biases",))


def sr_former(height=10, width=9, bands=3, last="conv_last.weight", **options):
    shape = dict(img_size=16, embed_dim=8, depths=[2], num_heads=[2], window_size=8, mlp_ratio=2)
    net = sr_former_net(bands, **{**shape, **options})
    return Case(net, height, width, bands=bands, factors={last: 0.5}, skip=(".attn_mask",))


def drct():
    net = DRCT(img_size=8, embed_dim=8, depths=(6,), num_heads=(2,), window_size=4, gc=4, upsampler="pixelshuffle",
               upscale=2)
    # It pads nothing itself.
    return Case(net, 8, 4, factors={"conv_last.weight": 0.5}, skip=(".attn_mask",))


def rgt(height, width, **options):
    shape = dict(embed_dim=8, depth=[2, 2], num_heads=[4, 2], mlp_ratio=2, split_size=[2, 4], upscale=2)
    net = RGT(**{**shape, **options})
    return Case(net, height, width, factors={"conv_last.weight": 0.3}, skip=(".attn_mask_0", ".attn_mask_1"),
                given=(".rpe_biases",))


def omni_sr(height, width, **options):
    shape = dict(num_feat=8, block_num=1, res_num=1, up_scale=2, window_size=4)
    return Case(OmniSR(**{**shape, **options}), height, width, factors={"up.0.weight": 0.2})


def atd(height, width, last="conv_last.weight", **options):
    shape = dict(embed_dim=8, depths=(3,), num_heads=(2,), window_size=4, num_tokens=6, reducted_dim=3)
    return Case(ATD(**{**shape, **options}), height, width, factors={last: 0.5})


def swin2_sr(bands=3, height=6, width=5, last="conv_last.weight", factor=0.5, **options):
    shape = dict(img_size=8, embed_dim=8, depths=[2], num_heads=[2], window_size=4, mlp_ratio=2)
    net = Swin2SR(in_chans=bands, **{**shape, **options})
    return Case(net, height, width, bands=bands, factors={last: factor}, skip=(".attn_mask",),
                given=(".relative_coords_table",))


def fdat(upsampler, scale, height=9, width=6, bands=3, bias=2, **options):
    shape = dict(embed_dim=16, num_groups=2, depth_per_group=1, num_heads=2, window_size=4, mid_dim=16, aim_reduction_ratio=4)
    net = FDAT(num_in_ch=bands, num_out_ch=bands, scale=scale, upsampler_type=upsampler, **{**shape, **options})
    last = [key for key in net.state_dict() if key.startswith("upsampler.") and key.endswith("weight")][-1]
    last = last.replace("offset", "end_conv").replace("scope", "end_conv")
    return Case(net, height, width, bands=bands, factors={last: 0.5, last.replace("weight", "bias"): bias},
                given=("MetaUpsample",))


def craft(scale, height, width, bands=3, **options):
    # With fewer features the layers for offsets would have but one of their own.
    shape = dict(embed_dim=64, depths=[1, 2], num_heads=[4, 4], split_size_0=2, split_size_1=4)
    net = CRAFT(in_chans=bands, upscale=scale, **{**shape, **options})

    def small(net, x):
        return net(pad_tensor(x, SizeRequirements(minimum=16))[1])[:, :, :height * scale, :width * scale]
    call = small if min(height, width) < 8 else None
    return Case(net, height, width, bands=bands, factors={"upsample.0.weight": 0.3}, call=call,
                given=("relative_position_index_h", "relative_position_index_v", "biases_h", "biases_v"))


def dctlsa(scale, height, width, bands=3):
    net = DCTLSA(in_nc=bands, out_nc=bands, nf=10, upscale=scale)

    def call(net, x):
        return net(pad_tensor(x, SizeRequirements(minimum=16))[1])[:, :, :height * scale, :width * scale]
    return Case(net, height, width, bands=bands, factors={"upsampler.0.weight": 0.5}, call=call)


CASES = {
    "dctlsa_x2": lambda: dctlsa(2, 20, 33),
    "dctlsa_grey_x3": lambda: dctlsa(3, 12, 9, bands=1),
    "craft_x2": lambda: craft(2, 12, 9),
    "craft_small_x4": lambda: craft(4, 7, 9, depths=[1]),
    "craft_grey_x3": lambda: craft(3, 16, 17, bands=1, qkv_bias=False, resi_connection="identity", depths=[1]),
    "swin_ir_shuffle_x4": lambda: swin_ir(upsampler="pixelshuffle", upscale=4),
    "swin_ir_shuffle_x3": lambda: swin_ir(upsampler="pixelshuffle", upscale=3, depths=[1, 2], num_heads=[2, 4]),
    "swin_ir_direct_x2": lambda: swin_ir(upsampler="pixelshuffledirect", upscale=2, last="upsample.0.weight"),
    "swin_ir_nearest_x4": lambda: swin_ir(upsampler="nearest+conv", upscale=4, resi_connection="3conv", mlp_ratio=1.5),
    "swin_ir_none": lambda: swin_ir(),
    "swin_ir_jpeg_grey": lambda: swin_ir(bands=1, img_size=14, window_size=7, height=12, width=9, img_range=255.0, factor=0.02),
    # spandrel pads to whole windows before it makes channels of squares: only such sizes give whole windows after it.
    "swin_ir_unshuffle_x2": lambda: swin_ir(upsampler="pixelshuffle", upscale=4, start_unshuffle=2, height=16, width=8),
    "hat_x2": lambda: hat(upscale=2),
    "dat_x2": lambda: dat(upscale=2),
    "fdat_shuffle_x4": lambda: fdat("pixelshuffle", 4, mid_dim=8, bias=-2),
    "fdat_shuffle_x3": lambda: fdat("pixelshuffle", 3),
    "fdat_direct_x3": lambda: fdat("pixelshuffledirect", 3),
    "fdat_nearest_x4": lambda: fdat("nearest+conv", 4),
    "fdat_nearest_x3_grey": lambda: fdat("nearest+conv", 3, bands=1, bias=8),
    "fdat_dysample_x2": lambda: fdat("dysample", 2, mid_dim=8, bias=-2),
    "fdat_transposed_x2": lambda: fdat("transpose+conv", 2),
    "fdat_transposed_x3": lambda: fdat("transpose+conv", 3),
    "fdat_transposed_x4": lambda: fdat("transpose+conv", 4),
    "fdat_local_x2": lambda: fdat("lda", 2),
    "fdat_local_x3": lambda: fdat("lda", 3, mid_dim=24),
    "fdat_attention_x4": lambda: fdat("pa_up", 4),
    "fdat_attention_x3": lambda: fdat("pa_up", 3, mid_dim=8, bias=-2),
    "fdat_none": lambda: fdat("conv", 1),
    "fdat_squares_x2": lambda: fdat("pixelshuffle", 2, 9, 7, unshuffle_mod=True, bias=-2),
    "fdat_squares_x1": lambda: fdat("nearest+conv", 1, 11, 10, unshuffle_mod=True),
    "sr_former_shuffle_x2": lambda: sr_former(upsampler="pixelshuffle", upscale=2),
    "sr_former_direct_x3": lambda: sr_former(upsampler="pixelshuffledirect", upscale=3, last="upsample.0.weight"),
    "drct_x2": drct,
    "rgt_x2": lambda: rgt(18, 17),
    "omni_sr_x2": lambda: omni_sr(18, 17),
    "omni_sr_bare": lambda: omni_sr(17, 19, pe=False, bias=False, window_size=8, up_scale=3),
    "atd_shuffle_x2": lambda: atd(10, 9, upsampler="pixelshuffle", upscale=2),
    # More pixels than attend to each other, and not a multiple of that.
    "atd_kinds": lambda: atd(18, 15),
    "swin2_sr_shuffle_x2": lambda: swin2_sr(upsampler="pixelshuffle", upscale=2),
    "swin2_sr_auxiliary_x2": lambda: swin2_sr(upsampler="pixelshuffle_aux", upscale=2),
    "swin2_sr_jpeg_grey": lambda: swin2_sr(bands=1, height=12, width=9, upscale=1, img_size=14, window_size=7, img_range=255.0, factor=0.02),
}

write_all(CASES, "spandrel 0.4.2")
