"""Every combination of the fusion rule: GEMM-like op + batch norm + addition + activation."""

from itertools import product

import numpy as np
import pytest

from hbir.module import Module
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module

GEMMS = {
    "conv2d": ("hbir.conv2d %x, %w", "4x1x1x4"),
    "convtranspose": ("hbir.convtranspose %x, %w", "4x1x1x4"),
    "linear": ("hbir.linear %x, %w", "4x4"),
}
ACTIVATIONS = {"none": "", "relu": "hbir.relu %a", "relu6": "hbir.clip %a {min = 0.0, max = 6.0}"}
COMBINATIONS = list(product(GEMMS, (False, True), ("none", "left", "right"), ACTIVATIONS))
T = "tensor<1x3x3x4xf32>"


def network(gemm: str, norm: bool, add: str, activation: str) -> Module:
    """x → GEMM (→ batch norm) (→ + r) (→ activation) → exp, so that the group is quantized."""
    call, shape = GEMMS[gemm]
    lines = [
        "%statistics = hbir.constant dense<[1.0, 2.0, 0.5, 1.5]> : tensor<4xf32>",
        f"%w = hbir.constant dense<0.25> : tensor<{shape}xf32>",
        f"%g = {call} : ({T}, tensor<{shape}xf32>) -> {T}",
    ]
    last = "%g"
    if norm:
        four = ", ".join(["%statistics"] * 4)
        types = ", ".join([T, *["tensor<4xf32>"] * 4])
        lines.append(f"%n = hbir.batchnorm {last}, {four} : ({types}) -> {T}")
        last = "%n"
    if add != "none":
        operands = f"{last}, %r" if add == "left" else f"%r, {last}"
        lines.append(f"%s = hbir.add {operands} : ({T}, {T}) -> {T}")
        last = "%s"
    if ACTIVATIONS[activation]:
        lines.append(f"%c = {ACTIVATIONS[activation].replace('%a', last)} : {T}")
        last = "%c"
    lines.append(f"%e = hbir.exp {last} : {T}")
    body = "\n  ".join(lines)
    head = f'%x: {T} {{hbir.name = "x"}}, %r: {T} {{hbir.name = "r"}}'
    return Module.parse(f"func.func @net({head}) -> {T} {{\n  {body}\n  func.return %e : {T}\n}}")


@pytest.mark.parametrize(("gemm", "norm", "add", "activation"), COMBINATIONS)
def test_each_combination_is_one_convolution(
    gemm: str, norm: bool, add: str, activation: str
) -> None:
    rng = np.random.default_rng(3)
    feeds = [
        {name: rng.normal(size=(1, 3, 3, 4)).astype(np.float32) for name in ("x", "r")}
        for _ in range(4)
    ]
    module = network(gemm, norm, add, activation)
    quantized = convert_module(calibrate(module, feeds), "nash-e")
    counts = quantized.functions[0].statistics()
    computing = {
        name: count
        for name, count in counts.items()
        if name.startswith("bpu.") and name != "bpu.reshape"
    }
    assert computing == {"bpu.conv2d": 1, "bpu.lut": 1}
    (wanted,) = module.functions[0].feed(feeds[0]).values()
    (found,) = quantized.functions[0].feed(feeds[0]).values()
    cosine = (wanted * found).sum() / np.linalg.norm(wanted) / np.linalg.norm(found)
    assert cosine > 0.999
