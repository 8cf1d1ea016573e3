#!/usr/bin/env python3
"""Networks that judge and compare images against their peers, from the image file to the score or the distance: two
tables of the largest difference.

Weights come from a seed (LAION's linear heads, and LPIPS's on each layer, are the published ones), are saved by the peer,
and are read by both. Peers: open_clip with dense layers for the heads, pyiqa's HyperNet, timm for the watermark detector and
one of the NSFW networks, transformers for the other, lpips, and for ICNet, which no package has, the Python form in
tests/golden/quality_networks.py.

Usage: bench/peers/quality_parity.py --program build/release/bin/imgmill --assets FOLDER [--only WORD]
Needs: torch, torchvision, timm, open_clip, transformers, pyiqa (its --no-deps will do), lpips, safetensors, Pillow
"""
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import types

import numpy as np
import torch
from PIL import Image, ImageFilter
from safetensors.torch import save_file
from torchvision import transforms

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden"))
from embed_parity import arguments, chosen, processor, published, seeded  # noqa: E402
import quality_networks  # noqa: E402

WITHIN = 1e-4  # of the range
PHOTOS = 5


class Peer:
    """What gives a score of a Pillow image, and the tensors of the files that imgmill is given.

    scale  from the lowest to the highest score that people gave
    """

    def __init__(self, signal, scale, score, state, clip=None, real=None):
        self.signal, self.scale, self.score, self.state, self.clip, self.real = signal, scale, score, state, clip, real


def aesthetic(clip_name, make_head, real=None):
    """OpenAI's CLIP has QuickGELU; of its vectors only the direction counts."""
    import open_clip
    clip = seeded(lambda: open_clip.create_model(clip_name + "-quickgelu", pretrained=None)).eval()
    show = open_clip.image_transform(clip.visual.image_size, is_train=False)
    head = make_head()

    def score(image):
        return head(torch.nn.functional.normalize(clip.encode_image(show(image)[None]), dim=-1))
    return Peer("aesthetic", 10, score, head.state_dict(), clip.state_dict(), real)


def linear(assets, clip_name, file):
    path = assets / "weights/LAION-AI+aesthetic-predictor" / file
    weights = torch.load(path, map_location="cpu", weights_only=True)
    head = torch.nn.Linear(weights["weight"].shape[1], 1)
    head.load_state_dict(weights)
    return aesthetic(clip_name, lambda: head, path)


class Improved(torch.nn.Module):
    """The improved aesthetic predictor: five dense layers, dropout between them, no activation."""

    def __init__(self):
        super().__init__()
        sizes = {0: (768, 1024), 2: (1024, 128), 4: (128, 64), 6: (64, 16), 7: (16, 1)}
        self.layers = torch.nn.Sequential(*(torch.nn.Linear(*sizes[i]) if i in sizes else torch.nn.Dropout(0.2)
                                            for i in range(8)))

    def forward(self, x):
        return self.layers(x)


def improved():
    torch.manual_seed(11)
    net = Improved().eval()
    with torch.no_grad():
        for layer in net.layers:
            if isinstance(layer, torch.nn.Linear):
                torch.nn.init.normal_(layer.weight, 0, 1.5 * layer.in_features ** -0.5)
    return net


def pyiqa_hypernet():
    """The class alone: the package wants much more than it needs."""
    import timm
    if "pyiqa" not in sys.modules:
        root = pathlib.Path(importlib.util.find_spec("pyiqa").origin).parent
        for name in ("pyiqa", "pyiqa.archs", "pyiqa.utils"):
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    from pyiqa.archs import hypernet_arch
    create = timm.create_model
    timm.create_model = lambda name, pretrained, **options: create(name, pretrained=False, **options)
    try:
        return hypernet_arch.HyperNet(pretrained=False)
    finally:
        timm.create_model = create


def authors_names(key):
    for i in range(1, 6):
        key = key.replace(f"fc_w_modules.{i - 1}.", f"fc{i}w_conv." if i < 5 else "fc5w_fc.")
        key = key.replace("fc5w_fc.2.", "fc5w_fc.").replace(f"fc_b_modules.{i - 1}.2", f"fc{i}b_fc")
        key = key.replace(f"lda_modules.{i - 1}.0", f"res.lda{i}_pool.0")
        key = key.replace(f"lda_modules.{i - 1}.{3 if i < 4 else 2}", f"res.lda{i}_fc")
    return key.replace("base_model.", "res.")


