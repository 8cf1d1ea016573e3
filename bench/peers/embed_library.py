#!/usr/bin/env python3
"""The peer of `imgmill embed --model`: a network of open_clip, torchvision or timm, or a TorchScript file, on PyTorch.

  embed_library.py --network NAME --weights FILE                       writes FILE with weights from a seed, and stops,
                                                                       unless it is there
  embed_library.py --network NAME --weights FILE PHOTO...              from the files to the vectors
  embed_library.py --network NAME --weights FILE --from-memory COUNT   the network alone, on one batch again and again
  embed_library.py --matrix                                            GFLOP/s of a product of float32 matrices

Options: --threads 2, --batch 32, --workers 0 (of the DataLoader), --draft (JPEG shrunk while it is decoded), --channels-last
Prints images a second of the work itself, without what comes before it.
Needs: torch, open_clip, torchvision, timm, safetensors, Pillow
"""
import argparse
import pathlib
import time

import torch
from safetensors.torch import load_file, save_file
from torchvision import transforms
from torchvision.transforms import InterpolationMode


def clip():
    import open_clip
    net = open_clip.create_model("ViT-B-32", pretrained=None)
    return net, lambda: setattr(net, "forward", net.encode_image), open_clip.image_transform(net.visual.image_size, is_train=False)


def imagenet(shorter, interpolation):
    return transforms.Compose([transforms.Resize(shorter, interpolation), transforms.CenterCrop(224), transforms.ToTensor(),
                               transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])


def resnet50():
    import torchvision
    net = torchvision.models.resnet50(weights=None)
    return net, lambda: setattr(net, "fc", torch.nn.Identity()), imagenet(256, InterpolationMode.BILINEAR)


def mobilenet_v3_small():
    import torchvision
    net = torchvision.models.mobilenet_v3_small(weights=None)
    return net, lambda: setattr(net, "classifier", net.classifier[:2]), imagenet(256, InterpolationMode.BILINEAR)


def efficientnet_lite0():
    import timm
    net = timm.create_model("efficientnet_lite0")
    return net, lambda: net.reset_classifier(0), imagenet(256, InterpolationMode.BICUBIC)


#: The network as it is published, what makes it give vectors, and how it is shown an image.
NETWORKS = {"clip-vit-b-32": clip, "resnet50": resnet50, "mobilenet_v3_small": mobilenet_v3_small,
            "efficientnet_lite0": efficientnet_lite0}


def open_network(options):
    if options.network == "script":
        return torch.jit.load(options.weights).eval(), imagenet(256, InterpolationMode.BILINEAR)
    torch.manual_seed(7)
    net, without_head, show = NETWORKS[options.network]()
    path = pathlib.Path(options.weights)
    if path.exists():
        net.load_state_dict(load_file(path))
    else:
        save_file({key: value.contiguous() for key, value in net.state_dict().items()}, path)
    without_head()
    return net.eval(), show


class Photos:
    def __init__(self, files, show, draft):
        self.files, self.show, self.draft = files, show, draft

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        from PIL import Image
        image = Image.open(self.files[index])
        if self.draft:
            image.draft("RGB", (256, 256))
        return self.show(image.convert("RGB"))


def matrix(threads):
    """The best of some products of 2048 x 2048."""
    torch.set_num_threads(threads)
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    best = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 2048 ** 3 / best / 1e9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=[*NETWORKS, "script"])
    parser.add_argument("--weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--from-memory", type=int, default=0)
    parser.add_argument("--matrix", action="store_true")
    parser.add_argument("photos", nargs="*")
    options = parser.parse_args()
    if options.matrix:
        print(f"{matrix(options.threads):.1f}")
        return
    torch.set_num_threads(options.threads)
    net, show = open_network(options)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    if options.channels_last:
        net.to(memory_format=layout)
    with torch.inference_mode():
        done = 0
        if options.from_memory:
            images = torch.rand(options.batch, 3, 224, 224).contiguous(memory_format=layout)
            net(images)
            start = time.perf_counter()
            while done < options.from_memory:
                net(images)
                done += options.batch
        elif options.photos:
            loader = torch.utils.data.DataLoader(Photos(options.photos, show, options.draft), batch_size=options.batch,
                                                 num_workers=options.workers)
            start = time.perf_counter()
            for images in loader:
                net(images.contiguous(memory_format=layout))
                done += len(images)
        else:
            return
        print(f"{done / (time.perf_counter() - start):.2f}")


if __name__ == "__main__":
    main()
