"""Comparisons, logic and choices, of truth values and of the numbers 0 and 1."""

import numpy as np
import pytest

from hbir.dialects.hbir import comparison
from hbir.dialects.hbir.comparison import ComparisonOp, LogicOp, WhereOp
from hbir.ir.types import BOOL, F32
from tests.unit.exporters.onnx.oracle import Net, numbers

COMPARISONS = [
    kind
    for kind in vars(comparison).values()
    if isinstance(kind, type) and issubclass(kind, ComparisonOp) and kind is not ComparisonOp
]
LOGIC = [
    kind
    for kind in vars(comparison).values()
    if isinstance(kind, type) and issubclass(kind, LogicOp) and kind is not LogicOp
]


@pytest.mark.parametrize("kind", COMPARISONS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("element", [BOOL, F32], ids=str)
def test_comparisons(kind: type[ComparisonOp], element: object) -> None:
    few = np.rint(numbers((2, 3, 4), 0)), np.rint(numbers((4,), 1))
    net = Net(*few)
    net.check(net.op(kind, *net.inputs, element=element))


@pytest.mark.parametrize("kind", LOGIC, ids=lambda kind: kind.name)
def test_logic(kind: type[LogicOp]) -> None:
    net = Net(numbers((3, 4), 0) > 0, numbers((3, 1), 1) > 0)
    net.check(net.op(kind, *net.inputs))


@pytest.mark.parametrize("truth", [True, False])
def test_choices(truth: bool) -> None:
    condition = numbers((2, 4, 5), 0) > 0
    net = Net(
        condition if truth else condition.astype(np.float32),
        numbers((2, 5, 3, 4), 1),
        numbers((5,), 2),
    )
    where, lhs, rhs = net.inputs
    lhs = net.transposed(lhs, (2, 0, 3, 1))
    net.check(net.op(WhereOp, where, lhs, rhs))
