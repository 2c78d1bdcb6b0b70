"""Checks that need an op's constants or its neighbours' scales: for the quantized phase verifier.

An op's own verifier sees types and properties. Whether an accumulator can overflow depends on the
actual weights, and whether a multiplier is right on the scales in the origins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
import numpy.typing as npt
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.utils.exceptions import VerifyException

from hbir.dialects.bpu.base import KeepingOp
from hbir.dialects.bpu.comparison import CompareOp
from hbir.dialects.bpu.conv import Conv2dOp
from hbir.dialects.bpu.elementwise import AddOp, MulOp, PreluOp
from hbir.dialects.bpu.matmul import MatmulOp
from hbir.dialects.bpu.pool import AvgPoolOp
from hbir.dialects.bpu.reduce import ReduceMeanOp, ReduceSumOp
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.dialects.bpu.softmax import SoftmaxOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.op import TensorOp, to_python
from hbir.ir.origin import origin_of
from hbir.ir.types import Array, dtype_of, shape_of
from hbir.ir.weights import WeightStore
from hbir.kernels.integer.bounds import (
    ACCUMULATOR_LIMIT,
    RAW_LIMIT,
    accumulator_bound,
    matmul_bound,
    sum_bound,
)
from hbir.kernels.parameters import MULTIPLIER_MAX, SHIFT_MAX, SHIFT_MIN, add_widening

TOLERANCE = 2.0**-14
"""Relative distance allowed between a multiplier and the scales' ratio; rounding costs 2^-15."""

Scale = npt.NDArray[np.float64]


def check_accumulator_bound(op: Operation, weights: WeightStore) -> None:
    """Prove from the actual weights that no accumulator of `op` leaves its width.

    32 bits for si8 inputs and weights, 48 where one is si16; 32 where it is the result. Raises
    VerifyException naming the channel; ops without an accumulator pass.
    """
    if isinstance(op, Conv2dOp):
        _check_conv_bound(op, weights)
        return
    if isinstance(op, MatmulOp):
        lhs, rhs = dtype_of(op.lhs), dtype_of(op.rhs)
        bound = matmul_bound(shape_of(op.lhs)[-1], lhs, rhs, op.params()["lhs_zero_point"])
        limit = ACCUMULATOR_LIMIT[max(lhs.itemsize, rhs.itemsize)]
        _expect_bound(bound, limit, "the accumulator")
        return
    if isinstance(op, AvgPoolOp | ReduceMeanOp | ReduceSumOp):
        params = op.params()
        x = op.operands[0]
        shape = shape_of(x)
        kernel: Sequence[int] = params.get("kernel") or _pick(shape, params["dims"])
        bound = sum_bound(prod(kernel), dtype_of(x), params["input_zero_point"])
        _expect_bound(bound, ACCUMULATOR_LIMIT[dtype_of(x).itemsize], "the sum")


def _check_conv_bound(op: Conv2dOp, weights: WeightStore) -> None:
    x, w, qpp, *residual = op.operands
    parameters = constant_array(qpp, weights)
    if parameters is None:
        raise VerifyException("qpp must be a constant: its biases are part of the proof")
    filters = constant_array(w, weights)
    if filters is None:
        # Activations on both sides: every weight may be the least integer.
        filters = np.full(shape_of(w), np.iinfo(dtype_of(w).name).min, dtype_of(w))
    bounds = accumulator_bound(
        filters,
        parameters,
        x_dtype=dtype_of(x),
        residual_dtype=dtype_of(residual[0]) if residual and _is_integer(residual[0]) else None,
    )
    channel = int(np.argmax(bounds))
    itemsize = max(dtype_of(x).itemsize, dtype_of(w).itemsize)
    is_raw = dtype_of(op.output).itemsize > 2
    limit = RAW_LIMIT if is_raw else ACCUMULATOR_LIMIT[itemsize]
    _expect_bound(int(bounds[channel]), limit, f"the accumulator of channel {channel}")


def _expect_bound(bound: int, limit: int, what: str) -> None:
    if bound >= limit:
        raise VerifyException(
            f"{what} can reach {bound}, beyond {limit - 1} ({limit.bit_length()} bits); split the"
            " reduction or raise the weights' scale"
        )


