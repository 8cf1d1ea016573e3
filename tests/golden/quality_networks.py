"""HyperIQA and ICNet in PyTorch, of any width: what imgmill's are compared with at small sizes.

Both were written from their papers and from the names of the published files' tensors: Su et al., "Blindly Assess Image
Quality in the Wild Guided by a Self-Adaptive Hyper Network", CVPR 2020; Feng et al., "IC9600: A Benchmark Dataset for
Automatic Image Complexity Assessment", TPAMI 2023. bench/peers/quality_parity.py compares HyperIQA with pyiqa's, too;
of ICNet there is no other program on PyPI.
"""
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet


def stages(block, counts, width):
    """torchvision's ResNet without its classifier."""
    class Narrow(resnet.ResNet):
        def __init__(self):
            super().__init__(block, counts, width_per_group=64)
            if width == 64:
                return
            self.inplanes = width
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            for i, count in enumerate(counts):
                setattr(self, f"layer{i + 1}", self._make_layer(block, width << i, count, stride=2 if i else 1))
    return Narrow()


class HyperIqa(nn.Module):
    """One square of 224 x 224 pixels.

    judged  what each stage gives to the small network, in numbers
    hidden  sizes of its hidden layers
    """

    def __init__(self, counts=(3, 4, 6, 3), width=64, narrow=(16, 32, 64), judged=(16, 16, 16, 176),
                 made_of=(1024, 512, 112), hidden=(112, 56, 28, 14)):
        super().__init__()
        body = stages(resnet.Bottleneck, counts, width)
        self.res = nn.Module()
        for name in ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4"):
            setattr(self.res, name, getattr(body, name))
        features = [4 * width << i for i in range(4)]
        for i in range(4):
            pooled = features[3]
            if i < 3:
                setattr(self.res, f"lda{i + 1}_pool", nn.Sequential(nn.Conv2d(features[i], narrow[i], 1, bias=False),
                                                                    nn.AvgPool2d(7)))
                pooled = narrow[i] * (8 >> i) ** 2
            setattr(self.res, f"lda{i + 1}_fc", nn.Linear(pooled, judged[i]))
        sizes = (features[3], *made_of)
        self.conv1 = nn.Sequential(*(layer for a, b in zip(sizes, sizes[1:])
                                     for layer in (nn.Conv2d(a, b, 1), nn.ReLU())))
        self.sizes = (sum(judged), *hidden, 1)
        for i in range(1, 6):
            a, b = self.sizes[i - 1], self.sizes[i]
            if i < 5:
                setattr(self, f"fc{i}w_conv", nn.Conv2d(made_of[-1], a * b // 49, 3, padding=1))
            else:
                self.fc5w_fc = nn.Linear(made_of[-1], a)
            setattr(self, f"fc{i}b_fc", nn.Linear(made_of[-1], b))

    def forward(self, image):
        res = self.res
        x = F.max_pool2d(res.bn1(res.conv1(image)).relu(), 3, 2, 1)
        parts = []
        for i in range(1, 5):
            x = getattr(res, f"layer{i}")(x)
            pooled = getattr(res, f"lda{i}_pool")(x) if i < 4 else F.avg_pool2d(x, 7)
            parts.append(getattr(res, f"lda{i}_fc")(pooled.flatten(1)))
        judged = torch.cat(parts, 1)
        x = self.conv1(x)
        mean = x.mean((2, 3))
        scores = []
        for n in range(len(image)):
            y = judged[n]
            for i in range(1, 6):
                made = getattr(self, f"fc{i}w_conv")(x[n:n + 1]) if i < 5 else self.fc5w_fc(mean[n:n + 1])
                y = made.reshape(self.sizes[i], self.sizes[i - 1]) @ y + getattr(self, f"fc{i}b_fc")(mean[n])
                if i < 5:
                    y = y.sigmoid()
            scores.append(y)
        return torch.stack(scores)


class MapAttention(nn.Module):
    """A weight for each map of features, made of the map at a size of its own."""

    def __init__(self, side, inner):
        super().__init__()
        self.side = side
        self.linear = nn.Sequential(nn.Linear(side * side, inner), nn.ReLU(), nn.Linear(inner, 1), nn.Sigmoid())

    def forward(self, x):
        small = F.interpolate(x, (self.side, self.side), mode="bilinear", align_corners=True)
        return x * self.linear(small.flatten(2))[..., None]


class Layer(nn.Module):
    def __init__(self, inputs, outputs, side):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, side, padding=side // 2)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class IcNet(nn.Module):
    """The score alone; the published network has a second head, for a map."""

    def __init__(self, side=512, width=64, joined=256, inner=512, with_map=False):
        super().__init__()
        self.size = side
        places = {"b1_1": 16, "b1_2": 16, "b2_1": 16, "b2_2": 16, "b2_3": 32, "b2_4": 64}  # of the image's side
        for branch, count in (("b1_", 2), ("b2_", 4)):
            body = list(stages(resnet.BasicBlock, (2, 2, 2, 2), width).children())
            setattr(self, branch + "1", nn.Sequential(*body[:5]))
            for i in range(2, count + 1):
                setattr(self, f"{branch}{i}", body[3 + i])
        for name, share in places.items():
            setattr(self, name + "_slam", MapAttention(side // share, inner))
        self.up1, self.up2 = Layer(2 * width, joined, 1), Layer(8 * width, joined, 1)
        if with_map:
            self.to_map_f = Layer(2 * joined, 2 * joined, 3)
            self.to_map_f_slam = MapAttention(side // 16, inner)
            self.to_map = nn.Module()
            self.to_map.to_map = nn.Sequential(nn.Conv2d(2 * joined, 1, 1), nn.Sigmoid())
        self.to_score_f = Layer(2 * joined, 2 * joined, 3)
        self.to_score_f_slam = MapAttention(side // 16, inner)
        self.head = nn.Sequential(nn.Linear(2 * joined, inner), nn.ReLU(), nn.Linear(inner, 1), nn.Sigmoid())

    def branch(self, name, count, x):
        for i in range(1, count + 1):
            x = getattr(self, f"{name}{i}_slam")(getattr(self, f"{name}{i}")(x))
        return x

    def forward(self, image):
        def resized(x, side):
            return F.interpolate(x, (side, side), mode="bilinear", align_corners=True)
        detail = self.branch("b1_", 2, image)
        context = self.branch("b2_", 4, resized(image, self.size // 2))
        x = torch.cat([self.up1(resized(detail, self.size // 8)), self.up2(resized(context, self.size // 8))], 1)
        return self.head(self.to_score_f_slam(self.to_score_f(x)).mean((2, 3)))
