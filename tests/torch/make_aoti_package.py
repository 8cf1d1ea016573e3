"""Compiles a network with AOTInductor for the CPU: make_aoti_package.py OUT.pt2 (convolutions|means)

convolutions: three of them, of 1 x 3 x 128 x 128.
means: the mean of each band of 1 x 3 x 8 x 8 times {{1, 2, 0, 0}, {0, 1, 1, 0}, {0, 0, 1, -1}}.
"""
import sys

import torch


class Means(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.tensor([[1.0, 2, 0, 0], [0, 1, 1, 0], [0, 0, 1, -1]]))

    def forward(self, image):
        return image.mean((2, 3)) @ self.weights


layers = []
for inputs, outputs in ((3, 64), (64, 64), (64, 3)):
    layers += [torch.nn.Conv2d(inputs, outputs, 3, padding=1), torch.nn.ReLU()]
network, side = {"convolutions": (torch.nn.Sequential(*layers), 128), "means": (Means(), 8)}[sys.argv[2]]
with torch.no_grad():
    program = torch.export.export(network.eval(), (torch.rand(1, 3, side, side),))
    torch._inductor.aoti_compile_and_package(program, package_path=sys.argv[1])
