"""Norms over statistics of the tensor itself, with weight and bias or without."""

from typing import Any

import pytest

from hbir.dialects.hbir.layernorm import GroupnormOp, LayernormOp, RmsNormOp
from hbir.ir.op import TensorOp
from tests.unit.exporters.onnx.oracle import Net, numbers

CASES: list[tuple[type[TensorOp], dict[str, Any], tuple[int, ...], int]] = [
    (LayernormOp, {"dims": [-1]}, (6,), 2),
    (LayernormOp, {"dims": [2, 3]}, (4, 6), 2),
    (LayernormOp, {"dims": [1]}, (3,), 2),
    (RmsNormOp, {"dims": [-1], "eps": 1e-3}, (6,), 1),
    (RmsNormOp, {"dims": [1, 3]}, (3, 6), 1),
    (GroupnormOp, {"groupNum": 2}, (6,), 2),
    (GroupnormOp, {"groupNum": 6}, (6,), 2),
]


@pytest.mark.parametrize("given", range(3))
@pytest.mark.parametrize(("kind", "parameters", "shape", "most"), CASES)
def test_norms(
    kind: type[TensorOp], parameters: dict[str, Any], shape: tuple[int, ...], most: int, given: int
) -> None:
    net = Net(numbers((2, 3, 4, 6), 0) + 1)
    parts = [net.constant(numbers(shape, seed)) for seed in range(min(given, most))]
    net.check(net.op(kind, net.inputs[0], *parts, **parameters), tolerance=1e-4)
