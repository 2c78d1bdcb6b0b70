"""Functions that the float level writes with several ops, for both frontends.

Each takes the emitter, the operand, and gives the value whose origin is the node's result. What
becomes a chain of functions of one element is one table again on the BPU.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.emitter import Emitter
from hbir.frontends.errors import NoBpuForm
from hbir.ir.types import shape_of


def number(emitter: Emitter, value: float) -> SSAValue:
    """A scalar constant."""
    return emitter.constant_value(np.array(value, np.float32), "")


def square(emitter: Emitter, x: SSAValue) -> SSAValue:
    """x², as a product: exact rounding, no table."""
    return emitter.emit("mul", x, x, origin=emitter.step("square"))


def selu(emitter: Emitter, x: SSAValue, alpha: float, gamma: float) -> SSAValue:
    """gamma · (x where x > 0, alpha · (exp(x) − 1) elsewhere)."""
    inner = emitter.emit("elu", x, alpha=alpha)
    return emitter.result("mul", inner, number(emitter, gamma))


def celu(emitter: Emitter, x: SSAValue, alpha: float) -> SSAValue:
    """x where x > 0, alpha · (exp(x / alpha) − 1) elsewhere: alpha · elu(x / alpha).

    Raises NoBpuForm for alpha 0 or below, where the two don't agree.
    """
    if alpha <= 0:
        raise NoBpuForm(f"alpha must be positive, got {alpha}")
    if alpha == 1:
        return emitter.result("elu", x)
    inner = emitter.emit("elu", emitter.emit("mul", x, number(emitter, 1 / alpha)))
    return emitter.result("mul", inner, number(emitter, alpha))


def log_sigmoid(emitter: Emitter, x: SSAValue) -> SSAValue:
    """log(sigmoid(x)) = −softplus(−x)."""
    inner = emitter.emit("softplus", emitter.emit("neg", x, origin=emitter.step("negated")))
    return emitter.result("neg", inner)


def scaled_swish(emitter: Emitter, x: SSAValue, alpha: float) -> SSAValue:
    """x · sigmoid(alpha · x) = swish(alpha · x) / alpha. alpha must not be 0."""
    if alpha == 1:
        return emitter.result("swish", x)
    inner = emitter.emit("swish", emitter.emit("mul", x, number(emitter, alpha)))
    return emitter.result("mul", inner, number(emitter, 1 / alpha))


def sum_of_magnitudes(
    emitter: Emitter, x: SSAValue, dims: Sequence[int], *, keep_dim: bool
) -> SSAValue:
    """Σ |x| over `dims`."""
    return emitter.result("reduce_sum", emitter.emit("abs", x), dims=dims, keep_dim=keep_dim)


def sum_of_squares(
    emitter: Emitter, x: SSAValue, dims: Sequence[int], *, keep_dim: bool
) -> SSAValue:
    """Σ x² over `dims`."""
    return emitter.result("reduce_sum", square(emitter, x), dims=dims, keep_dim=keep_dim)


def euclidean_norm(
    emitter: Emitter, x: SSAValue, dims: Sequence[int], *, keep_dim: bool
) -> SSAValue:
    """√Σ x² over `dims`."""
    total = emitter.emit("reduce_sum", square(emitter, x), dims=dims, keep_dim=keep_dim)
    return emitter.result("sqrt", total)


def log_sum(emitter: Emitter, x: SSAValue, dims: Sequence[int], *, keep_dim: bool) -> SSAValue:
    """log Σ x over `dims`."""
    return emitter.result("log", emitter.emit("reduce_sum", x, dims=dims, keep_dim=keep_dim))


def log_sum_exp(emitter: Emitter, x: SSAValue, dims: Sequence[int], *, keep_dim: bool) -> SSAValue:
    """log Σ exp(x) over `dims`, as max + log Σ exp(x − max)."""
    largest = emitter.emit("reduce_max", x, dims=dims, keep_dim=True)
    exponentials = emitter.emit("exp", emitter.emit("sub", x, largest))
    total = emitter.emit("reduce_sum", exponentials, dims=dims, keep_dim=True)
    logarithm = emitter.emit("log", total)
    if keep_dim:
        return emitter.result("add", logarithm, largest)
    shape = shape_of(x)
    axes = {dim % len(shape) for dim in dims}
    kept = [size for axis, size in enumerate(shape) if axis not in axes]
    return emitter.reshape(emitter.emit("add", logarithm, largest), kept, emitter.origin())


def expand(emitter: Emitter, x: SSAValue, shape: Sequence[int]) -> SSAValue:
    """x broadcast to `shape`, which has at least x's rank; itself when nothing changes."""
    old = shape_of(x)
    aligned = (1,) * (len(shape) - len(old)) + old
    multiplies = [new if size == 1 else 1 for size, new in zip(aligned, shape, strict=True)]
    if all(count == 1 for count in multiplies):
        return emitter.reshape(x, aligned, emitter.origin())
    return emitter.result("tile", emitter.reshape(x, aligned), multiplies=multiplies)


def padded(
    emitter: Emitter, x: SSAValue, begin: Sequence[int], end: Sequence[int], value: float
) -> SSAValue:
    """x with `begin` and `end` elements `value` more at each axis; negative ones crop."""
    grows = any(size > 0 for size in (*begin, *end))
    if any(size < 0 for size in (*begin, *end)):
        first = [max(0, -size) for size in begin]
        last = [full - max(0, -size) for full, size in zip(shape_of(x), end, strict=True)]
        origin = emitter.step("crop") if grows else emitter.origin()
        x = emitter.emit("slice", x, begin=first, end=last, origin=origin)
    if not grows:
        return x
    return emitter.result(
        "pad",
        x,
        begin=[max(0, size) for size in begin],
        end=[max(0, size) for size in end],
        pad_value=value,
    )


def select(emitter: Emitter, x: SSAValue, axis: int, place: int, output: int = 0) -> SSAValue:
    """The elements at one place of an axis, which goes: a slice and a reshape."""
    shape = shape_of(x)
    begin, end = [0] * len(shape), list(shape)
    begin[axis], end[axis] = place, place + 1
    if shape[axis] > 1:
        x = emitter.emit("slice", x, begin=begin, end=end)
    return emitter.reshape(x, (*shape[:axis], *shape[axis + 1 :]), emitter.origin(output))
