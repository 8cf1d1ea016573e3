"""Compiles three convolutions with AOTInductor for the CPU: make_aoti_package.py OUT.pt2"""
import sys

import torch

layers = []
for inputs, outputs in ((3, 64), (64, 64), (64, 3)):
    layers += [torch.nn.Conv2d(inputs, outputs, 3, padding=1), torch.nn.ReLU()]
network = torch.nn.Sequential(*layers).eval()
with torch.no_grad():
    program = torch.export.export(network, (torch.rand(1, 3, 128, 128),))
    torch._inductor.aoti_compile_and_package(program, package_path=sys.argv[1])
