"""What becomes of a program as a whole: constants, refusals, messages."""

# torch is typed only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownLambdaType=false

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typing_extensions import override

import hbir
import hbir.torch
from hbir.errors import HbirError
from hbir.frontends.errors import UnsupportedError
from hbir.ir.weights import WeightStore
from tests.unit.frontends.torch.oracle import Function, check, operations, random


def stored_bytes(store: WeightStore) -> int:
    return sum(store.blob(handle).nbytes for handle in store)


class Tied(nn.Module):
    """Two layers that share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 16)
        self.second.weight = self.first.weight

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


def test_tied_parameters_are_stored_once() -> None:
    module = check(Tied(), random(2, 16))
    assert stored_bytes(module.weights) == 16 * 16 * 4  # biases are written inline


def test_later_training_does_not_change_the_export() -> None:
    layer = nn.Linear(16, 32)
    module = hbir.torch.export(layer, random(2, 16))
    feed = {"input": random(2, 16).numpy()}
    before = module.functions[0].feed(feed)["output"]
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
    np.testing.assert_array_equal(module.functions[0].feed(feed)["output"], before)


def test_an_exported_program_needs_no_example() -> None:
    program = torch.export.export(nn.Linear(4, 3).eval(), (random(2, 4),), strict=False)
    module = hbir.torch.export(program)
    assert operations(module) == {"hbir.linear"}
    assert module.functions[0].name == "main"
    assert module.level == "float"


def test_transposes_go_to_the_edges() -> None:
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 1)
    )
    module = check(layers, random(1, 3, 8, 8))
    assert module.functions[0].statistics()["hbir.transpose"] == 2


def test_what_is_computed_of_parameters_is_folded() -> None:
    normalized = nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 3, 3))
    module = check(normalized, random(1, 2, 5, 5))
    assert operations(module) == {"hbir.conv2d", "hbir.transpose"}


class Counting(nn.Module):
    """Keeps state from call to call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Tensor
        self.register_buffer("calls", torch.zeros(1))

    @override
    def forward(self, x: Tensor) -> Tensor:
        self.calls.add_(1)
        return x + self.calls


def data_dependent(x: Tensor) -> Tensor:
    return x * 2 if bool((x > 0).any()) else x


REFUSED: list[tuple[nn.Module | Callable[..., Any], tuple[Any, ...], str]] = [
    (Counting(), (random(2),), r"Counting: forward writes its buffer 'calls'.*eval"),
    (data_dependent, (random(2),), r"Function: torch.export fails: "),
    (lambda x: x.nonzero(), (random(3),), r"aten.nonzero.default.*known only at run time"),
    (lambda x: x + torch.rand(3), (random(3),), r"aten.rand.default.*random.*call module.eval"),
    (lambda x: x.shape[0], (random(3),), r"output 'output' must be a tensor"),
    (lambda x: x * 2, (random(3).double(),), r"input .* is torch.float64, expected float32"),
    (lambda x: torch.linalg.inv(x), (random(3, 3),), r"aten\.\S+.*\(oracle.py:\d+, in forward"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "inputs", "message"), REFUSED)
def test_refusals_say_what_and_where(network: Any, inputs: tuple[Any, ...], message: str) -> None:
    module = network if isinstance(network, nn.Module) else Function(network)
    with pytest.raises(HbirError, match=message):
        hbir.torch.export(module.eval(), inputs)


def test_training_mode_is_refused() -> None:
    with pytest.raises(HbirError, match=r"call module.eval\(\)"):
        hbir.torch.export(nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)), random(2, 3))
    with pytest.raises(HbirError, match=r"call module.eval\(\)"):
        hbir.torch.export(nn.BatchNorm2d(3), random(2, 3, 4, 4))


def test_a_module_of_half_precision_is_refused() -> None:
    with pytest.raises(HbirError, match=r"export module.float\(\)"):
        hbir.torch.export(nn.Linear(3, 3).bfloat16().eval(), random(2, 3).bfloat16())


def test_open_shapes_are_refused() -> None:
    batch = torch.export.Dim("batch")
    program = torch.export.export(
        nn.Linear(4, 3).eval(), (random(2, 4),), dynamic_shapes=({0: batch},), strict=False
    )
    with pytest.raises(HbirError, match=r"input 'input' has a dynamic extent on axis 0"):
        hbir.torch.export(program)


@pytest.mark.parametrize(
    ("source", "inputs", "message"),
    [
        ("model.pt", (), r"expected a torch.nn.Module .*, got str"),
        (nn.Linear(3, 3), 5, r"example_inputs must be a tensor, a tuple .* or a dict"),
        (nn.Linear(3, 3), random(2, 4), r"Linear: torch.export fails: "),
    ],
)
def test_bad_calls(source: Any, inputs: Any, message: str) -> None:
    with pytest.raises(HbirError, match=message):
        hbir.torch.export(source, inputs)


def test_a_refused_layer_is_named_by_its_path() -> None:
    class Inner(nn.Module):
        @override
        def forward(self, x: Tensor) -> Tensor:
            return torch.linalg.det(x)

    network = nn.Sequential(nn.Identity(), nn.Sequential(Inner()))
    with pytest.raises(
        UnsupportedError, match=r"Sequential: 1\.0\..*test_importer.py:.*linalg.det"
    ):
        hbir.torch.export(network, random(3, 3))
