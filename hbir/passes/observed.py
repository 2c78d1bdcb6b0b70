"""What calibration observed, as attributes, on its way to the pass that uses it.

`observed = [low, high, ...]` on an op has a pair per result; `hbir.observed = [low, high]` is among
a function argument's attributes. `observed_extremes` are the same without anything cut off, written
where they differ: what 16 bits have room for. `place-fake-quants` uses them up.

`input_mean` on a convolution or linear layer is the mean of each channel of its input, (Cin)
float32. It stays through the qat level: where `lower-to-bpu` rounds the weights, it corrects the
bias with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from hbir.errors import HbirError
from hbir.ir.function import body_of
from hbir.ir.op import to_attribute, to_python
from hbir.ir.types import Array, shape_of
from hbir.ir.verify import describe_op
from hbir.ir.weights import WeightStore
from hbir.passes.gemm import GemmOp, as_gemm

OP_ATTRIBUTE = "observed"
ARGUMENT_ATTRIBUTE = "hbir.observed"

EXTREMES_ATTRIBUTE = "observed_extremes"
ARGUMENT_EXTREMES_ATTRIBUTE = "hbir.observed_extremes"

INPUT_MEAN_ATTRIBUTE = "input_mean"

Ranges = dict[SSAValue, tuple[float, float]]

Means = Mapping[SSAValue, Array]
"""Value → the mean of each channel, its last axis."""


def write_observed(
    function: FuncOp,
    ranges: Mapping[SSAValue, tuple[float, float]],
    extremes: Mapping[SSAValue, tuple[float, float]] | None = None,
) -> None:
    """Write ranges as attributes; an op gets them when all its results have one.

    extremes: of the same values, or None where the ranges are the extremes.
    """
    _write(function, ranges, OP_ATTRIBUTE, ARGUMENT_ATTRIBUTE)
    if extremes is not None:
        _write(function, extremes, EXTREMES_ATTRIBUTE, ARGUMENT_EXTREMES_ATTRIBUTE)


def _write(
    function: FuncOp,
    ranges: Mapping[SSAValue, tuple[float, float]],
    op_attribute: str,
    argument_attribute: str,
) -> None:
    block = body_of(function)
    entries = function.arg_attrs.data if function.arg_attrs is not None else ()
    attributes: list[DictionaryAttr] = []
    for index, argument in enumerate(block.args):
        entry: dict[str, Attribute] = dict(entries[index].data) if index < len(entries) else {}
        if argument in ranges:
            entry[argument_attribute] = to_attribute(list(ranges[argument]))
        attributes.append(DictionaryAttr(entry))
    function.arg_attrs = ArrayAttr(attributes)
    for op in block.ops:
        if op.results and all(result in ranges for result in op.results):
            numbers = [bound for result in op.results for bound in ranges[result]]
            op.attributes[op_attribute] = to_attribute(numbers)


def write_input_means(function: FuncOp, means: Means, weights: WeightStore) -> None:
    """Write `input_mean` on every convolution and linear layer whose input has a mean."""
    for op in body_of(function).ops:
        gemm = as_gemm(op)
        if gemm is not None and gemm.x in means:
            mean = means[gemm.x].astype(np.float32)
            gemm.attributes[INPUT_MEAN_ATTRIBUTE] = weights.attribute(mean)


def input_mean(gemm: GemmOp, weights: WeightStore) -> Array | None:
    """The observed mean of each input channel of `gemm`, (Cin); None where none was kept.

    Raises HbirError for a mean of another shape.
    """
    attribute = gemm.attributes.get(INPUT_MEAN_ATTRIBUTE)
    if attribute is None:
        return None
    mean = weights.array(attribute)
    channels = shape_of(gemm.x)[-1:]
    if mean.shape != channels:
        raise HbirError(
            f"{describe_op(gemm)}: input_mean must be {list(channels)}, one number per input"
            f" channel, got {list(mean.shape)}"
        )
    return mean


def take_observed(function: FuncOp) -> Ranges:
    """Read the ranges of a function's values and remove the attributes.

    Raises HbirError for an attribute that isn't one pair of ordered numbers per result.
    """
    return _take(function, OP_ATTRIBUTE, ARGUMENT_ATTRIBUTE)


def take_extremes(function: FuncOp) -> Ranges:
    """`take_observed` of the extremes; nothing where none were written."""
    return _take(function, EXTREMES_ATTRIBUTE, ARGUMENT_EXTREMES_ATTRIBUTE)


def _take(function: FuncOp, op_attribute: str, argument_attribute: str) -> Ranges:
    ranges: Ranges = {}
    block = body_of(function)
    attributes: list[DictionaryAttr] = []
    for argument, entry in zip(block.args, _argument_entries(function), strict=False):
        rest = dict(entry.data)
        observed = rest.pop(argument_attribute, None)
        attributes.append(DictionaryAttr(rest))
        if observed is not None:
            (ranges[argument],) = _pairs(observed, 1, f"argument {argument.index}")
    if attributes:
        function.arg_attrs = ArrayAttr(attributes)
    for op in block.ops:
        observed = op.attributes.pop(op_attribute, None)
        if observed is not None:
            pairs = _pairs(observed, len(op.results), describe_op(op))
            ranges.update(zip(op.results, pairs, strict=True))
    return ranges


def _argument_entries(function: FuncOp) -> list[DictionaryAttr]:
    return list(function.arg_attrs.data) if function.arg_attrs is not None else []


def _pairs(attribute: Attribute, count: int, what: str) -> list[tuple[float, float]]:
    numbers: Any = to_python(attribute)
    values = [float(n) for n in cast(tuple[float, ...], numbers)] if _is_list(numbers) else []
    pairs = list(zip(values[::2], values[1::2], strict=False))
    if len(values) != 2 * count or any(low > high for low, high in pairs):
        raise HbirError(f"{what}: observed must be [low, high] per result, got {attribute}")
    return pairs


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple)
