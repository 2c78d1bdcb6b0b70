"""Functions of one element: ops that are tables on the BPU, and chains of them that are one table.

A chain's ops share a `fusion_group` number, like a convolution's: nothing between is quantized.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.dialects.hbir.comparison import (
    ComparisonOp,
    EqualOp,
    GreaterEqualOp,
    GreaterOp,
    LessEqualOp,
    LessOp,
    NotEqualOp,
)
from hbir.dialects.hbir.elementwise import (
    AddOp,
    BinaryOp,
    MaxOp,
    MinOp,
    ModOp,
    MulOp,
    PowOp,
    SubOp,
)
from hbir.ir.op import TensorOp
from hbir.ir.types import Array
from hbir.ir.weights import WeightStore
from hbir.kernels.functions import power, table_function
from hbir.passes.constraints.activation import ACTIVATION_OPS
from hbir.passes.constraints.unary import UNARY_OPS
from hbir.passes.groups import group_number
from hbir.passes.scalars import scalar_operand

ElementFunction = Callable[[Array], Array]

TABLE_OPS = (*ACTIVATION_OPS, *UNARY_OPS)
"""Functions of one tensor's elements."""

_Sides = Array | float

_VARYING_SAMPLES = 4097


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[_Sides, _Sides], Array]:
    return lambda lhs, rhs: np.asarray(compare(lhs, rhs), np.float64)


_BINARY_FUNCTIONS: dict[type[Operation], Callable[[_Sides, _Sides], Array]] = {
    AddOp: np.add,
    SubOp: np.subtract,
    MulOp: np.multiply,
    MaxOp: np.maximum,
    MinOp: np.minimum,
    PowOp: power,
    ModOp: np.fmod,
    EqualOp: _comparison(np.equal),
    NotEqualOp: _comparison(np.not_equal),
    GreaterOp: _comparison(np.greater),
    GreaterEqualOp: _comparison(np.greater_equal),
    LessOp: _comparison(np.less),
    LessEqualOp: _comparison(np.less_equal),
}
"""Functions of a tensor's elements where the other side is a number."""


def table_operand(op: Operation, weights: WeightStore) -> SSAValue | None:
    """The operand that the op is an element-wise function of; None where it isn't one.

    An activation function's operand, or the tensor beside a number of an addition and so on.
    """
    if isinstance(op, TABLE_OPS):
        return op.operands[0]
    scalar = _scalar_operand(op, weights)
    return None if scalar is None else scalar[0]


def _scalar_operand(op: Operation, weights: WeightStore) -> tuple[SSAValue, float, bool] | None:
    if type(op) not in _BINARY_FUNCTIONS or not isinstance(op, BinaryOp | ComparisonOp):
        return None
    return scalar_operand(op, weights)


def element_function(op: TensorOp, weights: WeightStore) -> ElementFunction | None:
    """The float64 function of one element that the op computes; None where it isn't one."""
    if isinstance(op, TABLE_OPS):
        return table_function(op.name.partition(".")[2], **op.params())
    scalar = _scalar_operand(op, weights)
    if scalar is None:
        return None
    _, number, number_is_left = scalar
    function = _BINARY_FUNCTIONS[type(op)]
    if isinstance(op, ModOp) and not op.params()["same_sign_as_dividend"]:
        function = np.mod
    if number_is_left:
        return lambda x: function(number, x)
    return lambda x: function(x, number)


def chain_ending_at(op: TensorOp, weights: WeightStore) -> list[TensorOp]:
    """The table ops of the chain whose last is `op`, first to last; [] if `op` is none."""
    chain: list[TensorOp] = []
    number, current = group_number(op), op
    while True:
        operand = table_operand(current, weights)
        if operand is None:
            return chain
        chain.insert(0, current)
        if number is None or not isinstance(operand, OpResult):
            return chain
        producer = operand.op
        if group_number(producer) != number or not isinstance(producer, TensorOp):
            return chain
        current = producer


def chain_starting_at(op: TensorOp, weights: WeightStore) -> list[TensorOp]:
    """The table ops of the chain whose first is `op`, first to last; [] if `op` is none."""
    chain: list[TensorOp] = []
    number, current = group_number(op), op
    while table_operand(current, weights) is not None:
        chain.append(current)
        users = [use.operation for use in current.output.uses]
        if number is None or len(users) != 1 or group_number(users[0]) != number:
            return chain
        if not isinstance(users[0], TensorOp):
            return chain
        current = users[0]
    return chain


def chain_function(chain: list[TensorOp], weights: WeightStore) -> ElementFunction:
    """The composition of a chain's functions, in float64."""
    functions = [element_function(op, weights) for op in chain]

    def compute(x: Array) -> Array:
        for function in functions:
            if function is not None:
                x = function(x)
        return x

    return compute


def varying_part(
    function: ElementFunction, whole: tuple[float, float], steps: int = 255
) -> tuple[float, float]:
    """The narrowest [low, high] outside of which a function keeps, within a quarter of one of
    `steps` steps of its own range, the values it has at `low` and `high`."""
    x = np.linspace(whole[0], whole[1], _VARYING_SAMPLES)
    with np.errstate(all="ignore"):
        y = function(x)
    if not np.isfinite(y).all() or whole[0] >= whole[1]:
        return whole
    tolerance = (y.max() - y.min()) / (4 * steps)
    varies_below = np.flatnonzero(np.abs(y - y[0]) > tolerance)
    varies_above = np.flatnonzero(np.abs(y - y[-1]) > tolerance)
    if not varies_below.size or not varies_above.size:
        return whole
    first = max(int(varies_below[0]) - 1, 0)
    last = min(int(varies_above[-1]) + 1, x.size - 1)
    return float(x[first]), float(x[last])
