#!/usr/bin/env python3
"""Embedding networks against their own libraries, from the image file to the vector: a table of the least cosine and
the largest difference of vectors of length 1.

Weights come from a seed (real ones where the test assets have them), are saved by the peer under the names that it
publishes, and are read by both. The peer's side is its own preprocessing of the file as Pillow reads it.

Usage: bench/peers/embed_parity.py --program build/release/bin/imgmill --assets FOLDER [--only WORD]
Needs: torch, torchvision, timm, open_clip, transformers, safetensors, Pillow, onnx, onnxruntime
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision import transforms

PHOTOS = 4
COSINE, DIFFERENCE = 1 - 1e-6, 1e-5


class Peer:
    """A network, what it is saved as, how it is shown a picture, and what is asked of it."""

    def __init__(self, net, state, show, vector=None, flags=()):
        self.net, self.state, self.show, self.flags = net.eval(), state, show, list(flags)
        self.vector = vector or (lambda net, x: net(x))

    def save(self, folder):
        """@return the file that imgmill reads"""
        path = folder / "weights.safetensors"
        save_file({key: value.contiguous() for key, value in self.state.items()}, path)
        return path


def seeded(make):
    torch.manual_seed(7)
    net = make()
    # Norms that do nothing, as they are made, would hide mistakes.
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if not tensor.is_floating_point():
                continue
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif name.endswith("running_mean"):
                tensor.normal_(0, 0.1)
            elif tensor.dim() == 1:
                tensor.add_(torch.randn_like(tensor) * 0.1)
    return net


def imagenet(size, shorter, interpolation, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)):
    """torchvision's transforms on a Pillow image."""
    return transforms.Compose([transforms.Resize(shorter, interpolation), transforms.CenterCrop(size),
                               transforms.ToTensor(), transforms.Normalize(mean, std)])


def openclip(name, drop_visual=False):
    import open_clip
    net = seeded(lambda: open_clip.create_model(name, pretrained=None))
    state = net.state_dict()
    if drop_visual:
        state = {key[len("visual."):]: value for key, value in state.items() if key.startswith("visual.")}
    show = open_clip.image_transform(net.visual.image_size, is_train=False)
    return Peer(net, state, show, lambda net, x: net.encode_image(x))


def openai_clip():
    """OpenAI's own file: the numbers beside the weights, and QuickGELU."""
    peer = openclip("ViT-B-32-quickgelu")
    peer.state = dict(peer.state, input_resolution=torch.tensor(224), context_length=torch.tensor(77),
                      vocab_size=torch.tensor(49408))
    peer.flags = []
    return peer


def published(net):
    """The state dict under the names that transformers saves, which are not those that it has in memory."""
    with tempfile.TemporaryDirectory() as folder:
        net.save_pretrained(folder)
        return load_file(folder + "/model.safetensors")


def processor(name, **options):
    """transformers' preprocessing on Pillow, not on tensors, which rounds otherwise."""
    import transformers
    made = getattr(transformers, name)(**options)
    return lambda image: made(image, return_tensors="pt")["pixel_values"][0]


def hf_clip(act="quick_gelu", flags=()):
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
    config = CLIPVisionConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=3, num_attention_heads=12,
                              patch_size=16, projection_dim=512, hidden_act=act)
    net = seeded(lambda: CLIPVisionModelWithProjection(config))
    return Peer(net, published(net), processor("CLIPImageProcessorPil"), lambda net, x: net(x).image_embeds, flags)


def torchvision_net(name, strip, size=224, shorter=256):
    import torchvision
    net = seeded(lambda: getattr(torchvision.models, name)(weights=None))
    state = {key: value.clone() for key, value in net.state_dict().items()}
    strip(net)
    return Peer(net, state, imagenet(size, shorter, transforms.InterpolationMode.BILINEAR))


def timm_net(name, show=None, state=None, batches=0):
    """@param batches  what training by PyTorch would have counted"""
    import timm
    net = seeded(lambda: timm.create_model(name, pretrained=False)).eval()
    if state is not None:
        net.load_state_dict(state)
    for key, value in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            value.fill_(batches)
    kept = {key: value.clone() for key, value in net.state_dict().items()}
    if show is None:
        show = timm.data.create_transform(**timm.data.resolve_data_config({}, model=net))
    net.reset_classifier(0)
    return Peer(net, kept, show)


