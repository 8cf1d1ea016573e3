#!/usr/bin/env python3
"""Cases of small networks for embedding, by their own libraries. Usage: tests/golden/cases_embedders.py [CASE...]"""
import torch
from network_golden import Case, write_all

SMALL = dict(num_hidden_layers=2, image_size=32, patch_size=16)


def openai(key):
    """Only the image tower is in the file."""
    return key if key.startswith("visual.") else None


def openclip(quick):
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
    net = CLIP(32, CLIPVisionCfg(layers=2, width=128, patch_size=16, image_size=32),
               CLIPTextCfg(context_length=8, vocab_size=16, width=64, heads=1, layers=1), quick_gelu=quick)
    return Case(net, 32, 32, rename=openai, task="embed", call=lambda net, x: net.encode_image(x))


def hf_clip():
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
    net = CLIPVisionModelWithProjection(CLIPVisionConfig(hidden_size=128, intermediate_size=192,
                                                         num_attention_heads=2, projection_dim=24, **SMALL))
    return Case(net, 32, 32, task="embed", call=lambda net, x: net(x).image_embeds)


TEXT = [22, 3, 7, 7, 0, 23, 0, 0]  # start, four tokens, end, nothing


def openclip_text(kind, quick):
    """Both towers in the file; a text of less than the context."""
    from open_clip import model
    net = getattr(model, kind)(24, model.CLIPVisionCfg(layers=1, width=64, head_width=64, patch_size=16, image_size=32),
                               model.CLIPTextCfg(context_length=8, vocab_size=24, width=128, heads=2, layers=2),
                               quick_gelu=quick)
    return Case(net, task="embed", tokens=TEXT, call=lambda net, x: net.encode_text(x))


def hf_clip_alone():
    """The image tower as its class saves it by itself."""
    from transformers import CLIPVisionConfig, CLIPVisionModel
    config = CLIPVisionConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=1,
                              image_size=32, patch_size=8)
    return Case(CLIPVisionModel(config), 32, 32, task="embed", call=lambda net, x: net(x).pooler_output,
                rename=lambda key: key.removeprefix("vision_model."), skip=("position_ids",))


def hf_clip_text():
    from transformers import CLIPConfig, CLIPModel
    sizes = dict(hidden_size=128, intermediate_size=192, num_attention_heads=2, num_hidden_layers=2)
    net = CLIPModel(CLIPConfig(projection_dim=24, vision_config=dict(sizes, image_size=32, patch_size=16),
                               text_config=dict(sizes, vocab_size=24, max_position_embeddings=8, bos_token_id=22,
                                                eos_token_id=23, pad_token_id=23)))
    return Case(net, task="embed", tokens=TEXT,
                call=lambda net, x: net.text_projection(net.text_model(x).pooler_output))


def resnet(block, blocks, **options):
    from torchvision.models import resnet as tv
    net = tv.ResNet(getattr(tv, block), blocks, **options)
    net.fc = torch.nn.Identity()
    return Case(net, 64, 64, task="embed")


def siglip():
    from transformers import SiglipVisionConfig, SiglipVisionModel
    net = SiglipVisionModel(SiglipVisionConfig(hidden_size=128, intermediate_size=192, num_attention_heads=2, **SMALL))
    return Case(net, 32, 32, task="embed", rename=lambda key: "vision_model." + key,
                call=lambda net, x: net(x).pooler_output)


def dinov2_names(key):
    """Those of published files, from those that transformers has in memory."""
    for new, old in ((".attention.o_proj", ".attention.output.dense"), ("q_proj", "attention.query"), ("k_proj", "attention.key"), ("v_proj", "attention.value")):
        key = key.replace(new, old)
    return key


def dinov2(kind, **options):
    """Positions for 5x5 patches, an image of 3x3."""
    import transformers
    config = getattr(transformers, kind + "Config")(hidden_size=128, num_hidden_layers=2, num_attention_heads=2,
                                                    image_size=70, patch_size=14, mlp_ratio=1, **options)
    net = getattr(transformers, kind + "Model")(config)
    return Case(net, 42, 42, task="embed", rename=dinov2_names, call=lambda net, x: net(x).pooler_output)


def dinov3(gated):
    from transformers import DINOv3ViTConfig, DINOv3ViTModel
    net = DINOv3ViTModel(DINOv3ViTConfig(hidden_size=128, intermediate_size=192, num_attention_heads=2,
                                         num_register_tokens=3, use_gated_mlp=gated,
                                         hidden_act="silu" if gated else "gelu", **SMALL))
    net.rope_embeddings.double()
    return Case(net, 48, 48, task="embed", rename=lambda key: key.replace("model.layer.", "layer."),
                call=lambda net, x: net(x).pooler_output)


def timm_net(name, **options):
    import timm
    net = timm.create_model(name, num_classes=0, **options)
    return Case(net, 64, 64, task="embed")


