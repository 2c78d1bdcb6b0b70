"""Norms and softmax against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

import pytest
import torch
from torch import nn

from tests.unit.frontends.torch.oracle import check, random

LAYERS = [
    nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False), nn.LayerNorm(5), nn.LayerNorm([6, 5]),
    nn.LayerNorm(5, elementwise_affine=False), nn.LayerNorm(5, bias=False), nn.GroupNorm(2, 4),
    nn.GroupNorm(4, 4, affine=False), nn.RMSNorm(5), nn.RMSNorm(5, eps=0.1),
    nn.InstanceNorm2d(4), nn.InstanceNorm2d(4, affine=True), nn.Softmax(1), nn.LogSoftmax(-1),
]  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer: nn.Module) -> None:
    with torch.no_grad():
        for index, tensor in enumerate([*layer.parameters(), *layer.buffers()]):
            if tensor.is_floating_point():
                tensor.copy_(random(*tensor.shape, seed=index, low=0.5, high=1.5))
    check(layer, random(2, 4, 6, 5), tolerance=2e-5)


def test_batch_norm_of_sequences_and_vectors() -> None:
    check(nn.BatchNorm1d(4), random(2, 4, 6))
    check(nn.BatchNorm1d(4), random(2, 4))
