"""CARN and CARN-M, written from the paper: Ahn et al., "Fast, Accurate, and Lightweight Super-Resolution with Cascading
Residual Network", ECCV 2018. Keys are those of the published files. bench/peers/set5_psnr.py --peer shows that it reaches
what the original program was measured to reach."""
import torch
from torch import nn


class Shift(nn.Module):
    """Adds to or takes from the colours the mean of the training data. A 1x1 layer of the file."""

    def __init__(self, sign):
        super().__init__()
        self.shifter = nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            self.shifter.weight.copy_(torch.eye(3)[:, :, None, None])
            self.shifter.bias.copy_(sign * torch.tensor([0.4488, 0.4371, 0.4040]))

    def forward(self, x):
        return self.shifter(x)


class Unit(nn.Module):
    """Two convolutions, and in CARN-M, where they are in groups, a 1x1 one behind them."""

    def __init__(self, features, groups, mobile):
        super().__init__()
        conv = [nn.Conv2d(features, features, 3, padding=1, groups=groups) for _ in range(2)]
        layers = [conv[0], nn.ReLU(), conv[1]]
        if mobile:
            layers += [nn.ReLU(), nn.Conv2d(features, features, 1)]
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return torch.relu(self.body(x) + x)


class Joined(nn.Module):
    def __init__(self, inputs, features):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(inputs, features, 1), nn.ReLU())

    def forward(self, x):
        return self.body(x)


class Cascade(nn.Module):
    """Three steps; each sees all before it, joined by a 1x1 layer. With `shared`, one step thrice."""

    def __init__(self, features, step, shared=False):
        super().__init__()
        self.shared = shared
        for i in (1, 2, 3):
            if i == 1 or not shared:
                setattr(self, f"b{i}", step())
            setattr(self, f"c{i}", Joined((i + 1) * features, features))

    def forward(self, x):
        all_features = last = x
        for i in (1, 2, 3):
            step = self.b1 if self.shared else getattr(self, f"b{i}")
            all_features = torch.cat([all_features, step(last)], 1)
            last = getattr(self, f"c{i}")(all_features)
        return last


class Enlarged(nn.Module):
    def __init__(self, features, scale, groups):
        super().__init__()
        layers = []
        for factor in {2: [2], 3: [3], 4: [2, 2], 8: [2, 2, 2]}[scale]:
            layers += [nn.Conv2d(features, features * factor**2, 3, padding=1, groups=groups), nn.ReLU(),
                       nn.PixelShuffle(factor)]
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x)


class Carn(Cascade):
    LEVELS = 1

    def __init__(self, features=64, groups=1, scales=(2, 3, 4), mobile=None):
        mobile = groups > 1 if mobile is None else mobile
        super().__init__(features,
                         lambda: Cascade(features, lambda: Unit(features, groups, mobile), shared=mobile))
        self.sub_mean, self.add_mean = Shift(-1), Shift(1)
        self.entry = nn.Conv2d(3, features, 3, padding=1)
        several = len(scales) > 1
        self.upsample = nn.ModuleDict(
            {f"up{scale}" if several else "up": Enlarged(features, scale, groups) for scale in scales})
        self.exit = nn.Conv2d(features, 3, 3, padding=1)
        self.scale = max(scales)

    def forward(self, x):
        x = super().forward(self.entry(self.sub_mean(x)))
        up = f"up{self.scale}" if len(self.upsample) > 1 else "up"
        return self.add_mean(self.exit(self.upsample[up](x)))
