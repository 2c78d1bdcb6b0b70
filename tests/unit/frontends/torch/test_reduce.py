"""Reductions against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

import torch
from torch import Tensor

from tests.unit.frontends.torch.oracle import check, random


def reductions(x: Tensor) -> list[Tensor]:
    return [
        x.sum(), x.sum((1, 3)), x.mean(), x.mean(2, keepdim=True), x.amax(1), x.amin((0, 1), True),
        x.max(), x.min(), x.var(1), x.var((2, 3), unbiased=False, keepdim=True), x.std(2),
        *torch.var_mean(x, 1), x.logsumexp(1), x.norm(dim=1), x.norm(1, dim=(2, 3)), x.cumsum(1),
        torch.nn.functional.normalize(x, dim=1),
    ]  # fmt: skip


def test_reductions() -> None:
    check(reductions, random(2, 3, 4, 5), tolerance=1e-4)


def test_a_product_and_integer_sums_run_on_the_cpu() -> None:
    check(lambda x: x.prod(1), random(2, 3), on_cpu=["onnx::ReduceProd"])
