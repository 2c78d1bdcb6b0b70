"""Names of nodes: the paths of the user's modules."""

from torch import Tensor, nn
from typing_extensions import override

import hbir
import hbir.torch
from hbir.ir.origin import origin_of_op
from tests.unit.frontends.torch.oracle import random


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU()

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.conv(x))
        return self.relu(x + y + 1.0)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(Block(), Block())

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).sigmoid() * 2


def nodes(module: hbir.Module) -> list[tuple[str, str]]:
    """(name, type) of each op's source node, in order, each once."""
    found: dict[tuple[str, str], None] = {}
    for op in module.functions[0].operations:
        origin = origin_of_op(op)
        for node in origin.nodes if origin is not None else ():
            found[node.name, node.type] = None
    return list(found)


def test_nodes_bear_the_paths_of_modules() -> None:
    module = hbir.torch.export(Network().eval(), random(1, 3, 4, 4))
    assert nodes(module) == [
        ("layers.0.conv", "conv2d"),
        ("layers.0.relu.relu", "relu"),  # called twice
        ("layers.0.add", "add"),
        ("layers.0.add_1", "add"),
        ("layers.0.relu.relu_1", "relu"),
        ("layers.1.conv", "conv2d"),
        ("layers.1.relu.relu", "relu"),
        ("layers.1.add", "add"),
        ("layers.1.add_1", "add"),
        ("layers.1.relu.relu_1", "relu"),
        ("sigmoid", "sigmoid"),
        ("mul", "mul"),
    ]


def test_constants_bear_the_names_of_parameters() -> None:
    module = hbir.torch.export(Network().eval(), random(1, 3, 4, 4))
    origins = [origin_of_op(op) for op in module.functions[0].operations]
    tensors = {origin.tensor for origin in origins if origin is not None}
    assert {"layers.0.conv.weight", "layers.1.conv.bias"} <= tensors


def test_names_survive_to_the_quantized_level() -> None:
    """Ops fused into a convolution keep theirs."""
    module = hbir.torch.export(Network().eval(), random(1, 3, 4, 4))
    feeds = [{"x": random(1, 3, 4, 4, seed=seed).numpy()} for seed in range(2)]
    quantized = hbir.convert(hbir.calibrate(module, feeds), "nash-e")
    names = {name for name, _ in nodes(quantized)}
    assert {"layers.0.conv", "layers.0.relu.relu", "layers.1.add"} <= names
