"""Names of inputs and outputs: their place in the call of forward."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from typing_extensions import override

import hbir
import hbir.torch
from hbir.errors import HbirError
from tests.unit.frontends.torch.oracle import feed_of, random


class Pair(NamedTuple):
    """Fields with names."""

    first: Tensor
    second: Tensor


@dataclass
class Boxes:
    """A user's own class, registered with torch.export."""

    corners: Tensor
    scores: list[Tensor]


torch.export.register_dataclass(Boxes)


class Nested(nn.Module):
    """Takes and gives every kind of nesting."""

    @override
    def forward(
        self,
        image: Tensor,
        extra: dict[str, list[Tensor]],
        *,
        pair: Any = None,
        boxes: Boxes | None = None,
        flag: bool = True,
    ) -> dict[str, Any]:
        if pair is None or boxes is None or not flag:
            raise ValueError("all are given")
        return {
            "logits": image + extra["a"][1],
            "aux": (pair.first * 2, [boxes.corners + 1]),
            "boxes": Boxes(boxes.corners * 3, [boxes.scores[0] - 1]),
            "nothing": None,
        }


def names(module: hbir.Module) -> tuple[list[str], list[str]]:
    function = module.functions[0]
    return (
        [port.name for port in function.flatten_inputs],
        [port.name for port in function.flatten_outputs],
    )


def nested_program() -> tuple[torch.export.ExportedProgram, tuple[Any, ...], dict[str, Any]]:
    args = (random(2), {"a": [random(2, seed=1), random(2, seed=2)]})
    boxes = Boxes(random(3, seed=3), [random(3, seed=4)])
    kwargs = {"pair": Pair(random(2, seed=5), random(2, seed=6)), "boxes": boxes}
    return torch.export.export(Nested(), args, kwargs, strict=False), args, kwargs


def test_nested_arguments_and_results() -> None:
    program, args, kwargs = nested_program()
    module = hbir.torch.export(program)
    inputs, outputs = names(module)
    assert inputs == [
        "image", "extra.a.0", "extra.a.1", "pair.first", "pair.second", "boxes.corners",
        "boxes.scores.0",
    ]  # fmt: skip
    assert outputs == ["logits", "aux.0", "aux.1.0", "boxes.corners", "boxes.scores.0"]
    found = module.functions[0].feed(feed_of(module, (args, kwargs)))
    torch.testing.assert_close(torch.tensor(found["logits"]), args[0] + args[1]["a"][1])


@pytest.mark.parametrize(("count", "expected"), [(1, ["output"]), (2, ["output.0", "output.1"])])
def test_results_without_names(count: int, expected: list[str]) -> None:
    class Several(nn.Module):
        @override
        def forward(self, x: Tensor) -> Any:
            results = tuple(x + number for number in range(1, count + 1))
            return results if count > 1 else results[0]

    assert names(hbir.torch.export(Several(), random(2)))[1] == expected


class Add(nn.Module):
    @override
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


def test_given_names_take_the_place_of_all() -> None:
    pair = (random(2), random(2))
    module = hbir.torch.export(
        Add(), pair, input_names=["a", "b"], output_names="sum", name="f.x/y"
    )
    assert names(module) == (["a", "b"], ["sum"])
    assert module.functions[0].name == "f.x_y"
    nested = hbir.torch.export(
        Add(), {"x": pair[0], "y": pair[1]}, input_names={"x": "a", "y": "b"}
    )
    assert names(nested)[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_names": ["a"]}, "input_names must have a name for each of the 2 inputs"),
        ({"input_names": ["a", "a"]}, "two inputs would be named 'a'"),
        ({"output_names": ["a", "b"]}, "output_names must have a name for each of the 1 outputs"),
        ({"output_names": [3]}, "output_names must have a name"),
    ],
)
def test_names_that_dont_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        hbir.torch.export(Add(), (random(2), random(2)), **options)
