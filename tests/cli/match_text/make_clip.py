"""Writes a CLIP of one block a tower with drawn weights, as OpenCLIP names them: make_clip.py FILE TOKENS [image]

TOKENS is the length of the vocabulary; with a third argument there is no text tower.
"""
import json
import random
import struct
import sys

WIDTH, LENGTH, CONTEXT = 64, 16, 12
tokens = int(sys.argv[2])
shapes = {"visual.conv1.weight": (WIDTH, 3, 16, 16), "visual.class_embedding": (WIDTH,),
          "visual.positional_embedding": (5, WIDTH), "visual.proj": (WIDTH, LENGTH), "logit_scale": (1,)}
norms = ["visual.ln_pre", "visual.ln_post"]
towers = ["visual."]
if len(sys.argv) < 4:
    shapes |= {"token_embedding.weight": (tokens, WIDTH), "positional_embedding": (CONTEXT, WIDTH),
               "text_projection": (WIDTH, LENGTH)}
    norms.append("ln_final")
    towers.append("")
for tower in towers:
    block = tower + "transformer.resblocks.0."
    norms += [block + "ln_1", block + "ln_2"]
    for name, out, into in (("attn.in_proj_", 3 * WIDTH, WIDTH), ("attn.out_proj.", WIDTH, WIDTH),
                            ("mlp.c_fc.", 2 * WIDTH, WIDTH), ("mlp.c_proj.", WIDTH, 2 * WIDTH)):
        shapes |= {block + name + "weight": (out, into), block + name + "bias": (out,)}
shapes |= {f"{norm}.{part}": (WIDTH,) for norm in norms for part in ("weight", "bias")}

draw = random.Random(5)
header, data = {}, bytearray()
for name, shape in shapes.items():
    count = 1
    for side in shape:
        count *= side
    inputs = count // shape[0] if len(shape) > 1 else 16
    begin = len(data)
    data += struct.pack(f"<{count}f", *(draw.uniform(-1.7, 1.7) / inputs**0.5 for _ in range(count)))
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
text = json.dumps(header).encode()
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