def timm_vit(name, side=32, **options):
    """CLIP's head projects: it has no biases, which timm writes as zeros."""
    import timm
    net = timm.create_model(name, img_size=side, embed_dim=128, depth=2, num_heads=2, **options)
    if "dinov3" in name:
        net.rope.double()
    return Case(net, side, side, task="embed", factors={"head.bias": 0})


def timm_dinov2(name, **options):
    """Positions for 5x5 patches, an image of 3x3."""
    import timm
    net = timm.create_model(name, img_size=70, dynamic_img_size=True, embed_dim=128, depth=2, num_heads=2,
                            num_classes=0, **options)
    return Case(net, 42, 42, task="embed")


def openclip_siglip():
    """Below visual.trunk., beside a tower for text."""
    import timm
    net = timm.create_model("vit_base_patch16_siglip_224", img_size=32, embed_dim=128, depth=2, num_heads=2)
    return Case(net, 32, 32, task="embed", rename=lambda key: "visual.trunk." + key)


def torchvision_mobile(name, classifier):
    import torchvision
    net = getattr(torchvision.models, name)(weights=None, width_mult=0.25)
    net.classifier = net.classifier[:classifier] if classifier else torch.nn.Identity()
    return Case(net, 64, 64, task="embed")


def convnext_timm(**options):
    import timm
    net = timm.models.ConvNeXt(depths=(1, 1, 2, 1), dims=(8, 16, 24, 32), num_classes=0, **options)
    return Case(net, 64, 64, task="embed")


def convnext_meta():
    """timm computes what Meta's names stand for."""
    case = convnext_timm()

    def rename(key):
        for new, old in (("downsample_layers.0.", "stem."), ("norm.", "head.norm.")):
            if key.startswith(old):
                return key.replace(old, new)
        parts = key.split(".")
        if parts[2] == "downsample":
            return ".".join(["downsample_layers", parts[1], *parts[3:]])
        name = ".".join(parts[4:]).replace("conv_dw", "dwconv").replace("mlp.fc", "pwconv")
        return ".".join(["stages", parts[1], parts[3], name])

    case.rename = rename
    return case


def convnext_torchvision():
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt
    sizes = (8, 16, 24, 32)
    net = ConvNeXt([CNBlockConfig(size, after, 1) for size, after in zip(sizes, (16, 24, 32, None))])
    net.classifier = net.classifier[:2]
    return Case(net, 64, 64, task="embed")


CASES = {
    "clip_openclip": lambda: openclip(False),
    "clip_hugging_face": hf_clip,
    "clip_hugging_face_alone": hf_clip_alone,
    "clip_text_openclip": lambda: openclip_text("CLIP", False),
    "clip_text_openclip_prefix": lambda: openclip_text("CustomTextCLIP", False),
    "clip_text_hugging_face": hf_clip_text,
    "resnet_basic": lambda: resnet("BasicBlock", [1, 1, 2, 1]),
    "resnet_bottleneck": lambda: resnet("Bottleneck", [1, 2, 1, 1]),
    "siglip": siglip,
    "dinov2_hugging_face": lambda: dinov2("Dinov2"),
    "dinov2_registers": lambda: dinov2("Dinov2WithRegisters"),
    "dinov3": lambda: dinov3(False),
    "dinov3_gated": lambda: dinov3(True),
    "mobilenet_v2_timm": lambda: timm_net("mobilenetv2_035"),
    "mobilenet_v2_torchvision": lambda: torchvision_mobile("mobilenet_v2", 0),
    "mobilenet_v3_timm": lambda: timm_net("tf_mobilenetv3_small_075"),
    "efficientnet_lite0": lambda: timm_net("tf_efficientnet_lite0"),
    "mobilenet_v3_torchvision": lambda: torchvision_mobile("mobilenet_v3_large", 2),
    "convnext_timm": convnext_timm,
    "convnext_timm_1x1": lambda: convnext_timm(conv_mlp=True),
    "convnext_torchvision": convnext_torchvision,
    "convnext_meta": convnext_meta,
    "clip_timm": lambda: timm_vit("vit_base_patch16_clip_224", num_classes=24),
    "siglip_timm": lambda: timm_vit("vit_base_patch16_siglip_224"),
    "siglip_openclip": openclip_siglip,
    "dinov3_timm": lambda: timm_vit("vit_small_patch16_dinov3", 48, global_pool="token"),
    "dinov3_timm_gated": lambda: timm_vit("vit_small_plus_patch16_dinov3_qkvb", 48, global_pool="token"),
    "dinov2_timm": lambda: timm_dinov2("vit_small_patch14_dinov2"),
    "dinov2_timm_registers": lambda: timm_dinov2("vit_small_patch14_reg4_dinov2", mlp_ratio=1),
    "dinov2_timm_gated": lambda: timm_dinov2("vit_giant_patch14_dinov2", mlp_ratio=2),
    "resnext": lambda: resnet("Bottleneck", [1, 1, 1, 1], groups=4, width_per_group=8),
}

write_all(CASES, "open_clip 3.3.0, transformers 5.24.0, torchvision 0.29.1, timm 1.0.31")
