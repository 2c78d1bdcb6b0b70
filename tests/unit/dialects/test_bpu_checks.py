"""Checks of accumulator bounds and multipliers against weights and origins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException

from hbir.dialects.bpu.checks import check_accumulator_bound, check_multipliers
from hbir.dialects.bpu.conv import Conv2dOp
from hbir.dialects.bpu.elementwise import AddOp, MaxOp, MulOp, PreluOp
from hbir.dialects.bpu.matmul import MatmulOp
from hbir.dialects.bpu.move import ReshapeOp
from hbir.dialects.bpu.pool import AvgPoolOp
from hbir.dialects.bpu.reduce import ReduceMeanOp
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.dialects.bpu.softmax import SoftmaxOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin
from hbir.ir.types import SI8, SI16, Array
from hbir.ir.weights import WeightStore
from hbir.kernels import parameters as p
from hbir.kernels.norm_parameters import softmax_parameters


class Builder:
    """Constants with scales in their origins, as operands."""

    def __init__(self) -> None:
        self.weights = WeightStore()

    def constant(
        self, array: Array, scale: float | Array | None = None, zero_point: int = 0
    ) -> SSAValue:
        """An `hbir.constant`; `scale` a float, or one per channel."""
        held = (
            scale
            if scale is None or isinstance(scale, float | int)
            else self.weights.attribute(scale)
        )
        origin = None if scale is None else Origin("t", scale=held, zero_point=zero_point)
        op = ConstantOp.make(values=self.weights.attribute(array), origin=origin)
        return op.output

    def activation(self, *shape: int, scale: float | None = None, zero_point: int = 0) -> SSAValue:
        return self.constant(np.zeros(shape, np.int8), scale, zero_point)

    def conv(
        self, w: Any, qpp: Any, scales: Any, residual: SSAValue | None = None, out: float = 0.05
    ) -> Conv2dOp:
        x = self.activation(1, 4, 4, w.shape[3], scale=0.1)
        operands = [x, self.constant(w, scales), self.constant(qpp)]
        operands += [] if residual is None else [residual]
        return Conv2dOp.make(*operands, element=SI8, origin=Origin("y", scale=out))


SCALES = np.array([0.01, 0.02], np.float32)


def conv_case(builder: Builder, residual: bool = False) -> tuple[Any, Any, SSAValue | None]:
    w = np.random.default_rng(0).integers(-127, 128, (2, 1, 1, 8)).astype(np.int8)
    held = p.Residual(0.3) if residual else None
    qpp = p.conv_qpp(w, SCALES, bias=[1.0, 2.0], input_scale=0.1, output_scale=0.05, residual=held)
    return w, qpp, builder.activation(1, 4, 4, 2, scale=0.3) if residual else None


@pytest.mark.parametrize("residual", [False, True])
def test_a_right_convolution_passes(residual: bool):
    builder = Builder()
    w, qpp, r = conv_case(builder, residual)
    op = builder.conv(w, qpp, SCALES, r)
    check_accumulator_bound(op, builder.weights)
    assert check_multipliers(op, builder.weights)


@pytest.mark.parametrize(("column", "name"), [(1, "multiplier 1"), (3, "residual multiplier 1")])
def test_a_multiplier_off_by_three_is_found(column: int, name: str):
    """2^-14 of a multiplier is at most 2, and its own rounding takes a half."""
    builder = Builder()
    w, qpp, r = conv_case(builder, True)
    qpp[1, column] += 3 if qpp[1, column] < 30000 else -3
    with pytest.raises(VerifyException, match=f"^{name} is"):
        check_multipliers(builder.conv(w, qpp, SCALES, r), builder.weights)


def test_a_shift_off_by_one_is_found():
    builder = Builder()
    w, qpp, _ = conv_case(builder)
    qpp[0, 2] += 1
    with pytest.raises(VerifyException, match="multiplier 0 is"):
        check_multipliers(builder.conv(w, qpp, SCALES), builder.weights)


def test_accumulators_that_can_overflow_are_found():
    """132,000 products of 2^14 exceed 2^31; with a bias, one product is enough."""
    builder = Builder()
    w = np.full((2, 1, 1, 132_200), 127, np.int8)
    w[0] = 1
    qpp = np.tile(np.array([[0, 1 << 14, 30]], np.int32), (2, 1))
    with pytest.raises(VerifyException, match="channel 1 can reach"):
        check_accumulator_bound(builder.conv(w, qpp, SCALES), builder.weights)
    small = np.ones((2, 1, 1, 1), np.int8)
    qpp[0, 0] = 2**31 - 1
    with pytest.raises(VerifyException, match=r"channel 0 can reach 2147483775"):
        check_accumulator_bound(builder.conv(small, qpp, SCALES), builder.weights)


def test_a_residual_counts_towards_the_bound():
    builder = Builder()
    w, qpp, r = conv_case(builder, True)
    qpp[:, 4] = -10  # 128 * 2^14 * 2^10
    with pytest.raises(VerifyException, match="accumulator of channel"):
        check_accumulator_bound(builder.conv(w, qpp, SCALES, r), builder.weights)


def test_a_weight_that_is_no_constant_counts_as_the_largest():
    builder = Builder()
    moved = ReshapeOp.make(builder.activation(2, 200_000), shape=(2, 1, 1, 200_000)).output
    qpp = builder.constant(np.tile(np.array([[0, 1 << 14, 30]], np.int32), (2, 1)))
    op = Conv2dOp.make(builder.activation(1, 1, 1, 200_000), moved, qpp, element=SI8)
    with pytest.raises(VerifyException, match="can reach 3276800000"):
        check_accumulator_bound(op, builder.weights)


def test_origins_without_scale_leave_nothing_to_compare():
    builder = Builder()
    x = builder.activation(1, 4)
    op = RescaleOp.make(x, element=SI8, multiplier=1 << 14, shift=14)
    assert not check_multipliers(op, builder.weights)


def rescale(b: Builder, off: int) -> TensorOp:
    pair = p.rescale_parameters(0.1, 0.07)
    pair["multiplier"] -= off
    x = b.activation(1, 4, scale=0.1)
    return RescaleOp.make(x, element=SI8, origin=Origin("y", scale=0.07), **pair)


def add(b: Builder, off: int) -> TensorOp:
    pair = p.add_parameters(0.1, 0.002, 0.07, subtract=True)
    mx, my = pair.pop("multipliers")
    operands = b.activation(1, 4, scale=0.1), b.activation(1, 4, scale=0.002)
    origin = Origin("y", scale=0.07)
    return AddOp.make(*operands, element=SI8, origin=origin, multipliers=(mx, my - off), **pair)


def mul(b: Builder, off: int) -> TensorOp:
    pair = p.mul_parameters(0.1, 0.2, 0.07)
    pair["multiplier"] -= off
    operands = b.activation(1, 4, scale=0.1), b.activation(1, 4, scale=0.2)
    return MulOp.make(*operands, element=SI8, origin=Origin("y", scale=0.07), **pair)


def prelu(b: Builder, off: int) -> TensorOp:
    pair, slope = p.prelu_parameters(0.1, 0.07, [0.1, 3.0])
    pair["multiplier"] -= off
    x = b.activation(1, 2, scale=0.1)
    origin = Origin("y", scale=0.07)
    return PreluOp.make(x, b.constant(slope), element=SI8, origin=origin, **pair)


def mean(b: Builder, off: int) -> TensorOp:
    pair = p.reduce_mean_parameters(0.1, 0.07, 16)
    pair["multiplier"] -= off
    x = b.activation(1, 4, 4, 2, scale=0.1)
    return ReduceMeanOp.make(x, element=SI8, origin=Origin("y", scale=0.07), dims=(1, 2), **pair)


def pool(b: Builder, off: int) -> TensorOp:
    table = p.avg_pool_qpp(0.1, 0.07, 4, exclude_pad=True)
    table[3, 0] -= off
    x = b.activation(1, 4, 4, 2, scale=0.1)
    return AvgPoolOp.make(
        x,
        b.constant(table),
        element=SI8,
        origin=Origin("y", scale=0.07),
        kernel=(2, 2),
        count_include_pad=False,
    )


def softmax(b: Builder, off: int) -> TensorOp:
    held = softmax_parameters(0.1, 1 / 100, 4)
    x = b.activation(1, 4, scale=0.1)
    return SoftmaxOp.make(
        x,
        b.constant(held.exp_table),
        b.constant(held.reciprocal_table),
        element=SI8,
        origin=Origin("y", scale=1 / 100),
        dim=1,
        multiplier=held.multiplier - off,
        shift=held.shift,
    )


def matmul(b: Builder, off: int) -> TensorOp:
    pair = p.mul_parameters(0.1, 0.02, 0.07)
    pair["multiplier"] -= off
    lhs, rhs = b.activation(5, 4, scale=0.1), b.activation(6, 4, scale=0.02)
    return MatmulOp.make(lhs, rhs, element=SI8, origin=Origin("y", scale=0.07), **pair)


CASES = [matmul, rescale, add, mul, prelu, mean, pool, softmax]


@pytest.mark.parametrize("build", CASES)
def test_every_family_is_compared(build: Any):
    builder = Builder()
    op = build(builder, 0)
    op.verify()
    assert check_multipliers(op, builder.weights)
    with pytest.raises(VerifyException, match="the scales give"):
        check_multipliers(build(builder, 9), builder.weights)


def test_saturating_and_vanishing_ratios_pass():
    builder = Builder()
    for out in (1e-9, 1e20):
        pair = p.rescale_parameters(1.0, out)
        x = builder.activation(1, 4, scale=1.0)
        op = RescaleOp.make(x, element=SI8, origin=Origin("y", scale=out), **pair)
        assert check_multipliers(op, builder.weights)


def test_ops_that_keep_integers_must_keep_scales():
    builder = Builder()
    x = builder.activation(1, 4, scale=0.1, zero_point=3)
    same = Origin("y", scale=0.1, zero_point=3)
    assert check_multipliers(ReshapeOp.make(x, shape=(4,), origin=same), builder.weights)
    other = Origin("y", scale=0.1, zero_point=4)
    with pytest.raises(VerifyException, match="scales and zero points differ"):
        check_multipliers(ReshapeOp.make(x, shape=(4,), origin=other), builder.weights)
    y = builder.activation(1, 4, scale=0.2, zero_point=3)
    with pytest.raises(VerifyException, match="scales and zero points differ"):
        check_multipliers(MaxOp.make(x, y, origin=same), builder.weights)


def test_sums_of_pools_and_means_are_bounded():
    builder = Builder()
    x = builder.constant(np.zeros((1, 300_000, 32), np.int16))
    op = ReduceMeanOp.make(x, element=SI16, dims=(1, 2), multiplier=1 << 14, shift=40)
    check_accumulator_bound(op, builder.weights)
    narrow = builder.constant(np.zeros((1, 300_000, 32), np.int8))
    op = ReduceMeanOp.make(
        narrow, element=SI8, dims=(1, 2), multiplier=1 << 14, shift=40, input_zero_point=-128
    )
    with pytest.raises(VerifyException, match="the sum can reach"):
        check_accumulator_bound(op, builder.weights)


@pytest.mark.parametrize(("terms", "fits"), [(65535, True), (65536, False)])
def test_matmul_accumulators_are_proven(terms: int, fits: bool):
    builder = Builder()
    lhs = builder.activation(2, terms, scale=0.1)
    rhs = builder.activation(3, terms, scale=0.1)
    op = MatmulOp.make(lhs, rhs, element=SI8, multiplier=20000, shift=40, lhs_zero_point=-128)
    if fits:
        check_accumulator_bound(op, builder.weights)
        return
    with pytest.raises(VerifyException, match="the accumulator can reach 2147483648"):
        check_accumulator_bound(op, builder.weights)
