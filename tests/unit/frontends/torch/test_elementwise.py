"""Arithmetic, comparisons and choices against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

import torch
from torch import Tensor

from tests.unit.frontends.torch.oracle import check, random


def arithmetic(x: Tensor, y: Tensor) -> list[Tensor]:
    return [
        x + y, x - y, x * y, x / (y.abs() + 1), 2 - x, x + 1, 3 * x, x / 4, torch.maximum(x, y),
        torch.min(x, y), torch.add(x, y, alpha=2), torch.rsub(x, y, alpha=0.5), x**2, x.abs() ** 0.5,
        x.fmod(1.5), x % 1.5, -x, torch.addcmul(x, x, y, value=0.5), torch.lerp(x, y, 0.3),
    ]  # fmt: skip


def test_arithmetic() -> None:
    check(arithmetic, random(2, 3, 4), random(3, 1, seed=1))


def choices(x: Tensor, y: Tensor) -> list[Tensor]:
    mask = (x > 0) & ~(y < 0.5) | (x == y)
    return [
        torch.where(mask, x, y), x.masked_fill(x >= 1, -1.0), torch.where(x <= y, x, 0.0), x > y,
        (x != y) ^ (x < 0), mask.float(), torch.logical_or(x > 0, y > 0),
    ]  # fmt: skip


def test_comparisons_and_choices() -> None:
    check(choices, random(2, 3, 4), random(3, 1, seed=1))


def test_integers_are_computed_on_the_cpu() -> None:
    numbers = torch.tensor([[1, 2], [3, 4]])
    check(
        lambda n: (n + 1, n > 2),
        numbers,
        on_cpu=["onnx::Add", "onnx::Greater"],
    )


def test_casts() -> None:
    check(lambda x: (x.to(torch.int32), (x > 0).float(), x.to(torch.float32)), random(3, 4))