def hyperiqa(rename):
    net = seeded(pyiqa_hypernet).eval()
    state = {rename(key): value for key, value in net.state_dict().items()}
    return Peer("hyperiqa", 1, lambda image: net(transforms.functional.to_tensor(image)[None]), state)


def icnet():
    net = seeded(lambda: quality_networks.IcNet(with_map=True)).eval()
    # Or all images would come to nearly the same: grey is brought to a half, and what differs from it counts for more.
    with torch.no_grad():
        grey = torch.logit(net(torch.zeros(1, 3, 512, 512))[0, 0])
        net.head[2].bias.sub_(grey).mul_(300)
        net.head[2].weight.mul_(300)
    show = transforms.Compose([transforms.Resize((512, 512)), transforms.ToTensor(),
                               transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    return Peer("complexity", 1, lambda image: net(show(image)[None]), net.state_dict())


def widened(net):
    """The network with dense layers that keep the size of what they are given, whoever made it."""
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, torch.nn.Linear):
                torch.nn.init.normal_(layer.weight, 0, 1.6 * layer.in_features ** -0.5)
    return net


def sharpened(net, last, show, times):
    """The network with a last layer that calls grey even and makes more of what differs from it, or all images would come
    to nearly the same."""
    with torch.inference_mode():
        grey = net(show(Image.new("RGB", (300, 200), (120, 120, 120)))[None])[0].clone()
    with torch.no_grad():
        last.bias.sub_(grey).mul_(times)
        last.weight.mul_(times)
    return net


def watermark():
    """As LAION-5B-WatermarkDetection's example_use.py makes it and shows it images."""
    import timm

    def make():
        net = timm.create_model("efficientnet_b3", num_classes=2)
        net.classifier = torch.nn.Sequential(torch.nn.Linear(1536, 625), torch.nn.ReLU(), torch.nn.Dropout(0.3),
                                             torch.nn.Linear(625, 256), torch.nn.ReLU(), torch.nn.Linear(256, 2))
        return net
    net = widened(seeded(make)).eval()
    show = transforms.Compose([transforms.Resize((256, 256)), transforms.ToTensor(),
                               transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    sharpened(net, net.classifier[5], show, 400)
    return Peer("watermark", 1, lambda image: net(show(image)[None]).softmax(1)[0, 0], net.state_dict())


class NormalizedHead(torch.nn.Module):
    """LAION's NSFW heads by AutoKeras, in the form and under the names of their PyTorch files."""

    def __init__(self, *sizes):
        super().__init__()
        self.norm = torch.nn.Module()
        self.norm.register_buffer("mean", torch.randn(sizes[0]) * 0.02)
        self.norm.register_buffer("variance", torch.rand(sizes[0]) * 1e-3 + 1e-4)
        self.count = len(sizes) - 1
        for i in range(self.count):
            setattr(self, f"linear_{i + 1}", torch.nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, x):
        x = (x - self.norm.mean) / (self.norm.variance.sqrt() + 1e-10)
        for i in range(1, self.count):
            x = getattr(self, f"linear_{i}")(x).relu()
        return getattr(self, f"linear_{self.count}")(x).sigmoid()


class NumberedHead(torch.nn.Module):
    """The one on ViT-H/14, whose last two layers have no activation."""

    def __init__(self):
        super().__init__()
        layers = []
        for a, b in ((1024, 1024), (1024, 2048), (2048, 1024), (1024, 256), (256, 128)):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU(), torch.nn.Dropout(0.2)]
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(128, 16), torch.nn.Linear(16, 1))

    def forward(self, x):
        return self.layers(x)


def nsfw_head(clip, make_head):
    """@param clip  the CLIP, and with what activation it is made"""
    import open_clip
    torch.manual_seed(11)
    head = widened(make_head()).eval()
    net = seeded(clip).eval()
    show = open_clip.image_transform(net.visual.image_size, is_train=False)

    def score(image):
        return head(torch.nn.functional.normalize(net.encode_image(show(image)[None]), dim=-1))
    return Peer("nsfw", 1, score, head.state_dict(), net.state_dict())


def openai_clip(name):
    import open_clip
    return lambda: open_clip.create_model(name + "-quickgelu", pretrained=None)


def vit_h(layers=3):
    """ViT-H/14 of fewer blocks."""
    from open_clip import model
    text = model.CLIPTextCfg(context_length=8, vocab_size=16, width=64, heads=1, layers=1)
    return model.CLIP(1024, model.CLIPVisionCfg(layers=layers, width=1280, head_width=80, patch_size=14), text)


def nsfw_vit(side, layers):
    """As transformers makes it of Falconsai's (224) and AdamCodd's (384) configurations."""
    from transformers import ViTConfig, ViTForImageClassification
    config = ViTConfig(num_hidden_layers=layers, image_size=side, num_labels=2)
    net = seeded(lambda: ViTForImageClassification(config)).eval()
    show = processor("ViTImageProcessorPil", size={"height": side, "width": side}, resample=2, image_mean=[0.5] * 3,
                     image_std=[0.5] * 3)

    class Logits(torch.nn.Module):
        def forward(self, x):
            return net(x).logits
    logits = sharpened(Logits(), net.classifier, show, 8)
    return Peer("nsfw", 1, lambda image: logits(show(image)[None]).softmax(1)[0, 1], published(net))


def marqo():
    """As timm makes it of Marqo's configuration: what it takes from this name's own."""
    import timm
    net = seeded(lambda: timm.create_model("vit_tiny_patch16_384", num_classes=2)).eval()
    show = timm.data.create_transform(**timm.data.resolve_model_data_config(net), is_training=False)
    sharpened(net, net.head, show, 20)
    return Peer("nsfw", 1, lambda image: net(show(image)[None]).softmax(1)[0, 0], net.state_dict())


CASES = {
    "LAION's linear head, ViT-B/32": lambda assets: linear(assets, "ViT-B-32", "sa_0_4_vit_b_32_linear.pth"),
    "LAION's linear head, ViT-B/16": lambda assets: linear(assets, "ViT-B-16", "sa_0_4_vit_b_16_linear.pth"),
    "LAION's linear head, ViT-L/14": lambda assets: linear(assets, "ViT-L-14", "sa_0_4_vit_l_14_linear.pth"),
    "Improved aesthetic predictor, ViT-L/14": lambda assets: aesthetic("ViT-L-14", improved),
    "HyperIQA, authors' names": lambda assets: hyperiqa(authors_names),
    "HyperIQA, pyiqa's names": lambda assets: hyperiqa(lambda key: key),
    "ICNet": lambda assets: icnet(),
    "LAION's watermark detector": lambda assets: watermark(),
    "LAION's NSFW head, ViT-B/32": lambda assets: nsfw_head(openai_clip("ViT-B-32"),
                                                            lambda: NormalizedHead(512, 32, 32, 1)),
    "LAION's NSFW head, ViT-L/14": lambda assets: nsfw_head(openai_clip("ViT-L-14"),
                                                            lambda: NormalizedHead(768, 64, 512, 256, 1)),
    "LAION's NSFW head, ViT-H/14 of 3 blocks": lambda assets: nsfw_head(vit_h, NumberedHead),
    "NSFW ViT-B/16, transformers": lambda assets: nsfw_vit(224, 12),
    "NSFW ViT-B/16 of 384 and 3 blocks, transformers": lambda assets: nsfw_vit(384, 3),
    "NSFW ViT-Ti/16 of 384, timm": lambda assets: marqo(),
}


def pictures(assets, folder):
    """Photos, and of each kind that squares on a grid are cut from: smaller than a square, just as large, long."""
    found = []
    for number, photo in enumerate(sorted((assets / "photos/bsds500-val").glob("*.jpg"))[:PHOTOS + 4]):
        image = Image.open(photo).convert("RGB")
        if number >= PHOTOS:
            size = ((90, 131), (224, 300), (225, 224), (1300, 97))[number - PHOTOS]
            image = image.resize(size, Image.Resampling.BICUBIC)
        found.append(folder / f"{number}.png")
        image.save(found[-1])
    return found


def lpips_net(name, scratch):
    """The package's network, its backbone from a seed, and the file of its tensors."""
    import lpips
    net = seeded(lambda: lpips.LPIPS(net=name, pnet_rand=True, verbose=False))
    # What the seed gave the layers that were learned is replaced by what the package has for them.
    root = pathlib.Path(lpips.__file__).parent
    net.load_state_dict(torch.load(root / f"weights/v0.1/{name}.pth", map_location="cpu", weights_only=True),
                        strict=False)
    weights = scratch / f"lpips_{name}.pth"
    torch.save(net.state_dict(), weights)
    return net, weights


def photos_of(assets):
    return [Image.open(path).convert("RGB") for path in sorted((assets / "photos/bsds500-val").glob("*.jpg"))[:4]]


def ran(command):
    run = subprocess.run([*map(str, command), "--no-catalog", "--json", "-q"], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout)


def squashed_distances(name, options, scratch):
    """dedup's: pairs of a photo and what became of it, and of different photos: our distances, and the package's."""
    net, weights = lpips_net(name, scratch)
    photos = photos_of(options.assets)
    pairs = [(photos[0], photos[0].resize((200, 130))), (photos[1], photos[1].transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
             (photos[2], photos[3]), (photos[3], photos[3].point(lambda value: value // 32 * 32))]
    show = transforms.Compose([transforms.Resize((64, 64)), transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    for pair in pairs:
        folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        for number, image in enumerate(pair):
            image.save(folder / f"{number}.png")
        groups = ran([options.program, "dedup", folder, "--method", "lpips", "--model", weights, "--max-distance", "64",
                      "--max-lpips", "1000"])["groups"]
        with torch.inference_mode():
            yield groups[0]["images"][1]["distance"], float(net(show(pair[0])[None], show(pair[1])[None]))


def whole_distances(name, options, scratch):
    """compare's: photos and what became of them, at full size, also larger than a tile."""
    net, weights = lpips_net(name, scratch)
    photos = photos_of(options.assets)
    large = photos[3].resize((1600, 1066), Image.Resampling.BICUBIC)
    pairs = [(photos[0], photos[0].point(lambda value: value // 32 * 32)),
             (photos[1], photos[1].filter(ImageFilter.GaussianBlur(2))),
             (photos[2], photos[2].resize((240, 160)).resize(photos[2].size, Image.Resampling.BICUBIC)),
             (large, large.filter(ImageFilter.GaussianBlur(3))), (large, large.point(lambda value: value // 32 * 32))]
    show = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    for one, other in pairs:
        folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        one.save(folder / "a.png")
        other.save(folder / "b.png")
        found = ran([options.program, "compare", folder / "a.png", folder / "b.png", "--lpips", weights])["pairs"]
        with torch.inference_mode():
            yield found[0]["lpips"], float(net(show(one)[None], show(other)[None]))


def compare_lpips(options, scratch):
    failed = False
    for title, distances in (("dedup's", squashed_distances), ("compare's", whole_distances)):
        print(f"\n| LPIPS 0.1, {title}, on | distances | largest difference |\n|---|---|---|")
        for name in ("alex", "vgg", "squeeze"):
            if not chosen("LPIPS " + name, options):
                continue
            got, expected = np.array(list(distances(name, options, scratch))).T
            largest = np.abs(got - expected).max()
            failed |= not largest <= min(WITHIN, 0.01 * (expected.max() - expected.min()))
            print(f"| {name} | {expected.min():.4g} to {expected.max():.4g} | {largest:.1e} |", flush=True)
    return failed


def main():
    options = arguments().parse_args()
    torch.set_num_threads(2)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="imgmill-quality-parity-"))
    files = pictures(options.assets, scratch)
    failed = False
    print("| weights | scores | largest difference | of the range |\n|---|---|---|---|")
    for name, case in CASES.items():
        if not chosen(name, options):
            continue
        peer = case(options.assets)
        weights = peer.real
        if weights is None:
            weights = scratch / "weights.safetensors"
            save_file({key: value.contiguous() for key, value in peer.state.items()}, weights)
        flags = ["--scorer", str(weights)]
        if peer.clip is not None:
            save_file({key: value.contiguous() for key, value in peer.clip.items()}, scratch / "clip.safetensors")
            flags += ["--scorer-clip", str(scratch / "clip.safetensors")]
        out = scratch / "scores.jsonl"
        run = subprocess.run([options.program, "filter", *map(str, files), *flags, "--no-catalog", "--export",
                              str(out), "-q"], capture_output=True, text=True)
        if run.returncode != 0:
            print(f"| {name} | {run.stderr.strip()} | | |")
            failed = True
            continue
        got = {pathlib.Path(line["path"]).name: line[peer.signal]
               for line in map(json.loads, out.read_text().splitlines())}
        with torch.inference_mode():
            expected = {file.name: float(peer.score(Image.open(file))) for file in files}
        largest = max(abs(expected[key] - got[key]) for key in expected)
        scores = np.array(list(expected.values()))
        # Scores that hardly differ would agree whatever the network does.
        failed |= not largest <= WITHIN * peer.scale or not largest <= 0.01 * (scores.max() - scores.min())
        print(f"| {name} | {scores.min():.4g} to {scores.max():.4g} | {largest:.1e} | {largest / peer.scale:.1e} |",
              flush=True)
    failed |= compare_lpips(options, scratch)
    return 1 if failed else 0


sys.exit(main())