def check_multipliers(op: Operation, weights: WeightStore) -> bool:
    """Compare the multipliers of `op` with the scales in the origins, to 2^-14 relative.

    Also that ops which keep their operands' integers have one scale and zero point throughout.
    Returns False when an origin lacks a scale, so that nothing could be compared; True otherwise,
    and for ops with nothing to compare. Raises VerifyException.
    """
    if isinstance(op, KeepingOp):
        return _check_kept_scales(op)
    if not isinstance(op, TensorOp) or type(op) not in _RATIOS:
        return True
    if isinstance(op, Conv2dOp) and dtype_of(op.output).itemsize > 2:
        return True
    ratios = _RATIOS[type(op)](op, weights)
    if ratios is None:
        return False
    for name, pair, ratio, reference in ratios:
        _expect_ratio(name, pair, ratio, reference)
    return True


_Pair = tuple[npt.ArrayLike, npt.ArrayLike]
_Comparison = tuple[str, _Pair, Scale, Scale]
"""What is compared: name, (multiplier, shift), ratio, and what the tolerance is relative to."""


def _expect_ratio(name: str, pair: _Pair, ratio: Scale, reference: Scale) -> None:
    multiplier, shift = np.asarray(pair[0], np.float64), np.asarray(pair[1], np.int64)
    held, ratio, reference = np.broadcast_arrays(np.ldexp(multiplier, -shift), ratio, reference)
    largest = MULTIPLIER_MAX * 2.0**-SHIFT_MIN
    wrong = np.abs(held - ratio) > np.abs(reference) * TOLERANCE
    wrong &= ~((held == 0) & (np.abs(ratio) < 2.0 ** (14 - SHIFT_MAX)))  # rounds to 0 either way
    wrong &= ~((held == largest) & (ratio > largest))  # saturates either way
    if np.any(wrong):
        index = int(np.argmax(wrong))
        raise VerifyException(
            f"{name} {index} is {held.flat[index]:.8g}, the scales give {ratio.flat[index]:.8g}"
        )


def _check_kept_scales(op: KeepingOp) -> bool:
    origins = [origin_of(value) for value in (*op.kept_operands, op.output)]
    known = [(o.scale, o.zero_point) for o in origins if o is not None and o.scale is not None]
    if len(known) < len(origins):
        return False
    if any(entry != known[0] for entry in known):
        raise VerifyException(
            f"{op.name} keeps its operands' integers, but their scales and zero points differ:"
            f" {known}"
        )
    return True


def _conv_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    x, w, qpp, *residual = op.operands
    scale_x, scale_w, scale_y = (scale_of(value, weights) for value in (x, w, op.output))
    table = constant_array(qpp, weights)
    if scale_x is None or scale_w is None or scale_y is None or table is None:
        return None
    columns = table.T
    accumulator = scale_x * scale_w
    ratio = accumulator / scale_y
    result: list[_Comparison] = [("multiplier", (columns[1], columns[2]), ratio, ratio)]
    if residual and _is_integer(residual[0]):
        scale_r = scale_of(residual[0], weights)
        if scale_r is None:
            return None
        # A channel without weights, bias and residual has scale 0 and is told by m = 0.
        live = np.where(accumulator > 0, accumulator, np.inf)
        ratio = scale_r / live
        result.append(("residual multiplier", (columns[3], columns[4]), ratio, ratio))
    return result


def _add_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    scales = _scales(op, weights)
    if scales is None:
        return None
    lhs_widening, rhs_widening = add_widening(*(dtype_of(x).itemsize for x in op.operands))
    x, y, output = scales[0] / 2.0**lhs_widening, scales[1] / 2.0**rhs_widening, scales[2]
    params = op.params()
    shift = params["shift"]
    largest = np.maximum(x, y) / output
    return [
        ("multiplier of x", (abs(params["multipliers"][0]), shift), x / output, largest),
        ("multiplier of y", (abs(params["multipliers"][1]), shift), y / output, largest),
    ]


def _mul_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    scales = _scales(op, weights)
    if scales is None:
        return None
    return [_own_pair(op, scales[0] * scales[1] / scales[2])]


def _matmul_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    scales = _scales(op, weights)
    factor = float(to_python(op.properties["scale"]))
    return None if scales is None else [_own_pair(op, scales[0] * scales[1] * factor / scales[2])]


