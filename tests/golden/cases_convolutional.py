#!/usr/bin/env python3
"""Cases of convolutional networks, by spandrel's form of them. Usage: tests/golden/cases_convolutional.py [CASE...]"""
from network_golden import Case, write_all
from spandrel import SizeRequirements
from spandrel.__helpers.size_req import pad_tensor
from spandrel.architectures.RealCUGAN.__arch import upcunet_v3


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
    "real_cugan_fast_x2": lambda: cugan("UpCunet2x_fast", 2, factors={"conv_final.weight": 0.3}),
}

write_all(CASES, "spandrel 0.4.2")