def timm_vit(name, depth=3, projects=False, **options):
    """By what timm shows the weights of this name. A projection has no biases, which timm writes as zeros."""
    import timm
    net = seeded(lambda: timm.create_model(name, pretrained=False, depth=depth, **options)).eval()
    if projects:
        with torch.no_grad():
            net.head.bias.zero_()
    show = timm.data.create_transform(**timm.data.resolve_data_config({}, model=net))
    return Peer(net, {key: value.clone() for key, value in net.state_dict().items()}, show)


def quick(peer):
    peer.flags = ["--activation", "quickgelu"]
    return peer


def openclip_siglip():
    import open_clip
    net = seeded(lambda: open_clip.create_model("ViT-B-16-SigLIP", pretrained=None))
    show = open_clip.image_transform(net.visual.image_size, is_train=False, mean=(0.5,) * 3, std=(0.5,) * 3,
                                     resize_mode="squash", interpolation="bicubic")
    return Peer(net, net.state_dict(), show, lambda net, x: net.encode_image(x))


def siglip2():
    """With a text tower, whose vocabulary tells it from SigLIP."""
    from transformers import SiglipConfig, SiglipModel
    text = dict(hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=1, vocab_size=256000)
    net = seeded(lambda: SiglipModel(SiglipConfig(text_config=text, vision_config=dict(num_hidden_layers=3))))
    # As google/siglip2-base-patch16-224 has it: resample is BILINEAR.
    show = processor("SiglipImageProcessorPil", resample=2)
    return Peer(net, published(net), show, lambda net, x: net.vision_model(x).pooler_output)


def meta_convnext():
    """Under Meta's names; timm computes it."""
    peer = timm_net("convnext_tiny", imagenet(224, 256, BICUBIC))
    state = {}
    for key, value in peer.state.items():
        parts = key.split(".")
        if parts[0] == "stem":
            key = "downsample_layers.0." + ".".join(parts[1:])
        elif parts[0] == "head":
            key = ("norm." if parts[1] == "norm" else "head.") + parts[2]
        elif parts[2] == "downsample":
            key = ".".join(["downsample_layers", parts[1], *parts[3:]])
        else:
            name = ".".join(parts[4:]).replace("conv_dw", "dwconv").replace("mlp.fc", "pwconv")
            key = ".".join(["stages", parts[1], parts[3], name])
        state[key] = value
    peer.state = state
    return peer


def no_fc(net):
    net.fc = torch.nn.Identity()


def cut_classifier(layers):
    """torchvision's network up to so many layers of its classifier."""
    def strip(net):
        net.classifier = net.classifier[:layers] if layers else torch.nn.Identity()
    return strip