def _rescale_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    x, y = scale_of(op.operands[0], weights), scale_of(op.output, weights)
    return None if x is None or y is None else [_own_pair(op, x / y)]


def _prelu_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    x, y = scale_of(op.operands[0], weights), scale_of(op.output, weights)
    slope = constant_array(op.operands[1], weights)
    if x is None or y is None or slope is None:
        return None
    params = op.params()
    # The pair is normalised to the larger of 1 and the slopes; the tolerance is relative to that.
    largest = np.ldexp(float(max(params["multiplier"], np.abs(slope).max())), -params["shift"])
    pair = (params["multiplier"], params["shift"])
    return [("multiplier", pair, x / y, np.asarray(largest))]


def _mean_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    x, y = scale_of(op.operands[0], weights), scale_of(op.output, weights)
    if x is None or y is None:
        return None
    shape = shape_of(op.operands[0])
    count = prod(_pick(shape, op.params()["dims"])) if isinstance(op, ReduceMeanOp) else 1
    return [_own_pair(op, x / y / count)]


def _compare_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    x, y = (scale_of(operand, weights) for operand in op.operands)
    if x is None or y is None:
        return None
    # Only their ratio counts: the pair, read on the larger scale.
    multipliers, largest = op.params()["multipliers"], np.maximum(x, y)
    factor = max(multipliers)
    return [
        ("multiplier of x", (multipliers[0], 0), factor * x / largest, np.asarray(factor)),
        ("multiplier of y", (multipliers[1], 0), factor * y / largest, np.asarray(factor)),
    ]


def _avg_pool_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    x, y = scale_of(op.operands[0], weights), scale_of(op.output, weights)
    table = constant_array(op.operands[1], weights)
    if x is None or y is None or table is None:
        return None
    params = op.params()
    elements = prod(params["kernel"])
    if params["count_include_pad"]:
        ratio = x / y / elements
    else:
        counts = np.arange(1, elements + 1)
        ratio = np.concatenate([[0.0], x / y / counts])
    return [("multiplier", (table[:, 0], table[:, 1]), ratio, ratio)]


def _softmax_ratios(op: TensorOp, weights: WeightStore) -> list[_Comparison] | None:
    y = scale_of(op.output, weights)
    return None if y is None else [_own_pair(op, 1 / y)]


_RATIOS: dict[type[TensorOp], Callable[[TensorOp, WeightStore], list[_Comparison] | None]] = {
    Conv2dOp: _conv_ratios,
    AddOp: _add_ratios,
    MulOp: _mul_ratios,
    MatmulOp: _matmul_ratios,
    RescaleOp: _rescale_ratios,
    PreluOp: _prelu_ratios,
    ReduceMeanOp: _mean_ratios,
    ReduceSumOp: _mean_ratios,
    CompareOp: _compare_ratios,
    AvgPoolOp: _avg_pool_ratios,
    SoftmaxOp: _softmax_ratios,
}


def _is_integer(value: SSAValue) -> bool:
    return dtype_of(value).kind in "iu"


def _pick(shape: Sequence[int], dims: Sequence[int]) -> list[int]:
    return [shape[dim] for dim in dims]


def _own_pair(op: TensorOp, ratio: Scale) -> _Comparison:
    params = op.params()
    return ("multiplier", (params["multiplier"], params["shift"]), ratio, ratio)


def _scales(op: TensorOp, weights: WeightStore) -> tuple[Scale, Scale, Scale] | None:
    x, y = (scale_of(operand, weights) for operand in op.operands)
    output = scale_of(op.output, weights)
    return None if x is None or y is None or output is None else (x, y, output)


def scale_of(value: SSAValue, weights: WeightStore) -> Scale | None:
    """The scale in a value's origin: () or (C,) float64; None when it has none."""
    origin = origin_of(value)
    if origin is None or origin.scale is None:
        return None
    if isinstance(origin.scale, Attribute):
        return weights.array(origin.scale).astype(np.float64).reshape(-1)
    return np.asarray(np.float32(origin.scale), np.float64)


def constant_array(value: SSAValue, weights: WeightStore) -> Array | None:
    """The array of a value that an `hbir.constant` defines; None for other values."""
    if isinstance(value, OpResult) and isinstance(value.op, ConstantOp):
        return weights.array(value.op.values)
    return None
