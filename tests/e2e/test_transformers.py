"""Transformers in plain torch, random weights: all of them on the BPU, every level the same bits.

ViT-S/16 and Swin-T in their full shapes on one march; small networks with what those lack (masks,
grouped queries, other norms, layer norms written out by an exporter) on more marches and levels.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

import hbir
import hbir.torch
from benchmarks.models.swin import swin
from benchmarks.models.vit import EncoderLayer, Size, vit
from tests.e2e.levels import Array, Network, assert_levels_equal, cosine
from tests.e2e.placement import cpu_calls

_torch: Any = torch  # typed only in part

SMALL = Size(width=64, depth=1, heads=4, hidden=128)
LENGTH = 20


class CausalDecoder(nn.Module):
    """Causal attention in which two heads of the query share one of key and value; RMS norms."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.out_norm = nn.RMSNorm(SMALL.width), nn.RMSNorm(SMALL.width)
        self.query, self.out = (nn.Linear(SMALL.width, SMALL.width) for _ in range(2))
        self.key, self.value = (nn.Linear(SMALL.width, SMALL.width // 2) for _ in range(2))

    @override
    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        y = self.norm(x)
        parts = [layer(y).view(n, length, -1, 16) for layer in (self.query, self.key, self.value)]
        q, k, v = (part.transpose(1, 2) for part in parts)
        k, v = (side.repeat_interleave(2, dim=1) for side in (k, v))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_norm(x + self.out(y.transpose(1, 2).reshape(n, length, width)))


class MaskedPooling(nn.Module):
    """One learnt query attends to what a mask, an input of the network, lets be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, SMALL.width))
        self.key, self.value = (nn.Linear(SMALL.width, SMALL.width) for _ in range(2))

    @override
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        added = (1.0 - mask)[:, None] * torch.finfo(torch.float32).min
        scores = self.query @ self.key(x).transpose(1, 2) * SMALL.width**-0.5 + added
        return torch.softmax(scores, -1) @ self.value(x)


class Norms(nn.Module):
    """Group and instance norm between convolutions, a softmax over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.GroupNorm(4, 16),
            nn.ReLU(),
            nn.Conv2d(16, 8, 3, padding=1),
            nn.InstanceNorm2d(8, affine=True),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.layers(x), dim=1)


def tokens() -> tuple[Tensor, ...]:
    return (torch.randn(2, LENGTH, SMALL.width),)


def masked_tokens() -> tuple[Tensor, ...]:
    return *tokens(), (torch.arange(LENGTH) < torch.tensor([[LENGTH], [7]])).float()


def images() -> tuple[Tensor, ...]:
    return (torch.randn(1, 3, 24, 24),)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[], tuple[Tensor, ...]]]] = {
    "decoder": (CausalDecoder, tokens),
    "pooling": (MaskedPooling, masked_tokens),
    "norms": (Norms, images),
    "swin-stage": (lambda: swin((2,), (2,), 32, 56, 7, 10), lambda: (torch.randn(1, 3, 56, 56),)),
}


def prepared(network: nn.Module) -> nn.Module:
    """Ready for inference, its norms with weights that differ."""
    for module in network.modules():
        if isinstance(module, nn.LayerNorm | nn.RMSNorm | nn.GroupNorm):
            module.weight.data.uniform_(0.5, 1.5)
    return network.eval()


def made(
    name: str, network: nn.Module, draw: Callable[[], tuple[Tensor, ...]], folder: Path
) -> tuple[Network, dict[str, Array], Array]:
    """The calibrated network, an input it was not calibrated on, and torch's result for that."""
    module = hbir.torch.export(network, draw())
    names = [port.name for port in module.functions[0].flatten_inputs]

    def feed(arguments: tuple[Tensor, ...]) -> dict[str, Array]:
        return {n: a.numpy() for n, a in zip(names, arguments, strict=True)}

    calibrated = hbir.calibrate(module, [feed(draw()) for _ in range(4)])
    arguments = draw()
    with torch.no_grad():
        expected = network(*arguments).numpy()
    (actual,) = module.functions[0].feed(feed(arguments)).values()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
    return Network(name, calibrated, folder), feed(arguments), expected


def assert_good(
    network: Network, march: str, opt: int, feed: dict[str, Array], expected: Array, least: float
) -> None:
    """All on the BPU, the same bits at every level, and near the float network."""
    assert [reason for _, reason in cpu_calls(network.quantized(march))] == []
    assert_levels_equal(network, march, opt, [feed])
    (got,) = network.run_quantized(march, feed).values()
    assert cosine(got, expected) > least


@pytest.mark.parametrize(
    ("name", "build", "least"),
    [("vit-s", lambda: vit("small"), 0.97), ("swin-t", swin, 0.99)],
)
def test_vision_transformers(
    name: str, build: Callable[[], nn.Module], least: float, tmp_path: Path
) -> None:
    _torch.manual_seed(0)

    def draw() -> tuple[Tensor, ...]:
        return (torch.randn(1, 3, 224, 224),)

    network, feed, expected = made(name, prepared(build()), draw, tmp_path)
    assert_good(network, "nash-e", 2, feed, expected, least)


@pytest.mark.parametrize("name", NETWORKS)
def test_small_networks(name: str, tmp_path: Path) -> None:
    _torch.manual_seed(0)
    build, draw = NETWORKS[name]
    network, feed, expected = made(name, prepared(build()), draw, tmp_path)
    for march, opt in (("nash-e", 0), ("nash-p", 2), ("bernoulli2", 1)):
        assert_good(network, march, opt, feed, expected, 0.98)


@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_an_encoder_exported_to_onnx(opset: int, tmp_path: Path) -> None:
    """Before opset 17 layer norms arrive as nine nodes each; both ways give the same integers."""
    _torch.manual_seed(0)
    layer, arguments = prepared(EncoderLayer(SMALL)), tokens()
    path = tmp_path / "encoder.onnx"
    options = {"opset_version": opset, "dynamo": False, "input_names": ["x"]}
    _torch.onnx.export(layer, arguments, str(path), **options)
    model = onnx.load_from_string(path.read_bytes())
    assert ("LayerNormalization" in [node.op_type for node in model.graph.node]) == (opset >= 17)
    feed = {"x": arguments[0].numpy()}
    network = Network.calibrate("encoder", model, [feed], tmp_path)
    statistics = network.quantized("nash-e").functions[0].statistics()
    assert [statistics[f"bpu.{op}"] for op in ("layernorm", "matmul", "softmax")] == [2, 2, 1]
    with torch.no_grad():
        expected = layer(*arguments).numpy()
    assert_good(network, "nash-e", 2, feed, expected, 0.995)
