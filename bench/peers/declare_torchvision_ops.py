#!/usr/bin/env python3
"""Lets a torchvision built for CUDA be imported beside a torch without it.

Its compiled part cannot be loaded then, and the import fails on operators that nobody has declared. Declaring the two
is enough for models and transforms; calling them would still fail. Usage: venv/bin/python declare_torchvision_ops.py
"""
import importlib.util
from pathlib import Path

MARK = "# Declared by imgmill's bench/peers/setup.sh"
DECLARATION = f"""
{MARK}
if not _has_ops():
    _declared = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        _declared.define(f"{{_name}}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""

# Found without being imported, since that is what fails.
site_packages = Path(importlib.util.find_spec("torch").origin).parents[1]
extension = site_packages / "torchvision" / "extension.py"
source = extension.read_text()
if MARK not in source and "torchvision\", \"FRAGMENT" not in source:
    extension.write_text(source + DECLARATION)