class Exported(Peer):
    """A network as ONNX, which onnxruntime's Python package runs, too. It is shown -1 to 1."""

    def __init__(self, net):
        size = transforms.Resize((224, 224), transforms.InterpolationMode.BILINEAR)
        to_floats = transforms.Compose([size, transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
        super().__init__(net, None, to_floats, self.run, ["--scale", "1/127.5", "--shift", "-1"])

    def save(self, folder):
        import onnxruntime
        path = folder / "network.onnx"
        torch.onnx.export(self.net, (torch.zeros(1, 3, 224, 224),), str(path), dynamo=False, input_names=["image"],
                          output_names=["embedding"], dynamic_axes={"image": {0: "n"}})
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return path

    def run(self, net, x):
        return torch.from_numpy(self.session.run(None, {"image": x.numpy()})[0])


def exported(name, strip):
    import torchvision
    net = seeded(lambda: getattr(torchvision.models, name)(weights=None))
    strip(net)
    return Exported(net.eval())


def lite0(assets):
    """Real weights that were converted from TensorFlow."""
    state = load_file(assets / "weights/converted/efficientnet_lite0.timm.safetensors")
    return timm_net("tf_efficientnet_lite0", state=state)


def lite0_traced(assets):
    """The same by the traced network, on the same pictures."""
    peer = lite0(assets)
    peer.net = torch.jit.load(str(assets / "weights/converted/efficientnet_lite0.embed1280.ts.pt"))
    normalize = peer.show
    # It takes (x - 127) / 128; timm's preprocessing gives x / 127.5 - 1.
    peer.show = lambda image: ((normalize(image) + 1) * 127.5 - 127) / 128
    peer.vector = lambda net, x: net(x)
    peer.flags = ["--scale", "1/128", "--shift", "-0.9921875"]
    return peer


def cifar(assets):
    """Real weights; the network is written down after the paper's section 4.2."""
    path = assets / "weights/akamaster+pytorch_resnet_cifar10/pretrained_models/resnet20-12fca82f.th"
    state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    state = {key.removeprefix("module."): value for key, value in state.items()}

    class Net(torch.nn.Module):
        def forward(self, x):
            def unit(x, conv, norm, stride=1):
                x = torch.nn.functional.conv2d(x, state[conv + ".weight"], stride=stride, padding=1)
                return torch.nn.functional.batch_norm(x, *(state[norm + end] for end in (
                    ".running_mean", ".running_var", ".weight", ".bias")))
            x = unit(x, "conv1", "bn1").relu()
            for stage in (1, 2, 3):
                for block in range(3):
                    name = f"layer{stage}.{block}."
                    stride = 2 if stage > 1 and block == 0 else 1
                    y = unit(unit(x, name + "conv1", name + "bn1", stride).relu(), name + "conv2", name + "bn2")
                    if stride == 2:
                        quarter = y.shape[1] // 4
                        x = torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter))
                    x = (x + y).relu()
            return x.mean((2, 3))

    return Peer(Net(), state, imagenet(32, 32, BILINEAR))


def hf_dinov2(kind, **options):
    import transformers
    config = getattr(transformers, kind + "Config")(hidden_size=384, num_hidden_layers=3, num_attention_heads=6,
                                                    image_size=518, patch_size=14, **options)
    net = seeded(lambda: getattr(transformers, kind + "Model")(config))
    show = processor("BitImageProcessorPil", size={"shortest_edge": 256}, crop_size=224, do_convert_rgb=True,
                     image_mean=(0.485, 0.456, 0.406), image_std=(0.229, 0.224, 0.225), resample=3)
    return Peer(net, published(net), show, lambda net, x: net(x).pooler_output)


def meta_dinov2(kind, registers):
    """Under Meta's names. transformers computes the blocks; positions are interpolated beforehand as Meta's code has
    it."""
    peer = hf_dinov2(kind)
    state, theirs = {}, peer.state
    for key, value in theirs.items():
        for new, old in (("embeddings.patch_embeddings.projection", "patch_embed.proj"),
                         ("embeddings.position_embeddings", "pos_embed"), ("embeddings.", ""),
                         ("encoder.layer.", "blocks."), ("layer_scale1.lambda1", "ls1.gamma"),
                         ("layer_scale2.lambda1", "ls2.gamma"), ("attention.output.dense", "attn.proj"),
                         ("layernorm.", "norm.")):
            key = key.replace(new, old)
        if "attention.attention" not in key:
            state[key] = value
        elif ".query." in key:
            old = key.replace("blocks.", "encoder.layer.")
            state[key.replace("attention.attention.query", "attn.qkv")] = torch.cat(
                [theirs[old.replace(".query.", part)] for part in (".query.", ".key.", ".value.")])
    peer.state = state
    positions = state["pos_embed"]
    squares = positions[:, 1:].reshape(1, 37, 37, -1).permute(0, 3, 1, 2)
    if registers:
        squares = torch.nn.functional.interpolate(squares, size=(16, 16), mode="bicubic", antialias=True)
    else:
        squares = torch.nn.functional.interpolate(squares, scale_factor=16.1 / 37, mode="bicubic")
    positions = torch.cat([positions[:, :1], squares.flatten(2).transpose(1, 2)], 1)
    peer.net.embeddings.position_embeddings = torch.nn.Parameter(positions)
    mean_std = imagenet(224, 256, transforms.InterpolationMode.BICUBIC)
    peer.show = mean_std
    return peer


