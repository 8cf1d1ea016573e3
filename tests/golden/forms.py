"""Networks that spandrel does not have, in PyTorch: what imgmill's are compared with.

Those of SAFMN and SAFMN++ were checked on their authors' weights by the PSNR that they reach on Set5, as docs/models.md
says. Of EDSR and ArtCNN no weights were at hand: EDSR follows its paper, ArtCNN what its author writes of the R models, with
the names that its PyTorch trainers give to layers.
"""
import torch
from torch import nn
from torch.nn import functional as F


def conv(inputs, outputs, side=3, groups=1, bias=False):
    return nn.Conv2d(inputs, outputs, side, padding=side // 2, groups=groups, bias=bias)


def seen_at(x, square, layer, mode):
    """Maxima of squares through a layer, enlarged again."""
    size = x.shape[2:]
    small = layer(F.adaptive_max_pool2d(x, [side // square for side in size]))
    return F.interpolate(small, size=size, mode=mode)


def bilinear(x, scale):
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)


class SafmnEntry(nn.Module):
    """SAFMN as it was entered to NTIRE 2023."""

    LEVELS = 1  # it takes 0 to 1
    least = 16  # pixels of a side

    def __init__(self, features=36, hidden=72, blocks=8, scale=4):
        super().__init__()
        self.scale = scale
        part = features // 4
        self.norm = nn.ParameterDict({name: nn.Parameter(torch.zeros(1, features, 1, 1)) for name in ("gamma", "beta")})
        self.to_feat = conv(3, features, bias=True)
        self.feats = nn.ModuleList(nn.ModuleDict({
            "safm": nn.ModuleDict({"mfr": nn.ModuleList(conv(part, part, groups=part) for _ in range(4)),
                                   "aggr": conv(features, features, 1)}),
            "ccm": nn.ModuleDict({"ccm": nn.Sequential(conv(features, hidden), nn.GELU(), conv(hidden, features, 1))}),
        }) for _ in range(blocks))
        self.to_img = nn.Sequential(conv(features, 3 * scale * scale, bias=True), nn.PixelShuffle(scale))

    def forward(self, image):
        x = self.to_feat(image)
        energy = x.square().sum((2, 3), keepdim=True).sqrt()
        x = x + self.norm["beta"] + x * self.norm["gamma"] * energy / (energy.mean(1, keepdim=True) + 1e-6)
        for block in self.feats:
            parts = torch.chunk(x, 4, 1)
            layers = block["safm"]["mfr"]
            views = [layers[0](parts[0])]
            views += [seen_at(parts[i], 2 << i, layers[i], "nearest") for i in (1, 2, 3)]
            x = x + x * F.gelu(block["safm"]["aggr"](torch.cat(views, 1)))
            x = x + block["ccm"]["ccm"](x)
        return self.to_img(x) + bilinear(image, self.scale)


class SafmnPp(nn.Module):
    """SAFMN++, as entered to NTIRE 2024, or the light one of AIS 2024."""

    LEVELS, least = 1, 8

    def __init__(self, features=36, weighed=12, hidden=54, blocks=6, scale=4, light=False):
        super().__init__()
        self.scale, self.weighed, self.light = scale, weighed, light

        def mixer():
            if light:
                return nn.ModuleDict({"conv": nn.Sequential(conv(features, hidden), nn.GELU(), conv(hidden, features, 1))})
            return nn.ModuleDict({"conv1": conv(features, hidden), "conv2": conv(hidden, features, 1)})

        self.to_feat = conv(3, features)
        self.feats = nn.ModuleList(nn.ModuleDict({
            "conv1": nn.ModuleDict({"proj": conv(features, features), "dwconv": conv(weighed, weighed, groups=weighed),
                                    "out": conv(features, features, 1)}),
            "conv2": mixer(),
        }) for _ in range(blocks))
        self.to_img = nn.Sequential(conv(features, 3 * scale * scale), nn.PixelShuffle(scale))

    def forward(self, image):
        first = x = self.to_feat(image)
        for block in self.feats:
            layers, mixer = block["conv1"], block["conv2"]
            inner = layers["proj"](x)
            some, rest = inner[:, :self.weighed], inner[:, self.weighed:]
            gate = F.gelu(seen_at(some, 8, layers["dwconv"], "bilinear"))
            y = layers["out"](F.gelu(torch.cat((rest, gate * some), 1)))
            y = mixer["conv"](y) if self.light else mixer["conv2"](F.gelu(mixer["conv1"](y)))
            x = y if self.light else x + y
        return self.to_img(x + first) if self.light else self.to_img(x) + bilinear(image, self.scale)


class Edsr(nn.Module):
    """EDSR, with its authors' names of layers."""

    LEVELS, least = 1, 1

    def __init__(self, features=64, blocks=16, scale=2):
        super().__init__()
        self.scale, self.factor = scale, 0.1 if features >= 256 else 1.0
        self.sub_mean, self.add_mean = (conv(3, 3, 1, bias=True) for _ in range(2))
        mean = torch.tensor((0.4488, 0.4371, 0.4040)) * 255
        for layer, shift in ((self.sub_mean, -mean), (self.add_mean, mean)):
            layer.weight.data.copy_(torch.eye(3).reshape(3, 3, 1, 1))
            layer.bias.data.copy_(shift)

        def same():
            return conv(features, features, bias=True)

        self.head = nn.ModuleList([conv(3, features, bias=True)])
        self.body = nn.ModuleList([nn.ModuleDict({"body": nn.Sequential(same(), nn.ReLU(), same())})
                                   for _ in range(blocks)])
        self.body.append(same())
        ups = []
        for each in {2: [2], 3: [3], 4: [2, 2], 8: [2, 2, 2]}[scale]:
            ups += [conv(features, features * each * each, bias=True), nn.PixelShuffle(each)]
        self.tail = nn.Sequential(nn.Sequential(*ups), conv(features, 3, bias=True))

    def forward(self, image):
        first = x = self.head[0](self.sub_mean(image * 255))
        for block in self.body[:-1]:
            x = x + self.factor * block["body"](x)
        return self.add_mean(self.tail(first + self.body[-1](x))) / 255


class ArtCnn(nn.Module):
    """ArtCNN's residual kind: R8F64 has 8 blocks and 64 features."""

    LEVELS, least = 1, 1

    def __init__(self, features=64, blocks=8, scale=2, bands=1, side=3):
        super().__init__()

        def layer(outputs=features, inputs=features):
            return conv(inputs, outputs, side, bias=True)

        self.conv0 = layer(inputs=bands)
        self.res_block = nn.ModuleList(
            nn.ModuleDict({"conv": nn.ModuleList([nn.Sequential(layer(), nn.ReLU()), nn.Sequential(layer(), nn.ReLU()),
                                                  layer()])}) for _ in range(blocks))
        self.res_block.append(layer())
        self.depth_to_space = nn.ModuleDict(
            {"upscale": nn.Sequential(layer(outputs=bands * scale * scale), nn.PixelShuffle(scale))})

    def forward(self, image):
        first = x = self.conv0(image)
        for block in self.res_block[:-1]:
            y = x
            for each in block["conv"]:
                y = each(y)
            x = x + y
        return self.depth_to_space["upscale"](first + self.res_block[-1](x))
