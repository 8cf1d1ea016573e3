"""Networks of the information distillation family, written from their papers. Keys are those of the published
files. No Python package has them, so that these forms stand for the peer; bench/peers/set5_psnr.py --peer shows that
they reach what the original programs were measured to reach with the same files on Set5, to 0.001 dB.

`LEVELS` of a network is the white that it takes and gives: 1 or 255.
"""
import torch
from torch import nn
from torch.nn import functional as F


def leaky(x):
    return F.leaky_relu(x, 0.05)


class Pointwise(nn.Linear):
    """A 1x1 convolution whose weight is stored as a matrix."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Blueprint(nn.Module):
    """Haase and Amthor, "Rethinking Depthwise Separable Convolutions", CVPR 2020: first 1x1, then each plane by itself."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.pw = Pointwise(inputs, outputs)
        self.dw = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)

    def forward(self, x):
        return self.dw(self.pw(x))


def same(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def one(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 1)


def shuffle(features, scale, bands=3):
    return nn.Sequential(same(features, bands * scale**2), nn.PixelShuffle(scale))


class Attention(nn.Module):
    """Enhanced spatial attention (Liu et al., "Residual Feature Aggregation Network", CVPR 2020). RLFN has one layer
    where the pooled map is small, the others three."""

    def __init__(self, features, inner, point=one, conv=same, layers=3, activation=F.relu):
        super().__init__()
        self.activation = activation
        self.conv1, self.conv_f = point(features, inner), point(inner, inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=2)
        self.small = ["conv_max", "conv3", "conv3_"] if layers == 3 else ["conv3"]
        for name in self.small:
            setattr(self, name, conv(inner, inner))
        self.conv4 = point(inner, features)

    def forward(self, x):
        narrow = self.conv1(x)
        pooled = F.max_pool2d(self.conv2(narrow), kernel_size=7, stride=3)
        for name in self.small:
            pooled = getattr(self, name)(pooled)
            if name != self.small[-1]:
                pooled = self.activation(pooled)
        mask = F.interpolate(pooled, x.shape[2:], mode="bilinear", align_corners=False) + self.conv_f(narrow)
        return x * torch.sigmoid(self.conv4(mask))


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.sub = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.sub(x)


class ImdnBlock(nn.Module):
    """A quarter of the features is kept after each convolution, the rest continues."""

    def __init__(self, features):
        super().__init__()
        self.kept = features // 4
        rest = features - self.kept
        self.conv1 = nn.Sequential(same(features, features))
        self.conv2 = nn.Sequential(same(rest, features))
        self.conv3 = nn.Sequential(same(rest, features))
        self.conv4 = same(rest, self.kept)
        self.conv1x1 = one(4 * self.kept, features)

    def forward(self, x):
        kept, rest = [], x
        for conv in (self.conv1, self.conv2, self.conv3):
            all_features = leaky(conv(rest))
            kept.append(all_features[:, :self.kept])
            rest = all_features[:, self.kept:]
        return x + self.conv1x1(torch.cat([*kept, self.conv4(rest)], 1))


class Imdn(nn.Module):
    """Hui et al., "Lightweight Image Super-Resolution with Information Multi-distillation Network", ACM MM 2019, in the
    form without channel attention that won AIM 2019."""

    LEVELS = 1

    def __init__(self, features=64, blocks=8, scale=4, bands=3):
        super().__init__()
        body = [ImdnBlock(features) for _ in range(blocks)]
        self.model = nn.Sequential(same(bands, features), Residual(*body, same(features, features)),
                                   *shuffle(features, scale, bands))

    def forward(self, x):
        return self.model(x)


class ImdnPlusBlock(nn.Module):
    """A sixth is kept each time."""

    def __init__(self, features):
        super().__init__()
        self.kept = features // 6
        for i in range(6):
            setattr(self, f"c{i + 1}", same(features - i * self.kept, features - i * self.kept))
        self.c7 = one(features, features)

    def forward(self, x):
        kept, rest = [], x
        for i in range(6):
            all_features = F.silu(getattr(self, f"c{i + 1}")(rest))
            kept.append(all_features[:, :self.kept])
            rest = all_features[:, self.kept:]
        return x + self.c7(torch.cat(kept, 1))


class ImdnPlus(nn.Module):
    """Li et al., "NTIRE 2022 Challenge on Efficient Super-Resolution", CVPRW 2022, team 39."""

    LEVELS = 1

    def __init__(self, features=36, blocks=8, scale=4):
        super().__init__()
        body = [ImdnPlusBlock(features) for _ in range(blocks)]
        self.FEM = nn.Sequential(same(3, features), Residual(*body, same(features, features)))
        self.RM = shuffle(features, scale)

    def forward(self, x):
        return self.RM(self.FEM(x))


class Distilling(nn.Module):
    """What RFDN's and BSRN's blocks have in common: of each step's input half the features are kept, by a 1x1 layer."""

    def __init__(self, features, point, conv, activation):
        super().__init__()
        self.activation = activation
        for i in (1, 2, 3):
            setattr(self, f"c{i}_d", point(features, features // 2))
            setattr(self, f"c{i}_r", conv(features, features))
        self.c4 = conv(features, features // 2)
        self.c5 = point(features // 2 * 4, features)

    def fused(self, x):
        kept = []
        for i in (1, 2, 3):
            kept.append(self.activation(getattr(self, f"c{i}_d")(x)))
            x = self.activation(getattr(self, f"c{i}_r")(x) + x)
        kept.append(self.activation(self.c4(x)))
        return self.c5(torch.cat(kept, 1))


class RfdnBlock(Distilling):
    def __init__(self, features, inner):
        super().__init__(features, one, same, leaky)
        self.esa = Attention(features, inner)

    def forward(self, x):
        return self.esa(self.fused(x))


class Rfdn(nn.Module):
    """Liu et al., "Residual Feature Distillation Network for Lightweight Image Super-Resolution", ECCVW 2020."""

    LEVELS = 255

    def __init__(self, features=50, inner=12, blocks=4, scale=4):
        super().__init__()
        self.fea_conv = same(3, features)
        self.body = [f"B{i + 1}" for i in range(blocks)]
        for name in self.body:
            setattr(self, name, RfdnBlock(features, inner))
        self.c = nn.Sequential(one(blocks * features, features))
        self.LR_conv = same(features, features)
        self.upsampler = shuffle(features, scale)

    def forward(self, x):
        x = first = self.fea_conv(x)
        each = []
        for name in self.body:
            x = getattr(self, name)(x)
            each.append(x)
        return self.upsampler(self.LR_conv(leaky(self.c(torch.cat(each, 1)))) + first)


class RlfnBlock(nn.Module):
    def __init__(self, features, middle, inner):
        super().__init__()
        self.c1_r, self.c2_r, self.c3_r = same(features, middle), same(middle, middle), same(middle, features)
        self.c5 = one(features, features)
        self.esa = Attention(features, inner, layers=1)

    def forward(self, x):
        return self.esa(self.c5(leaky(self.c3_r(leaky(self.c2_r(leaky(self.c1_r(x)))))) + x))


class Rlfn(nn.Module):
    """Kong et al., "Residual Local Feature Network for Efficient Super-Resolution", CVPRW 2022."""

    LEVELS = 255

    def __init__(self, features=46, middle=48, inner=16, blocks=4, scale=4):
        super().__init__()
        self.fea_conv = same(3, features)
        self.body = [f"B{i + 1}" for i in range(blocks)]
        for name in self.body:
            setattr(self, name, RlfnBlock(features, middle, inner))
        self.LR_conv = same(features, features)
        self.upsampler = shuffle(features, scale)

    def forward(self, x):
        x = first = self.fea_conv(x)
        for name in self.body:
            x = getattr(self, name)(x)
        return self.upsampler(self.LR_conv(x) + first)


class Activated(nn.Module):
    def __init__(self, name, conv, features):
        super().__init__()
        self.conv = name
        setattr(self, name, conv(features, features))
        self.act = nn.PReLU(features)

    def forward(self, x):
        return self.act(getattr(self, self.conv)(x))


class EfdnBlock(nn.Module):
    def __init__(self, features, inner):
        super().__init__()
        self.conv1 = Activated("conv1x1", one, features)
        self.conv2, self.conv3 = (Activated("rep_conv", same, features) for _ in range(2))
        self.branch = nn.ModuleList(one(features, features // 2) for _ in range(4))
        self.fuse = one(features // 2 * 4, features)
        self.att = Attention(features, inner)

    def forward(self, x):
        first = self.conv1(x)
        second = self.conv2(first)
        each = (x, first, second, self.conv3(second))
        narrow = [branch(y) for branch, y in zip(self.branch, each)]
        return self.att(self.fuse(torch.cat(narrow, 1))) + x


class Efdn(nn.Module):
    """Wang, "Edge-enhanced Feature Distillation Network for Efficient Super-Resolution", CVPRW 2022, its blocks already
    turned into plain convolutions."""

    LEVELS = 1

    def __init__(self, features=48, inner=12, scale=4):
        super().__init__()
        self.head = same(3, features)
        self.cells = nn.ModuleList(EfdnBlock(features, inner) for _ in range(4))
        self.local_fuse = nn.ModuleList(one(2 * features, features) for _ in range(3))
        self.tail = shuffle(features, scale)

    def forward(self, x):
        head = self.head(x)
        first = self.cells[0](head)
        second = self.cells[1](first)
        third = self.cells[2](self.fuse(0, first, second))
        fourth = self.cells[3](self.fuse(1, second, third))
        return self.tail(self.fuse(2, second, fourth) + head)

    def fuse(self, pair, one, other):
        return self.local_fuse[pair](torch.cat([one, other], 1))


class BsrnBlock(Distilling):
    def __init__(self, features, inner):
        super().__init__(features, Pointwise, Blueprint, F.gelu)
        self.esa = Attention(features, inner, Pointwise, Blueprint, activation=F.gelu)
        self.cw = nn.Parameter(torch.ones(1, features))
        self.conv_out = Pointwise(features, features)

    def forward(self, x):
        return self.conv_out(self.esa(self.fused(x)) * self.cw[..., None, None]) + x


class Bsrn(nn.Module):
    """Li et al., "Blueprint Separable Residual Network for Efficient Image Super-Resolution", CVPRW 2022, the small form
    of the challenge, with a learned weight for each feature instead of channel attention."""

    LEVELS = 1

    def __init__(self, features=48, inner=12, blocks=5, scale=4):
        super().__init__()
        self.fea_conv = Blueprint(12, features)
        self.body = [f"B{i + 1}" for i in range(blocks)]
        for name in self.body:
            setattr(self, name, BsrnBlock(features, inner))
        self.c1, self.c2 = Pointwise(blocks * features, features), Blueprint(features, features)
        self.upsampler = nn.ModuleDict({"upsampleOneStep": shuffle(features, scale)})

    def forward(self, x):
        x = first = self.fea_conv(torch.cat([x] * 4, 1))
        each = []
        for name in self.body:
            x = getattr(self, name)(x)
            each.append(x)
        return self.upsampler["upsampleOneStep"](self.c2(F.gelu(self.c1(torch.cat(each, 1)))) + first)
