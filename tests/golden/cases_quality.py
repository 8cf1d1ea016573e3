#!/usr/bin/env python3
"""Cases of networks that judge and compare images: the Python forms beside this file, timm and transformers, and LPIPS by
its own package with a sixteenth of its features. Usage: tests/golden/cases_quality.py [CASE...]"""
import torch
from torch import nn

import quality_networks as nets
from network_golden import Case, write_all


def pyiqa_names(key):
    """pyiqa's, from the authors'."""
    for i in range(1, 6):
        key = key.replace(f"fc{i}w_conv", f"fc_w_modules.{i - 1}").replace(f"fc{i}b_fc", f"fc_b_modules.{i - 1}.2")
        key = key.replace(f"fc{i}w_fc", f"fc_w_modules.{i - 1}.2").replace(f"res.lda{i}_pool.0", f"lda_modules.{i - 1}.0")
        key = key.replace(f"res.lda{i}_fc", f"lda_modules.{i - 1}." + ("3" if i < 4 else "2"))
    return key.replace("res.", "base_model.", 1)


def hyper_iqa(rename=None):
    net = nets.HyperIqa((1, 1, 2, 1), 4, (2, 2, 3), (2, 2, 3, 7), (12, 10, 7), (7, 7, 7, 7))
    return Case(net, 224, 224, task="score", rename=rename)


def narrow(module, by=16):
    """With convolutions of fewer features; the first one's three bands stay."""
    for name, child in module.named_children():
        if not isinstance(child, nn.Conv2d):
            narrow(child, by)
            continue
        bands = child.in_channels if child.in_channels == 3 else child.in_channels // by
        features = max(1, child.out_channels // by)
        setattr(module, name, nn.Conv2d(bands, features, child.kernel_size, child.stride, child.padding,
                                        bias=child.bias is not None))


def lpips_vector(net, x):
    """Whose squared distance is LPIPS: its features, as the package normalises and weighs them."""
    import lpips
    parts = []
    for i, features in enumerate(net.net(net.scaling_layer(x))):
        weights = getattr(net, f"lin{i}").model[1].weight
        places = features.shape[2] * features.shape[3]
        parts.append((lpips.normalize_tensor(features) * (weights / places).sqrt()).flatten(1))
    return torch.cat(parts, 1)


def lpips_net(name):
    import lpips
    net = lpips.LPIPS(pretrained=False, net=name, pnet_rand=True, verbose=False)
    del net.lins  # the same layers once more
    narrow(net)
    return Case(net, 35, 35, task="compare", call=lpips_vector, given=(".shift", ".scale"))


def watermark_detector():
    """timm's EfficientNet of fewer features and blocks than B3, with the classifier that LAION gave it."""
    from timm.models import efficientnet
    net = efficientnet._gen_efficientnet("efficientnet_b3", channel_multiplier=0.25, depth_multiplier=1.0)
    net.classifier = nn.Sequential(nn.Linear(net.num_features, 40), nn.ReLU(), nn.Dropout(0.3), nn.Linear(40, 24),
                                   nn.ReLU(), nn.Linear(24, 2))
    # Or nothing of the image would reach the end.
    factors = {key: 6.8 for key, value in net.state_dict().items() if key.endswith(".weight") and value.dim() == 1}
    return Case(net, 96, 96, task="score", factors=factors, call=lambda net, x: net(x).softmax(1)[:, :1])


def vit_names(key):
    """Those of published files, from those that transformers has in memory."""
    for new, old in (("vit.layers.", "vit.encoder.layer."), ("attention.o_proj", "attention.output.dense"),
                     ("attention.q_proj", "attention.attention.query"), ("attention.k_proj", "attention.attention.key"),
                     ("attention.v_proj", "attention.attention.value"), ("mlp.fc1", "intermediate.dense"),
                     ("mlp.fc2", "output.dense")):
        key = key.replace(new, old)
    return key


def nsfw_hugging_face():
    from transformers import ViTConfig, ViTForImageClassification
    net = ViTForImageClassification(ViTConfig(hidden_size=128, intermediate_size=192, num_attention_heads=2,
                                              num_hidden_layers=2, image_size=32, patch_size=8, num_labels=2,
                                              layer_norm_eps=1e-12))
    return Case(net, 32, 32, task="score", rename=vit_names, call=lambda net, x: net(x).logits.softmax(1)[:, 1:])


def nsfw_timm():
    import timm
    net = timm.create_model("vit_tiny_patch16_384", img_size=48, embed_dim=128, depth=2, num_heads=2, num_classes=2)
    return Case(net, 48, 48, task="score", call=lambda net, x: net(x).softmax(1)[:, :1])


CASES = {
    "lpips_alex": lambda: lpips_net("alex"),
    "lpips_vgg": lambda: lpips_net("vgg"),
    "lpips_squeeze": lambda: lpips_net("squeeze"),
    "hyper_iqa_authors": hyper_iqa,
    "hyper_iqa_pyiqa": lambda: hyper_iqa(pyiqa_names),
    "ic_net": lambda: Case(nets.IcNet(128, 4, 6, 8, with_map=True), 128, 128, task="score"),
    "watermark_detector": watermark_detector,
    "nsfw_hugging_face": nsfw_hugging_face,
    "nsfw_timm": nsfw_timm,
}

if __name__ == "__main__":
    write_all(CASES, "lpips 0.1.4, timm 1.0.31, transformers 5.24.0; HyperIQA and ICNet: a Python form of the paper's network, tests/golden/quality_networks.py")
