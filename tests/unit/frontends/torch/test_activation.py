"""Activations and functions of one element against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.unit.frontends.torch.oracle import check, random

LAYERS = [
    nn.ReLU(inplace=True), nn.ReLU6(), nn.Hardtanh(-0.5, 2), nn.LeakyReLU(0.2), nn.PReLU(),
    nn.PReLU(3), nn.Sigmoid(), nn.Tanh(), nn.Hardsigmoid(), nn.Hardswish(), nn.SiLU(), nn.Mish(),
    nn.GELU(), nn.GELU("tanh"), nn.Softplus(2, 1.5), nn.ELU(0.7), nn.SELU(), nn.CELU(0.5),
    nn.Softsign(), nn.Softshrink(), nn.Hardshrink(), nn.Threshold(0.3, 0.0), nn.LogSigmoid(),
    nn.GLU(2), nn.Tanhshrink(),
]  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer: nn.Module) -> None:
    check(layer, random(2, 3, 4, 5))


FUNCTIONS: list[Callable[[Tensor], Tensor]] = [
    torch.abs, torch.ceil, torch.cos, torch.erf, torch.exp, torch.exp2, torch.expm1, torch.floor,
    torch.neg, torch.round, torch.sign, torch.sin, torch.square, torch.atan, torch.sinh,
]  # fmt: skip
POSITIVE: list[Callable[[Tensor], Tensor]] = [
    torch.log, torch.log1p, torch.log2, torch.log10, torch.reciprocal, torch.rsqrt, torch.sqrt,
]  # fmt: skip


def test_functions_of_one_element() -> None:
    check(lambda x: [function(x) for function in FUNCTIONS], random(3, 7))
    check(lambda x: [function(x) for function in POSITIVE], random(3, 7, low=0.1))


def bounded(x: Tensor, low: Tensor) -> list[Tensor]:
    return [
        x.clamp(-1, 2), x.clamp(min=0.5), x.clamp(max=0.5), x.clamp_min(0), x.clamp(2, 1),
        torch.clamp(x, low), functional.relu6(x), torch.round(x, decimals=1),
    ]  # fmt: skip


def test_bounds() -> None:
    check(bounded, random(4, 5), random(5, seed=1))


def test_a_slope_per_channel_follows_axis_1() -> None:
    layer = nn.PReLU(3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.1, 0.2, 0.3]))
    check(layer, random(2, 3))
    check(layer, random(2, 3, 4))
