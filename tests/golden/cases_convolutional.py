#!/usr/bin/env python3
"""Cases of convolutional networks, by spandrel's form of them or, where it has none, by that of forms.py.

Usage: tests/golden/cases_convolutional.py [CASE...]
"""
import forms
import torch
from network_golden import Case, write_all
from spandrel import SizeRequirements
from spandrel.__helpers.size_req import pad_tensor
from spandrel.architectures.DnCNN.__arch.network_dncnn import DnCNN
from spandrel.architectures.DITN.__arch.DITN_Real import DITN_Real
from spandrel.architectures.DRUNet.__arch.network_unet import DRUNet
from spandrel.architectures.FBCNN.__arch.FBCNN import FBCNN
from spandrel.architectures.MMRealSR.__arch.mmrealsr_arch import MMRRDBNet_test as MmRealSr
from spandrel.architectures.MoESR.__arch.MoESR import MoESR
from spandrel.architectures.MoSR.__arch.mosr_arch import MoSR
from spandrel.architectures.NAFNet.__arch.NAFNet_arch import NAFNet
from spandrel.architectures.PLKSR.__arch.PLKSR import PLKSR
from spandrel.architectures.PLKSR.__arch.RealPLKSR import RealPLKSR
from spandrel.architectures.RCAN.__arch.rcan_arch import RCAN
from spandrel.architectures.RealCUGAN.__arch import upcunet_v3
from spandrel.architectures.SAFMN.__arch.safmn import SAFMN
from spandrel.architectures.SCUNet.__arch.SCUNet import SCUNet
from spandrel.architectures.SeemoRe.__arch.seemore_arch import SeemoRe
from spandrel.architectures.SwiftSRGAN.__arch.SwiftSRGAN import Generator as SwiftSrgan
from torch import nn


def continued(scale, **requirements):
    """The call of a network whose image spandrel continues to a size before it is shown."""
    def call(net, x):
        height, width = x.shape[2:]
        return net(pad_tensor(x, SizeRequirements(**requirements))[1])[:, :, :height * scale, :width * scale]
    return call


def cugan(kind, scale, channels=3, factors=None, **options):
    fast = kind == "UpCunet2x_fast"
    net = getattr(upcunet_v3, kind)(in_channels=channels, out_channels=channels, **options)
    call = continued(scale, minimum=40, multiple_of=4) if fast else continued(scale, minimum=32)
    return Case(net, 9, 7, bands=channels, factors=factors, call=call)


def safmn(scale, height, width):
    net = SAFMN(dim=8, n_blocks=2, ffn_scale=1.5, upscaling_factor=scale)
    factors = {"to_img.0.weight": 0.5}
    call = continued(scale, minimum=8) if min(height, width) < 8 else None
    return Case(net, height, width, factors=factors, call=call)


# Layers that see 0 to 255, as large as they are in earnest.
OF_255 = {"sub_mean.bias": 100, "add_mean.bias": 300, "add_mean.weight": 3, "tail.1.weight": 0.4}


def plksr(kind, scale, **options):
    net = kind(dim=12, n_blocks=2, upscaling_factor=scale, split_ratio=0.34, **options)
    factors = {f"feats.{4 if kind is RealPLKSR else 3}.weight": 0.3, "to_img.end_conv.bias": -3}
    return Case(net, 7, 5, factors=factors)


def mosr(scale, upsampler, channels=3):
    net = MoSR(in_ch=channels, out_ch=channels, upscale=scale, n_block=2, dim=12, upsampler=upsampler, kernel_size=5,
               conv_ratio=0.5)
    return Case(net, 7, 5, bands=channels)


def moesr(scale, upsampler, channels=3, dim=16, **options):
    net = MoESR(in_ch=channels, out_ch=channels, scale=scale, dim=dim, n_blocks=2, n_block=2, upsampler=upsampler,
                upsample_dim=12, **options)
    return Case(net, 7, 5, bands=channels, given=["MetaUpsample"])


