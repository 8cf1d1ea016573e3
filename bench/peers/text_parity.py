#!/usr/bin/env python3
"""CLIP's texts against open_clip and transformers: tokens of the whole vocabulary and of awkward texts, vectors by
weights from a seed that the peer has saved in each layout, and what `imgmill match --text` finds with them.

Usage: bench/peers/text_parity.py --program build/release/bin/imgmill --vectors build/release/bin/text_vectors
                                  --assets FOLDER [--only WORD]
Needs: torch, open_clip, transformers, safetensors, Pillow
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import open_clip
import torch
from embed_parity import arguments, chosen
from open_clip.tokenizer import default_bpe
from PIL import Image
from safetensors.torch import load_file, save_file

PHOTOS = 4
COSINE, DIFFERENCE = 1 - 1e-6, 1e-5
TEXTS = ["a red bicycle", "a photo of a dog in the snow", "Café &amp; crème brûlée, it's 1984!", "日本語の写真", "🚲",
         "the quick brown fox jumps over the lazy dog " * 12]


def seeded(make):
    torch.manual_seed(11)
    net = make()
    with torch.no_grad():  # norms and biases that do nothing, as they are made, would hide mistakes
        for tensor in net.state_dict().values():
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor.add_(torch.randn_like(tensor) * 0.1)
    return net.eval()


class Peer:
    def __init__(self, net, state, images, texts, show, flags=()):
        self.net, self.state, self.images, self.texts, self.show = net, state, images, texts, show
        self.flags = list(flags)


def openclip(name, prefix=False, numbers=False, flags=()):
    net = seeded(lambda: open_clip.create_model(name, pretrained=None, force_custom_text=prefix))
    state = dict(net.state_dict())
    if numbers:  # as OpenAI's own files have them
        state.update(input_resolution=torch.tensor(224), context_length=torch.tensor(77), vocab_size=torch.tensor(49408))
    show = open_clip.image_transform(net.visual.image_size, is_train=False)
    return Peer(net, state, net.encode_image, net.encode_text, show, flags)


def hugging_face(act="quick_gelu", flags=()):
    import transformers
    config = transformers.CLIPConfig(
        projection_dim=512, vision_config=dict(num_hidden_layers=3, hidden_act=act),
        text_config=dict(num_hidden_layers=6, hidden_act=act, bos_token_id=49406, eos_token_id=49407, pad_token_id=49407))
    net = seeded(lambda: transformers.CLIPModel(config))
    with tempfile.TemporaryDirectory() as folder:
        net.save_pretrained(folder)
        state = load_file(folder + "/model.safetensors")
    show = transformers.CLIPImageProcessorPil()
    return Peer(net, state, lambda x: net.visual_projection(net.vision_model(x).pooler_output),
                lambda ids: net.text_projection(net.text_model(ids).pooler_output),
                lambda image: show(image, return_tensors="pt")["pixel_values"][0], flags)


CASES = {
    "CLIP ViT-B/32, OpenAI": lambda: openclip("ViT-B-32-quickgelu", numbers=True),
    "CLIP ViT-B/32, OpenCLIP": lambda: openclip("ViT-B-32"),
    "CLIP ViT-B/32, OpenCLIP with text.": lambda: openclip("ViT-B-32", prefix=True),
    "CLIP ViT-L/14, OpenCLIP": lambda: openclip("ViT-L-14"),
    "CLIP ViT-B/32 of 3 and 6 blocks, transformers": lambda: hugging_face(),
    "CLIP ViT-B/32 of 3 and 6 blocks, transformers, GELU": lambda: hugging_face("gelu", ["--activation", "gelu"]),
}


def compare_tokens(options):
    """All texts that the vocabulary spells, one by one and in sixes, and those of tests/golden/text."""
    tokenizer = open_clip.SimpleTokenizer()
    words = []
    for token in range(tokenizer.vocab_size - 2):
        data = bytes(tokenizer.byte_decoder[sign] for sign in tokenizer.decoder[token].removesuffix("</w>"))
        try:
            words.append(data.decode())
        except UnicodeDecodeError:
            pass  # a part of a sign
    texts = words + [" ".join(words[i:i + 6]) for i in range(0, len(words), 6)]
    golden = json.loads((pathlib.Path(__file__).parents[2] / "tests/golden/text/tokens.json").read_text())
    texts += [row["text"] for row in golden["texts"]]
    run = subprocess.run([options.vectors, default_bpe(), "49408"], input="\n".join(map(json.dumps, texts)) + "\n",
                         stdout=subprocess.PIPE, text=True, check=True)
    different = 0
    for text, line in zip(texts, run.stdout.splitlines(), strict=True):
        ids = tokenizer(text)[0].tolist()
        ids = ids[:max(i for i, token in enumerate(ids) if token) + 1]  # without what fills up
        if json.loads(line)["tokens"] != ids:
            different += 1
            if different <= 20:
                print("different:", repr(text), json.loads(line)["tokens"], ids)
    print(f"{len(texts)} texts, {different} with other tokens\n")
    return different == 0


def unit(vector):
    vector = vector.flatten().double().numpy()
    return vector / np.linalg.norm(vector)


def compare(options, peer, name, folder, photos):
    weights = folder / "weights.safetensors"
    save_file({key: value.contiguous() for key, value in peer.state.items()}, weights)
    ids = open_clip.SimpleTokenizer()(TEXTS)
    with torch.inference_mode():
        texts = [unit(peer.texts(row[None])) for row in ids]
        images = [unit(peer.images(peer.show(Image.open(photo).convert("RGB"))[None])) for photo in photos]
    run = subprocess.run([options.vectors, default_bpe(), "49408", weights, *peer.flags[1:]],
                         input="\n".join(map(json.dumps, TEXTS)) + "\n", capture_output=True, text=True)
    if run.returncode != 0:
        print(f"| {name} | | {run.stderr.strip()} |")
        return False
    cosine, largest = 1.0, 0.0
    for expected, line in zip(texts, run.stdout.splitlines(), strict=True):
        got = unit(torch.tensor(json.loads(line)["vector"]))
        cosine, largest = min(cosine, float(expected @ got)), max(largest, float(np.abs(expected - got).max()))
    catalog = folder / "catalog"
    flags = ["--model", str(weights), "--catalog", str(catalog), *peer.flags]
    subprocess.run([options.program, "embed", *map(str, photos), "-q", *flags], check=True)
    asked = [part for text in TEXTS for part in ("--text", text)]
    run = subprocess.run([options.program, "match", *asked, "--vocabulary", default_bpe(), "--json", "-q", *flags],
                         capture_output=True, text=True, check=True)
    apart = 0.0
    for expected, match in zip(texts, json.loads(run.stdout)["matches"], strict=True):
        for image in match["images"]:
            which = [photo.name for photo in photos].index(pathlib.Path(image["path"]).name)
            apart = max(apart, abs(float(expected @ images[which]) - image["similarity"]))
    subprocess.run(["rm", "-r", catalog], check=True)
    print(f"| {name} | {len(expected)} | {1 - cosine:.1e} | {largest:.1e} | {apart:.1e} |", flush=True)
    return cosine >= COSINE and largest <= DIFFERENCE and apart <= 2e-6


def main():
    parser = arguments()
    parser.add_argument("--vectors", required=True)
    options = parser.parse_args()
    torch.set_num_threads(2)
    photos = sorted((options.assets / "photos/bsds500-val").glob("*.jpg"))[:PHOTOS]
    fine = True
    with tempfile.TemporaryDirectory(prefix="imgmill-text-parity-") as name:
        folder = pathlib.Path(name)
        if not options.only:
            fine = compare_tokens(options)
        print("| weights | length | least cosine, from 1 | largest difference | similarity to photos |\n|---|---|---|---|---|")
        for name, case in CASES.items():
            if chosen(name, options):
                fine = compare(options, case(), name, folder, photos) and fine
    return 0 if fine else 1


sys.exit(main())
