"""Writes what a peer's networks make of weights and an image by a formula: tests/golden/networks/CASE.csv, which
tests/torch/network_golden_test.cpp reads. Each file lists the tensors too, so that a new architecture needs a case here
and no code there.

A cases_*.py beside this file has a table CASES of name -> Case, and calls `write_all(CASES, peer="spandrel 0.4.2")`.

    tensor,NAME,3x8x1x1,1    shape and factor of a weight: value = factor * 3 / sqrt(inputs) * formula(NAME)
    input,3,6,5              bands, height, width: value = formula("input") + 0.5
    given,NAME,3x1,0 1 -1    a tensor with the peer's own values
    task,embed,512           the output is a vector of so many; also "score" and "compare"; without this line, an image
    tokens,22 3 23 0         in place of an image: a text, whose vector is the output
    value,22,0.25            the output's values, planes one after another: every 11th; not clamped
"""
import pathlib
import sys

import numpy as np
import torch

STEP = 11


class Case:
    """A network that takes 1 x bands x height x width, and what differs from the usual.

    factors  what weights are multiplied by, by name: so that most of an upscaler's values lie between 0 and 1
    skip     endings of names that stay out of the file, such as buffers that follow from the shape
    given    endings of names that keep the peer's values: constants that the network is read off
    rename   what the file calls a tensor, by its name in the peer; None: it is not there
    call     what is asked of the network; the network itself if None
    task     "upscale", "score", "compare"; or "embed", whose vectors are written whole where they are short
    tokens   what a text tower is shown in place of an image
    """

    def __init__(self, net, height=0, width=0, bands=3, factors=None, skip=(), given=(), rename=None, call=None,
                 task="upscale", tokens=None):
        self.net, self.height, self.width, self.bands = net, height, width, bands
        self.factors, self.skip, self.given = factors or {}, tuple(skip), tuple(given)
        self.rename = rename or (lambda name: name)
        self.call = call or (lambda net, x: net(x))
        self.task, self.tokens = task, tokens


def formula(name, count):
    """`count` numbers from -0.5 to 0.5 that depend on the name; the same as Formula in tests/torch/formula_weights.h."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.uint64(seed) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(40)).astype(np.float64) / (1 << 24) - 0.5


def weight(name, shape, factor):
    """Of a size that keeps signals alive: by the number of inputs of each sum. A variance is positive."""
    inputs = int(np.prod(shape[1:])) if len(shape) > 1 else 16
    values = formula(name, int(np.prod(shape))) * (factor * 3 / np.sqrt(inputs))
    if name.endswith("running_var"):
        values = np.abs(values) + 0.5
    if name.endswith(".model.1.weight"):
        values = np.abs(values)  # LPIPS's are not negative
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def write(name, case, peer):
    lines = [f"# {peer}"]
    state = case.net.state_dict()
    for key, value in state.items():
        called = case.rename(key)
        given = key.endswith(case.given or ("\0",))
        if called is None or key.endswith(case.skip or ("\0",)) or not (given or value.is_floating_point()):
            continue
        shape = tuple(value.shape)
        if given:
            numbers = " ".join(f"{each:g}" for each in value.flatten().tolist())
            lines.append(f"given,{called},{'x'.join(map(str, shape))},{numbers}")
            continue
        factor = case.factors.get(key, 1)
        state[key] = weight(called, shape, factor)
        lines.append(f"tensor,{called},{'x'.join(map(str, shape))},{factor:g}")
    case.net.load_state_dict(state)
    if case.tokens:
        x = torch.tensor([case.tokens])
    else:
        x = formula("input", case.bands * case.height * case.width) + 0.5
        x = torch.from_numpy(x.astype(np.float32).reshape(1, case.bands, case.height, case.width)).double()
    with torch.inference_mode():
        output = case.call(case.net.eval().double(), x)
    if case.task != "upscale":
        lines.append(f"task,{case.task},{output.numel()}")
    lines.append("tokens," + " ".join(map(str, case.tokens)) if case.tokens else
                 f"input,{case.bands},{case.height},{case.width}")
    values = output.flatten()
    lines += [f"value,{i},{values[i]:.9g}" for i in range(0, len(values), STEP if len(values) > 2 * STEP * STEP or case.task == "upscale" else 1)]
    folder = pathlib.Path(__file__).with_name("networks")
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    within = float(((values > 0.02) & (values < 0.98)).double().mean())
    print(f"{name}: {tuple(output.shape)}, from {values.min():.3g} to {values.max():.3g}, {within:.0%} from 0 to 1")


def write_all(cases, peer):
    """All cases, or those that the command line names."""
    for name, case in cases.items():
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            write(name, case(), peer)