def mm_real_sr(height, width, channels=3, **options):
    net = MmRealSr(num_in_ch=channels, num_out_ch=channels, num_feat=8, num_block=2, num_grow_ch=4, **options)
    factors = {"de_net.fc_degree.0.2.weight": 5, "dd_embed.0.weight": 2, "conv_last.weight": 0.5}
    return Case(net, height, width, bands=channels, factors=factors,
                call=lambda net, x: net(x, [None] * net.num_degradation)[0])


def dncnn(convs, act_mode, channels=3):
    net = DnCNN(in_nc=channels, out_nc=channels, nc=8, nb=convs, act_mode=act_mode)
    last = 2 * (convs - 1) if act_mode == "R" else 3 * convs - 4
    return Case(net, 12, 9, bands=channels, factors={f"model.{last}.weight": 0.3})


def fdncnn(channels=3):
    net = DnCNN(in_nc=channels + 1, out_nc=channels, nc=8, nb=7, act_mode="R", mode="FDnCNN")
    factors = {"model.12.weight": 0.5 if channels == 3 else 4, "model.12.bias": 1 if channels == 3 else -1.3}
    return Case(net, 12, 9, bands=channels, factors=factors, call=told_noise)


def nafnet(height, width, channels=3):
    net = NAFNet(img_channel=channels, width=8, middle_blk_num=1, enc_blk_nums=[1, 2], dec_blk_nums=[2, 1])
    return Case(net, height, width, bands=channels, factors={"ending.weight": 0.3})


def told_noise(net, x):
    """Of a standard deviation of 15 of 255, as spandrel's descriptors have it."""
    return net(torch.cat([x, torch.full_like(x[:, :1], 15 / 255)], 1))


def padded(call, **requirements):
    """The same of the image that spandrel continues first, cut to the image's size."""
    def cut(net, x):
        return call(net, pad_tensor(x, SizeRequirements(**requirements))[1])[:, :, :x.shape[2], :x.shape[3]]
    return cut


def drunet(height, width, channels=3, told=True):
    net = DRUNet(in_nc=channels + told, out_nc=channels, nc=[8, 12, 16, 20], nb=2)
    call = padded(told_noise if told else (lambda net, x: net(x)), multiple_of=8)
    return Case(net, height, width, bands=channels, factors={"m_tail.weight": 0.5}, call=call)


def fbcnn(height, width, channels=3):
    net = FBCNN(in_nc=channels, out_nc=channels, nc=[8, 12, 16, 20], nb=2)
    for i, (inputs, outputs) in ((4, (20, 24)), (6, (24, 24)), (8, (24, 1))):  # its code says 512
        net.qf_pred[i] = nn.Linear(inputs, outputs)
    return Case(net, height, width, bands=channels, factors={"m_tail.weight": 0.15, "qf_pred.8.weight": 0.05},
                call=lambda net, x: net(x)[0])


def scunet(height, width, channels=3):
    net = SCUNet(in_nc=channels, config=[2, 1, 1, 2, 1, 1, 2])
    return Case(net, height, width, bands=channels, factors={"m_tail.0.weight": 0.1}, call=padded(lambda net, x: net(x), minimum=40))


def swift_srgan(scale, channels=3):
    net = SwiftSrgan(in_channels=channels, num_channels=8, num_blocks=2, upscale_factor=scale)
    return Case(net, 7, 5, bands=channels)


def ditn(scale, height, width, **options):
    net = DITN_Real(dim=12, ITL_blocks=2, SAL_blocks=2, upscale=scale, **options)
    return Case(net, height, width, factors={"upsample.0.weight": 0.5}, call=continued(scale, multiple_of=8))


def seemore(scale, height, width, layers=2, features=12, experts=3, **options):
    net = SeemoRe(scale=scale, num_layers=layers, embedding_dim=features, num_experts=experts, **options)
    # Such networks are added to their input.
    return Case(net, height, width, factors={"upsampler.0.weight": 0.3}, call=continued(scale, minimum=16))


