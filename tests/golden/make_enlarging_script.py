#!/usr/bin/env python3
"""A TorchScript program that doubles an image, which no command takes: tests/golden/enlarging_script.pt. Needs torch."""
import pathlib

import torch


class Doubles(torch.nn.Module):
    def forward(self, image):
        return image.repeat_interleave(2, 2).repeat_interleave(2, 3)


torch.jit.save(torch.jit.script(Doubles()), str(pathlib.Path(__file__).with_name("enlarging_script.pt")))
