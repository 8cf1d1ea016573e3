#!/usr/bin/env python3
"""A tiny CLIP as OpenAI published theirs: a TorchScript program of both towers in half precision, with three numbers
among its tensors. Writes tests/golden/clip_script.pt, clip_script_vector.csv: what open_clip makes of an image by
the formula of network_golden.py, and clip_script_text_vector.csv: of the text of tokens 6, 2, 7, 0. Needs torch and open_clip."""
import pathlib

import torch
from network_golden import formula
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

SIDE = 16

net = CLIP(12, CLIPVisionCfg(layers=1, width=16, head_width=16, patch_size=8, image_size=SIDE),
           CLIPTextCfg(context_length=4, vocab_size=8, width=16, heads=1, layers=1), quick_gelu=True)
state = net.state_dict()
for name, tensor in state.items():
    if tensor.is_floating_point() and name != "attn_mask":
        values = torch.from_numpy(formula(name, tensor.numel())).float().reshape(tensor.shape)
        tensor.copy_(values.half())
for name, number in (("input_resolution", SIDE), ("context_length", 4), ("vocab_size", 8)):
    if hasattr(net, name):
        delattr(net, name)
    net.register_buffer(name, torch.tensor(number))
net.eval()
image = torch.from_numpy(formula("input", 3 * SIDE * SIDE) + 0.5).float().reshape(1, 3, SIDE, SIDE)
folder = pathlib.Path(__file__).parent
with torch.inference_mode():
    vectors = {"vector": net.encode_image(image)[0], "text_vector": net.encode_text(torch.tensor([[6, 2, 7, 0]]))[0]}
with torch.no_grad():
    program = torch.jit.trace(net, (image, torch.zeros(1, 4, dtype=torch.long)), check_trace=False)
torch.jit.save(program.half(), str(folder / "clip_script.pt"))
for name, vector in vectors.items():
    (folder / f"clip_script_{name}.csv").write_text("".join(f"{value:.9g}\n" for value in vector.tolist()))