def rcan(scale, height=7, width=5, channels=3, norm=True, **options):
    net = RCAN(scale=scale, n_resgroups=2, n_resblocks=1, n_feats=8, n_colors=channels, norm=norm, reduction=4, **options)
    factors = OF_255 if norm else {"tail.1.weight": 0.3}
    return Case(net, height, width, bands=channels, factors=factors, call=lambda net, x: net(x.clone()))


def basicsr_name(name):
    """Of a layer of EDSR with two blocks and no means of its own."""
    for old, new in (("head.0.", "conv_first."), (".body.0.", ".conv1."), (".body.2.", ".conv2."),
                     ("body.2.", "conv_after_body."), ("tail.0.", "upsample."), ("tail.1.", "conv_last.")):
        name = name.replace(old, new)
    return None if "_mean" in name else name


def edsr(scale, features=8, rename=None):
    net = forms.Edsr(features, blocks=2, scale=scale)
    return Case(net, 7, 5, factors=OF_255, rename=rename)


def art_cnn(bands, **options):
    net = forms.ArtCnn(8, blocks=2, bands=bands, **options)
    last = "depth_to_space.upscale.0."
    return Case(net, 7, 5, bands=bands, factors={last + "weight": 0.3, last + "bias": 2})


# Their biases are negative: most values would be.
DIM = {"unet1.conv_bottom.weight": 0.5, "unet2.conv_bottom.weight": 0.3,
       "unet1.conv_bottom.bias": -3, "unet2.conv_bottom.bias": -1}

