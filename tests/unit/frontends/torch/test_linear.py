"""Linear layers, matrix products, einsum and attention against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.unit.frontends.torch.oracle import check, operations, random


@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 3, 4), (2, 3, 5, 4)])
def test_linear(shape: tuple[int, ...]) -> None:
    assert "hbir.linear" in operations(check(nn.Linear(4, 6), random(*shape)))


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)),
     ((2, 1, 3, 4), (5, 4, 2))],
)  # fmt: skip
def test_matmul(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(torch.matmul, random(*left), random(*right, seed=1))


def products(x: Tensor, y: Tensor, bias: Tensor) -> list[Tensor]:
    weight = torch.arange(12.0).reshape(4, 3) / 12
    return [
        torch.bmm(x, y), torch.addmm(bias, x[0], weight), torch.baddbmm(bias, x, y, beta=0.5, alpha=2),
        x @ weight, torch.einsum("bij,bjk->bki", x, y), torch.einsum("bij,bij->b", x, x),
    ]  # fmt: skip


def test_products() -> None:
    check(products, random(2, 5, 4), random(2, 4, 3, seed=1), random(5, 3, seed=2))


@pytest.mark.parametrize("causal", [False, True])
def test_attention(causal: bool) -> None:
    query, key, value = (random(1, 2, 5, 4, seed=seed) for seed in range(3))
    exported = check(
        lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, is_causal=causal),
        query,
        key,
        value,
    )
    assert "hbir.attention" in operations(exported)


def masked(q: Tensor, k: Tensor, bias: Tensor) -> list[Tensor]:
    seen = torch.ones(5, 5, dtype=torch.bool).tril()
    return [
        functional.scaled_dot_product_attention(q, k, k, seen),
        functional.scaled_dot_product_attention(q, k, k, bias, scale=0.3),
    ]


def test_attention_with_masks() -> None:
    check(masked, random(1, 2, 5, 4), random(1, 2, 5, 4, seed=1), random(5, 5, seed=2))


@pytest.mark.parametrize("mask", [(), (5, 3), (1, 1, 5, 3), (1, 4, 5, 3)])
def test_attention_with_grouped_queries(mask: tuple[int, ...]) -> None:
    def grouped(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
        return functional.scaled_dot_product_attention(q, k, v, bias, enable_gqa=True)

    masks = [random(*mask, seed=3)] if mask else []
    query, key, value = random(1, 4, 5, 6), random(1, 2, 3, 6, seed=1), random(1, 2, 3, 7, seed=2)
    assert "hbir.attention" in operations(check(grouped, query, key, value, *masks))


class CachedAttention(nn.Module):
    """One step of a decoder: keys and values of earlier steps come in, and go out with its own."""

    def __init__(self) -> None:
        super().__init__()
        self.projections = nn.Linear(8, 24)

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        parts = self.projections(x).view(1, 1, 3, 2, 4).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        keys, values = torch.cat([keys, key], 2), torch.cat([values, value], 2)
        y = functional.scaled_dot_product_attention(query, keys, values, bias)
        return y, keys[:, :, 1:], values[:, :, 1:]


def test_attention_over_a_cache() -> None:
    cache = [random(1, 2, 5, 4, seed=seed) for seed in (1, 2)]
    check(CachedAttention(), random(1, 1, 8), *cache, random(1, 1, 1, 6, seed=3))


def test_transformer_layers() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
    check(layer, random(1, 6, 8))
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    check(attention, random(2, 6, 8), random(2, 4, 8, seed=1), random(2, 4, 8, seed=2))