def hf_siglip():
    from transformers import SiglipVisionConfig, SiglipVisionModel
    net = seeded(lambda: SiglipVisionModel(SiglipVisionConfig(num_hidden_layers=3)))
    return Peer(net, published(net), processor("SiglipImageProcessorPil"), lambda net, x: net(x).pooler_output)


def hf_dinov3(**options):
    from transformers import DINOv3ViTConfig, DINOv3ViTModel
    net = seeded(lambda: DINOv3ViTModel(DINOv3ViTConfig(num_register_tokens=4, num_hidden_layers=3, **options)))
    # Not transformers' own preprocessing, which resizes before it rounds: an image of 8 bits, as it was trained.
    show = transforms.Compose([transforms.Resize((224, 224), BILINEAR), transforms.ToTensor(),
                               transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    return Peer(net, published(net), show, lambda net, x: net(x).pooler_output)


BILINEAR = transforms.InterpolationMode.BILINEAR
BICUBIC = transforms.InterpolationMode.BICUBIC

CASES = {
    "CLIP ViT-B/32, OpenCLIP": lambda assets: openclip("ViT-B-32"),
    "CLIP ViT-B/32, OpenCLIP without visual.": lambda assets: openclip("ViT-B-32", drop_visual=True),
    "CLIP ViT-B/32, OpenAI": lambda assets: openai_clip(),
    "CLIP ViT-B/16 of 3 blocks, transformers": lambda assets: hf_clip(),
    "CLIP ViT-B/16 of 3 blocks, transformers, GELU": lambda assets: hf_clip("gelu", ["--activation", "gelu"]),
    "CLIP ViT-L/14, OpenCLIP without visual.": lambda assets: openclip("ViT-L-14", drop_visual=True),
    "ResNet-18, torchvision": lambda assets: torchvision_net("resnet18", no_fc),
    "ResNet-34, timm": lambda assets: timm_net("resnet34", imagenet(224, 256, BILINEAR)),
    "ResNet-50, torchvision": lambda assets: torchvision_net("resnet50", no_fc),
    "ResNet-101, timm": lambda assets: timm_net("resnet101", imagenet(224, 256, BILINEAR)),
    "ResNeXt-50, torchvision": lambda assets: torchvision_net("resnext50_32x4d", no_fc),
    "EfficientNet-Lite0, real weights": lite0,
    "EfficientNet-Lite0, real weights, against the traced one": lite0_traced,
    "MobileNetV2, torchvision": lambda assets: torchvision_net("mobilenet_v2", cut_classifier(0)),
    "MobileNetV2, timm": lambda assets: timm_net("mobilenetv2_100"),
    "MobileNetV3-Large, torchvision": lambda assets: torchvision_net("mobilenet_v3_large", cut_classifier(2)),
    "MobileNetV3-Small, torchvision": lambda assets: torchvision_net("mobilenet_v3_small", cut_classifier(2)),
    "MobileNetV3-Large, timm, converted": lambda assets: timm_net("tf_mobilenetv3_large_100"),
    "MobileNetV3-Small, timm": lambda assets: timm_net("mobilenetv3_small_100", batches=1),
    "ResNet-20 for CIFAR, real weights": cifar,
    "DINOv2 ViT-S/14 of 3 blocks, transformers": lambda assets: hf_dinov2("Dinov2"),
    "DINOv2 of 3 gated blocks, transformers": lambda assets: hf_dinov2("Dinov2", use_swiglu_ffn=True),
    "DINOv2 ViT-S/14 with registers, transformers": lambda assets: hf_dinov2("Dinov2WithRegisters"),
    "DINOv2 ViT-S/14 of 3 blocks, Meta": lambda assets: meta_dinov2("Dinov2", False),
    "DINOv2 ViT-S/14 with registers, Meta": lambda assets: meta_dinov2("Dinov2WithRegisters", True),
    "DINOv2 ViT-S/14 of 3 blocks, timm": lambda assets: timm_vit("vit_small_patch14_dinov2.lvd142m"),
    "DINOv2 ViT-S/14 with registers, timm": lambda assets: timm_vit("vit_small_patch14_reg4_dinov2.lvd142m"),
    "DINOv2 ViT-g/14 of 2 gated blocks, timm": lambda assets: timm_vit("vit_giant_patch14_dinov2.lvd142m", depth=2),
    "SigLIP ViT-B/16 of 3 blocks, transformers": lambda assets: hf_siglip(),
    "DINOv3 ViT-S/16 of 3 blocks, transformers": lambda assets: hf_dinov3(),
    "DINOv3 of 3 gated blocks, transformers": lambda assets: hf_dinov3(use_gated_mlp=True, hidden_act="silu"),
    "ConvNeXt-Tiny, torchvision": lambda assets: torchvision_net("convnext_tiny", cut_classifier(2), 224, 236),
    "SigLIP 2 ViT-B/16 of 3 blocks, transformers": lambda assets: siglip2(),
    "CLIP ViT-B/16 of 3 blocks, timm": lambda assets: timm_vit("vit_base_patch16_clip_224.laion2b", projects=True),
    "CLIP ViT-B/16 of 3 blocks, timm, QuickGELU": lambda assets: quick(
        timm_vit("vit_base_patch16_clip_224.laion2b", projects=True, act_layer="quick_gelu")),
    "CLIP ViT-B/16 of 3 blocks, timm, no head": lambda assets: timm_vit(
        "vit_base_patch16_clip_224.laion2b", num_classes=0),
    "SigLIP ViT-B/16 of 3 blocks, timm": lambda assets: timm_vit("vit_base_patch16_siglip_224.webli"),
    "SigLIP ViT-B/16, OpenCLIP": lambda assets: openclip_siglip(),
    "DINOv3 ViT-S/16 of 3 blocks, timm": lambda assets: timm_vit(
        "vit_small_patch16_dinov3.lvd1689m", global_pool="token"),
    "DINOv3 ViT-S+/16 of 3 blocks, timm, with biases": lambda assets: timm_vit(
        "vit_small_plus_patch16_dinov3_qkvb.lvd1689m", global_pool="token"),
    "MobileNetV3-Small as ONNX, by onnxruntime": lambda assets: exported("mobilenet_v3_small", cut_classifier(2)),
    "ResNet-18 as ONNX, by onnxruntime": lambda assets: exported("resnet18", no_fc),
    "ConvNeXt-Tiny, Meta": lambda assets: meta_convnext(),
    "ConvNeXt-Tiny, timm": lambda assets: timm_net("convnext_tiny", imagenet(224, 256, BICUBIC)),
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--assets", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="", help="cases with one of these words in their names, by commas")
    return parser


def chosen(name, options):
    return any(word in name for word in options.only.split(","))


def main():
    options = arguments().parse_args()
    torch.set_num_threads(2)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="imgmill-embed-parity-"))
    photos = sorted((options.assets / "photos/bsds500-val").glob("*.jpg"))[:PHOTOS]
    failed = False
    print("| weights | length | least cosine, from 1 | largest difference |\n|---|---|---|---|")
    for name, case in CASES.items():
        if not chosen(name, options):
            continue
        peer = case(options.assets)
        weights = peer.save(scratch)
        out = scratch / "vectors.jsonl"
        run = subprocess.run([options.program, "embed", *map(str, photos), "--model", str(weights), "--no-catalog",
                              "--export", str(out), "--force", "-q", *peer.flags], capture_output=True, text=True)
        if run.returncode != 0:
            print(f"| {name} | | {run.stderr.strip()} |")
            failed = True
            continue
        got = {pathlib.Path(line["path"]).name: np.array(line["vector"], np.float64)
               for line in map(json.loads, out.read_text().splitlines())}
        cosine, largest = 1.0, 0.0
        for photo in photos:
            x = peer.show(Image.open(photo).convert("RGB"))[None]
            with torch.inference_mode():
                expected = peer.vector(peer.net, x).flatten().double().numpy()
            expected /= np.linalg.norm(expected)
            if expected.shape != got[photo.name].shape:
                cosine, largest = 0.0, float("inf")
                break
            cosine = min(cosine, float(expected @ got[photo.name]))
            largest = max(largest, float(np.abs(expected - got[photo.name]).max()))
        failed |= cosine < COSINE or largest > DIFFERENCE
        print(f"| {name} | {len(expected)} | {1 - cosine:.1e} | {largest:.1e} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