CASES = {
    "real_cugan_x2": lambda: cugan("UpCunet2x", 2, factors=DIM),
    "real_cugan_pro_x2": lambda: cugan("UpCunet2x", 2, factors=DIM, pro=True),
    "real_cugan_grey_x2": lambda: cugan("UpCunet2x", 2, channels=1, factors=DIM),
    "real_cugan_x3": lambda: cugan("UpCunet3x", 3, factors=DIM),
    "real_cugan_x4": lambda: cugan("UpCunet4x", 4, factors={"conv_final.weight": 0.3}),
    "real_cugan_pro_x4": lambda: cugan("UpCunet4x", 4, factors={"conv_final.weight": 0.3}, pro=True),
    "safmn_x4": lambda: safmn(4, 17, 11),
    "safmn_x2_small": lambda: safmn(2, 7, 5),
    "plksr_x2": lambda: plksr(PLKSR, 2, kernel_size=7),
    "plksr_iccm_rectangles_x2": lambda: plksr(PLKSR, 2, ccm_type="ICCM", lk_type="RectSparsePLK", kernel_size=9),
    "plksr_dccm_dilated_x3": lambda: plksr(PLKSR, 3, ccm_type="DCCM", lk_type="SparsePLK", use_ea=False),
    "real_plksr_x4": lambda: plksr(RealPLKSR, 4, kernel_size=7),
    "real_plksr_x1": lambda: plksr(RealPLKSR, 1, kernel_size=7),
    "real_plksr_layer_norm_x2": lambda: plksr(RealPLKSR, 2, kernel_size=7, layer_norm=True, use_ea=False),
    "real_plksr_dysample_x4": lambda: plksr(RealPLKSR, 4, kernel_size=7, dysample=True),
    "real_plksr_dysample_x3": lambda: plksr(RealPLKSR, 3, kernel_size=7, dysample=True),
    "real_plksr_dysample_x1": lambda: plksr(RealPLKSR, 1, kernel_size=7, dysample=True),
    "mm_real_sr_x4": lambda: mm_real_sr(17, 14, num_feats=[8, 12, 16], num_blocks=[1, 2, 1], downscales=[2, 2, 1]),
    "mm_real_sr_grey_x4": lambda: mm_real_sr(11, 13, channels=1, num_degradation=3, num_feats=[8, 12], num_blocks=[2, 1], downscales=[2, 2]),
    "moesr_x4": lambda: moesr(4, "pixelshuffledirect"),
    "moesr_shuffle_x2": lambda: moesr(2, "pixelshuffle", dim=20),
    "moesr_shuffle_x3": lambda: moesr(3, "pixelshuffle", expansion_factor=1, expansion_msg=1),
    "moesr_grey_nearest_x4": lambda: moesr(4, "nearest+conv", channels=1),
    "moesr_nearest_x3": lambda: moesr(3, "nearest+conv"),
    "moesr_dysample_x3": lambda: moesr(3, "dysample"),
    "moesr_x1": lambda: moesr(1, "conv"),
    "mosr_x4": lambda: mosr(4, "ps"),
    "mosr_grey_gps_x2": lambda: mosr(2, "gps", channels=1),
    "mosr_dysample_x3": lambda: mosr(3, "dys"),
    "dncnn": lambda: dncnn(8, "R"),
    "dncnn_grey": lambda: dncnn(9, "R", channels=1),
    "dncnn_norms": lambda: dncnn(6, "BR"),
    "fdncnn": lambda: fdncnn(),
    "fdncnn_grey": lambda: fdncnn(channels=1),
    "nafnet": lambda: nafnet(12, 8),
    "nafnet_grey_padded": lambda: nafnet(13, 11, channels=1),
    "drunet": lambda: drunet(12, 9),
    "drunet_grey": lambda: drunet(12, 9, channels=1),
    "drunet_untold": lambda: drunet(8, 8, told=False),
    "fbcnn": lambda: fbcnn(12, 9),
    "fbcnn_grey": lambda: fbcnn(8, 17, channels=1),
    "scunet": lambda: scunet(12, 9),
    "scunet_grey": lambda: scunet(65, 43, channels=1),
    "swift_srgan_x4": lambda: swift_srgan(4),
    "swift_srgan_grey_x2": lambda: swift_srgan(2, channels=1),
    "swift_srgan_x1": lambda: swift_srgan(1),
    "ditn_x2": lambda: ditn(2, 12, 9),
    "ditn_biases_x4": lambda: ditn(4, 8, 7, bias=True, UFONE_blocks=2),
    "seemo_re_x2": lambda: seemore(2, 19, 17, global_kernel_size=5),
    "seemo_re_small_x4": lambda: seemore(4, 9, 7, lr_space="exp"),
    "seemo_re_large_x2": lambda: seemore(2, 12, 9, layers=16, features=48, experts=2, use_shuffle=False, recursive=1),
    "rcan_x4": lambda: rcan(4),
    "rcan_x3_without_means": lambda: rcan(3, norm=False),
    "rcan_grey_x2": lambda: rcan(2, norm=False, channels=1),
    "rcan_squares_x2": lambda: rcan(2, unshuffle_mod=True),
    "rcan_squares_x1": lambda: rcan(1, 15, 13, norm=False, unshuffle_mod=True),
    "real_cugan_fast_x2": lambda: cugan("UpCunet2x_fast", 2, factors={"conv_final.weight": 0.3}),
}
OWN = {
    "safmn_entry_x2": lambda: Case(forms.SafmnEntry(8, 12, blocks=2, scale=2), 18, 20, factors={"to_img.0.weight": 0.3}),
    "edsr_x2": lambda: edsr(2),
    "edsr_x3": lambda: edsr(3),
    "edsr_basicsr_x4": lambda: edsr(4, rename=basicsr_name),
    "edsr_large_x4": lambda: edsr(4, features=256),
    "safmn_pp_x3": lambda: Case(forms.SafmnPp(8, 3, 12, blocks=2, scale=3), 17, 9, factors={"to_img.0.weight": 0.3}),
    "art_cnn_luma_x2": lambda: art_cnn(bands=1, scale=2),
    "art_cnn_x4": lambda: art_cnn(bands=3, scale=4, side=5),
    "safmn_pp_light_x4": lambda: Case(forms.SafmnPp(8, 4, 12, blocks=2, light=True), 9, 8, factors={"to_img.0.weight": 2}),
}

write_all(CASES, "spandrel 0.4.2")
write_all(OWN, "tests/golden/forms.py")
