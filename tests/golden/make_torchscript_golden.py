#!/usr/bin/env python3
"""Golden vectors of the MobileNet v1 embedding network by PyTorch on Pillow's resize, for some sample pictures.
Writes tests/golden/torchscript_vectors.csv. Needs torch, numpy and Pillow; IMGMILL_TEST_ASSETS names the weights."""
import os

import numpy as np
import torch
from PIL import Image

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
net = torch.jit.load(os.environ["IMGMILL_TEST_ASSETS"] + "/weights/torchscript/mobilenet_v1_0.25_224_embed256_f32.pt").eval()
with open(os.path.join(root, "tests", "golden", "torchscript_vectors.csv"), "w") as out:
    out.write("picture,first 32 of 256 floats, length 1\n")
    for name in ["harbour.jpg", "marble.jpg", "mountains_half.jpg", "poster.png", "tartan.jpg"]:
        picture = Image.open(os.path.join(root, "sample_data", name)).convert("RGB").resize((224, 224), Image.BILINEAR)
        pixels = torch.tensor(np.asarray(picture).astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        with torch.inference_mode():
            vector = net(pixels).reshape(-1).numpy().astype(np.float64)
        vector /= np.linalg.norm(vector)
        out.write(name + "," + ",".join("%.8f" % v for v in vector[:32]) + "\n")
