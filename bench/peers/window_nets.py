"""Networks that attend in windows, with weights from a seed: what model_parity.py compares beside published ones.

Published weights give values from 0 to 1. Those from a seed are made to: what makes colours at the end is scaled and
shifted until a photo's values lie there.
"""
import cv2
import numpy as np
import spandrel
import torch
from einops import rearrange
from torch import nn


_sort = torch.sort


def stable_sort(values, dim=-1, descending=False, stable=True):
    """ATD puts pixels in the order of the tokens that they are like; spandrel leaves the order of equals to the CPU's
    vector instructions. On CUDA, where such networks are trained, they stay in the image's order; here, too."""
    return _sort(values, dim=dim, descending=descending, stable=True)


torch.sort = stable_sort
_tensor = torch.tensor


def unpinned_tensor(*values, pin_memory=False, **options):
    """FDAT asks for pinned memory, of which a PyTorch without CUDA has none."""
    return _tensor(*values, **options)


torch.tensor = unpinned_tensor


def lively(net, seed, photo, last, factor=lambda name: 1):
    """The net's state dict. `last` is the module that makes colours, `photo` a 1 x bands x height x width, `factor` what a
    parameter is multiplied by."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for module in net.modules():
            for name, tensor in module.named_parameters(recurse=False):
                if isinstance(module, (nn.LayerNorm, nn.BatchNorm2d)) and name == "weight":
                    tensor.normal_(1, 0.1)
                elif tensor.dim() > 1 and "table" not in name:
                    tensor.normal_(0, tensor[0].numel() ** -0.5)
                else:
                    tensor.normal_(0, 0.3 if "table" in name else 0.05)
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        for name, tensor in net.named_parameters():
            tensor.mul_(factor(name))
        for _ in range(3):
            output = net.eval()(photo)
            last.weight.mul_(0.18 / output.std())
            if last.bias is not None:
                last.bias.add_(0.5 - output.mean())
    return net.state_dict()


def swin_ir(photo, seed, bands=3, last="conv_last", **options):
    from spandrel.architectures.SwinIR.__arch.SwinIR import SwinIR
    shape = dict(img_size=48, embed_dim=24, depths=[4, 2], num_heads=[4, 3], window_size=8, mlp_ratio=2)
    net = SwinIR(in_chans=bands, **{**shape, **options})
    return lively(net, seed, photo[:, :bands], net.upsample[0] if last == "upsample" else net.conv_last)


def hat(photo, seed, bands=3, **options):
    from spandrel.architectures.HAT.__arch.HAT import HAT
    shape = dict(img_size=64, embed_dim=24, depths=[3, 2], num_heads=[4, 3], window_size=8, mlp_ratio=2,
                 compress_ratio=3, squeeze_factor=6)
    net = HAT(in_chans=bands, **{**shape, **options})
    return lively(net, seed, photo[:, :bands], net.conv_last)


def dat(photo, seed, bands=3, last="conv_last", **options):
    from spandrel.architectures.DAT.__arch.DAT import DAT
    shape = dict(img_size=64, embed_dim=32, split_size=[4, 8], depth=[4, 3], num_heads=[4, 2], expansion_factor=2.0)
    net = DAT(in_chans=bands, **{**shape, **options})
    return lively(net, seed, photo[:, :bands], net.upsample[0] if last == "upsample" else net.conv_last)


def fdat(photo, seed, upsampler, scale, bands=3, **options):
    from spandrel.architectures.FDAT.__arch.fdat import FDAT
    shape = dict(embed_dim=32, num_groups=2, depth_per_group=2, num_heads=4, mid_dim=32, aim_reduction_ratio=4)
    net = FDAT(num_in_ch=bands, num_out_ch=bands, scale=scale, upsampler_type=upsampler, **{**shape, **options})
    last = [each for each in net.upsampler.modules() if isinstance(each, nn.Conv2d)]
    last = net.upsampler[-1].end_conv if upsampler == "dysample" else last[-1]
    return lively(net, seed, photo[:, :bands], last)


class PermutedAttention(nn.Module):
    """SRFormer's attention: the quarters of four pixels' features make a key, and a value, of all features."""

    def __init__(self, features, window, heads):
        super().__init__()
        self.window, self.heads, side = window, heads, window // 2
        self.q = nn.Linear(features, features)
        self.kv = nn.Linear(features, features // 2)
        self.proj = nn.Linear(features, features)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * side - 1) ** 2, heads))
        at = torch.arange(side)
        offset = at[:, None] - at[None, :] + side - 1
        rows = offset[:, None, :, None] * (2 * side - 1) + offset[None, :, None, :]
        rows = rows.repeat_interleave(2, 0).repeat_interleave(2, 1)
        self.register_buffer("aligned_relative_position_index", rows.reshape(window * window, side * side))

    def forward(self, x, mask):
        side, each = self.window // 2, x.shape[2] // self.heads
        q = rearrange(self.q(x), "b n (h d) -> b h n d", h=self.heads)
        parts = rearrange(self.kv(x), "b (i u j v) (two c) -> two b (i j) (u v c)", i=side, j=side, u=2, v=2, two=2)
        k, v = rearrange(parts, "two b n (h d) -> two b h n d", h=self.heads)
        logits = q @ k.transpose(-1, -2) * each ** -0.5
        logits = logits + self.relative_position_bias_table[self.aligned_relative_position_index].permute(2, 0, 1)
        if mask is not None:
            # A key is where its first pixel is.
            firsts = torch.arange(self.window ** 2).view(self.window, self.window)[::2, ::2].flatten()
            logits = logits + mask.repeat(len(x) // len(mask), 1, 1)[:, None, :, firsts]
        return self.proj(rearrange(logits.softmax(-1) @ v, "b h n d -> b n (h d)"))


class ConvFeedForward(nn.Module):
    def __init__(self, features, inner):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(features, inner), nn.Linear(inner, features)
        self.dwconv = nn.Module()
        self.dwconv.depthwise_conv = nn.Sequential(nn.Conv2d(inner, inner, 5, padding=2, groups=inner))

    def forward(self, x, size):
        x = nn.functional.gelu(self.fc1(x))
        planes = rearrange(x, "b (h w) c -> b c h w", h=size[0])
        around = nn.functional.gelu(self.dwconv.depthwise_conv(planes))
        return self.fc2(x + rearrange(around, "b c h w -> b (h w) c"))


class PermutedBlock(nn.Module):
    """In place of one of SwinIR's."""

    def __init__(self, swin):
        super().__init__()
        features = swin.dim
        self.norm1, self.norm2, self.window, self.shift = swin.norm1, swin.norm2, swin.window_size, swin.shift_size
        self.attn = PermutedAttention(features, self.window, swin.num_heads)
        self.mlp = ConvFeedForward(features, swin.mlp.fc1.out_features)
        self.masks = swin.calculate_mask if self.shift else None

    def forward(self, x, size):
        image = rearrange(self.norm1(x), "b (h w) c -> b h w c", h=size[0])
        image = image.roll((-self.shift, -self.shift), (1, 2))
        windows = rearrange(image, "b (i u) (j v) c -> (b i j) (u v) c", u=self.window, v=self.window)
        made = self.attn(windows, self.masks(size).to(x) if self.masks else None)
        image = rearrange(made, "(b i j) (u v) c -> b (i u) (j v) c", u=self.window, b=x.shape[0],
                          i=size[0] // self.window)
        x = x + image.roll((self.shift, self.shift), (1, 2)).flatten(1, 2)
        return x + self.mlp(self.norm2(x), size)


def sr_former_net(bands=3, **options):
    """SRFormer, which spandrel does not know, from its parts above and spandrel's SwinIR: by the paper, and the names
    of the authors' repository (HVision-NKU/SRFormer)."""
    from spandrel.architectures.SwinIR.__arch.SwinIR import SwinIR
    shape = dict(img_size=48, embed_dim=24, depths=[3, 2], num_heads=[4, 3], window_size=16, mlp_ratio=2)
    net = SwinIR(in_chans=bands, **{**shape, **options})
    for layer in net.layers:
        group = layer.residual_group
        group.blocks = nn.ModuleList(PermutedBlock(block) for block in group.blocks)
    return net


def sr_former(photo, seed, bands=3, last="conv_last", **options):
    net = sr_former_net(bands, **options)
    return lively(net, seed, photo[:, :bands], net.upsample[0] if last == "upsample" else net.conv_last), net


def drct(photo, seed, **options):
    from spandrel.architectures.DRCT.__arch.drct_arch import DRCT
    shape = dict(img_size=64, embed_dim=24, depths=(6, 6), num_heads=(4, 3), window_size=16, gc=12,
                 upsampler="pixelshuffle")
    net = DRCT(**{**shape, **options})
    return lively(net, seed, photo, net.conv_last)


def rgt(photo, seed, bands=3, **options):
    from spandrel.architectures.RGT.__arch.rgt import RGT
    shape = dict(embed_dim=32, depth=[4, 3], num_heads=[4, 2], mlp_ratio=2, split_size=[8, 32], c_ratio=0.5)
    net = RGT(in_chans=bands, **{**shape, **options})
    return lively(net, seed, photo[:, :bands], net.conv_last)


def omni_sr(photo, seed, bands=3, **options):
    from spandrel.architectures.OmniSR.__arch.OmniSR import OmniSR
    shape = dict(num_in_ch=bands, num_out_ch=bands, num_feat=32, block_num=1, res_num=2, up_scale=4)
    net = OmniSR(**{**shape, **options})
    return lively(net, seed, photo[:, :bands], net.up[0])


def atd(photo, seed, bands=3, last="conv_last", **options):
    from spandrel.architectures.ATD.__arch.atd_arch import ATD
    shape = dict(embed_dim=24, depths=(2, 2), num_heads=(4, 3), window_size=16, num_tokens=32, reducted_dim=8,
                 category_size=256)
    net = ATD(in_chans=bands, **{**shape, **options})
    return lively(net, seed, photo[:, :bands], net.upsample[0] if last == "upsample" else net.conv_last)


def swin2_sr(photo, seed, bands=3, last="conv_last", **options):
    from spandrel.architectures.Swin2SR.__arch.Swin2SR import Swin2SR
    shape = dict(img_size=48, embed_dim=24, depths=[3, 2], num_heads=[4, 3], window_size=8, mlp_ratio=2)
    net = Swin2SR(in_chans=bands, **{**shape, **options})
    return lively(net, seed, photo[:, :bands], net.upsample[0] if last == "upsample" else net.conv_last)


CASES = {
    "SwinIR, pixelshuffle, x4": lambda photo: swin_ir(photo, 11, upsampler="pixelshuffle", upscale=4),
    "SwinIR, pixelshuffle, x3, window 7, 0..255": lambda photo: swin_ir(
        photo, 12, img_size=56, window_size=7, img_range=255.0, upsampler="pixelshuffle", upscale=3),
    "SwinIR, pixelshuffle, x8, window 16": lambda photo: swin_ir(
        photo, 13, window_size=16, upsampler="pixelshuffle", upscale=8),
    "SwinIR, pixelshuffledirect, x2": lambda photo: swin_ir(
        photo, 14, upsampler="pixelshuffledirect", upscale=2, last="upsample"),
    "SwinIR, nearest+conv, 3conv, x4": lambda photo: swin_ir(
        photo, 15, upsampler="nearest+conv", upscale=4, resi_connection="3conv"),
    "SwinIR, no enlarging, grey": lambda photo: swin_ir(photo, 16, bands=1),
    "SwinIR, no enlarging, colour": lambda photo: swin_ir(photo, 17),
    "HAT, x4": lambda photo: hat(photo, 21, upscale=4),
    "HAT, window 16, x2, no bias of qkv": lambda photo: hat(photo, 22, window_size=16, upscale=2, qkv_bias=False),
    "HAT, x3, grey, no convolution after groups": lambda photo: hat(
        photo, 23, bands=1, upscale=3, resi_connection="identity"),
    "DAT, x4": lambda photo: dat(photo, 31, upscale=4),
    "DAT-S, windows of 8x16, x3, 3conv": lambda photo: dat(
        photo, 32, split_size=[8, 16], upscale=3, resi_connection="3conv"),
    "DAT-light, pixelshuffledirect, windows of 8x32, x2": lambda photo: dat(
        photo, 33, split_size=[8, 32], upscale=2, upsampler="pixelshuffledirect", last="upsample"),
    "DAT, x2, grey, high windows": lambda photo: dat(photo, 34, bands=1, split_size=[8, 4], upscale=2),
    "FDAT, pixelshuffle, x4": lambda photo: fdat(photo, 101, "pixelshuffle", 4, mid_dim=24),
    "FDAT, pixelshuffle, x3, grey": lambda photo: fdat(photo, 102, "pixelshuffle", 3, bands=1),
    "FDAT, pixelshuffledirect, windows of 16, x2": lambda photo: fdat(
        photo, 103, "pixelshuffledirect", 2, window_size=16),
    "FDAT, nearest+conv, x4": lambda photo: fdat(photo, 104, "nearest+conv", 4),
    "FDAT, DySample, x2": lambda photo: fdat(photo, 105, "dysample", 2, mid_dim=48),
    "FDAT, transpose+conv, x4": lambda photo: fdat(photo, 106, "transpose+conv", 4),
    "FDAT, transpose+conv, x3": lambda photo: fdat(photo, 107, "transpose+conv", 3),
    "FDAT, transpose+conv, x2": lambda photo: fdat(photo, 108, "transpose+conv", 2),
    "FDAT, LDA, x2": lambda photo: fdat(photo, 109, "lda", 2, mid_dim=48),
    "FDAT, LDA, x4": lambda photo: fdat(photo, 110, "lda", 4),
    "FDAT, PA, x4": lambda photo: fdat(photo, 111, "pa_up", 4),
    "FDAT, no enlarging": lambda photo: fdat(photo, 112, "conv", 1, num_heads=8),
    "FDAT, squares, x2": lambda photo: fdat(photo, 113, "pixelshuffle", 2, unshuffle_mod=True),
    "FDAT, squares, x1": lambda photo: fdat(photo, 114, "transpose+conv", 1, unshuffle_mod=True),
    "SRFormer, pixelshuffle, x4": lambda photo: sr_former(photo, 41, upsampler="pixelshuffle", upscale=4),
    "SRFormer, pixelshuffledirect, windows of 24, x2": lambda photo: sr_former(
        photo, 42, upsampler="pixelshuffledirect", upscale=2, window_size=24, last="upsample"),
    "SRFormer, nearest+conv, 3conv, x4": lambda photo: sr_former(
        photo, 43, upsampler="nearest+conv", upscale=4, resi_connection="3conv"),
    "SRFormer, no enlarging, grey": lambda photo: sr_former(photo, 44, bands=1),
    "DRCT, x4": lambda photo: drct(photo, 51, upscale=4),
    "DRCT, x3, no convolution after the groups": lambda photo: drct(
        photo, 52, upscale=3, resi_connection="identity"),
    "RGT, x4": lambda photo: rgt(photo, 61, upscale=4),
    "RGT-S, square windows, x2, 3conv, grey": lambda photo: rgt(
        photo, 62, bands=1, split_size=[8, 8], upscale=2, resi_connection="3conv", qkv_bias=False),
    "OmniSR, x4": lambda photo: omni_sr(photo, 71),
    "OmniSR, no positions, no biases, x3": lambda photo: omni_sr(photo, 72, pe=False, bias=False, up_scale=3),
    "OmniSR, two blocks, grey, x2": lambda photo: omni_sr(photo, 73, bands=1, block_num=2, up_scale=2),
    "ATD, x4": lambda photo: atd(photo, 81, upsampler="pixelshuffle", upscale=4),
    "ATD-light, x2": lambda photo: atd(
        photo, 82, embed_dim=48, num_heads=(4, 4), category_size=128, upsampler="pixelshuffledirect", upscale=2,
        last="upsample"),
    "ATD, nearest+conv, 3conv, x4": lambda photo: atd(
        photo, 83, upsampler="nearest+conv", upscale=4, resi_connection="3conv"),
    "ATD, no enlarging, grey, no mean": lambda photo: atd(photo, 84, bands=1, norm=False),
    "Swin2SR, pixelshuffle, x4": lambda photo: swin2_sr(photo, 91, upsampler="pixelshuffle", upscale=4),
    "Swin2SR, pixelshuffle_aux, x4": lambda photo: swin2_sr(photo, 92, upsampler="pixelshuffle_aux", upscale=4),
    "Swin2SR, pixelshuffledirect, x2": lambda photo: swin2_sr(
        photo, 93, upsampler="pixelshuffledirect", upscale=2, last="upsample"),
    "Swin2SR, nearest+conv, 3conv, x4": lambda photo: swin2_sr(
        photo, 94, upsampler="nearest+conv", upscale=4, resi_connection="3conv"),
    "Swin2SR, no enlarging, grey, windows of 7": lambda photo: swin2_sr(
        photo, 95, bands=1, upscale=1, img_size=56, window_size=7, img_range=255.0),
}


class Peer:
    """The network as spandrel reads its file; or, where spandrel does not know it, itself."""

    def __init__(self, path, net=None):
        self.whole = spandrel.ModelLoader(device="cpu").load_from_file(str(path)).eval() if net is None else net.eval()
        self.net = self.whole.model if net is None else net
        self.scale = self.whole.scale if net is None else net.upscale
        self.grey = (self.whole.input_channels if net is None else net.conv_first.in_channels) == 1

    @torch.inference_mode()
    def __call__(self, x):
        x = x.movedim(1, 0) if self.grey else x
        try:
            y = self.net(x.clone())
        except (RuntimeError, ValueError):
            y = self.whole(x)  # it pads what the network itself does not take
        return y.movedim(1, 0) if self.grey else y


def cases(assets, scratch, only):
    """Name, weight file and peer of each case whose name has this word in it."""
    photo = cv2.imread(str(sorted((assets / "photos/bsds500-val").glob("*.jpg"))[3]))[40:104, 60:156, ::-1]
    photo = torch.from_numpy(photo.astype(np.float32) / 255).permute(2, 0, 1)[None]
    for name, make in CASES.items():
        if only not in name:
            continue
        state = make(photo)
        state, *net = state if isinstance(state, tuple) else (state,)
        path = scratch / ("".join(c if c.isalnum() else "_" for c in name) + ".pth")
        torch.save(state, path)
        yield name, path, Peer(path, *net)
