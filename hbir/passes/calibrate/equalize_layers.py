"""Move ranges between the weights of neighbouring layers, channel by channel.

Where only convolutions and linear layers read what another gives, perhaps through relu and pooling,
channel c of the tensor between them may be any multiple of itself: the weights before it are
divided by s_c, and those behind it multiplied. Nagel et al., "Data-Free Quantization Through Weight
Equalization and Bias Correction" (2019), choose s_c = √(r1_c / r2_c), r1 and r2 the largest weights
that give and that read the channel. Factors are powers of two, so outputs don't change by a bit.

`scale_tensor` takes any factors: with those of observed ranges it gives activations a scale per
channel, which weights behind them carry (`hbir/quantization/search.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ReluOp
from hbir.dialects.hbir.pool import AvgPoolOp, MaxPoolOp
from hbir.ir.function import functions_of
from hbir.ir.origin import origin_of, origin_of_op, set_origin
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.passes.gemm import (
    GemmOp,
    as_gemm,
    constant_parts,
    largest_by_input_channel,
    largest_by_output_channel,
    output_channels,
    scale_input_channels,
    scale_output_channels,
)
from hbir.passes.groups import groups_of

GREATEST_FACTOR = 2.0**8
"""Factors lie between this and its inverse: beyond, one layer's weights lose what another gains."""

SCALED = "/scaled"
"""What follows the name of a tensor whose channels were scaled."""

SWEEPS = 3
"""How often all tensors are gone through: a layer's weights change on both of its sides."""

PER_CHANNEL_OPS = (ReluOp, MaxPoolOp, AvgPoolOp)
"""Ops that give c·y for c·x, c > 0, each channel by itself."""


class EqualizeLayersPass(ModulePass):
    """Even out the largest weights on both sides of every tensor between two layers."""

    name = "equalize-layers"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            tensors = list(scalable_tensors(function, rewrite))
            for _ in range(SWEEPS):
                for tensor in tensors:
                    scale_tensor(tensor, weight_factors(tensor, rewrite), rewrite)


@dataclass(frozen=True)
class ScalableTensor:
    """A tensor whose channels may be scaled: what gives it, and all that reads it."""

    value: SSAValue
    producer: GemmOp
    consumers: tuple[GemmOp, ...]


def scalable_tensors(function: FuncOp, rewrite: Rewrite) -> Iterator[ScalableTensor]:
    """The tensors between layers, in program order."""
    for group in groups_of(function):
        if group.add is not None or not isinstance(group.activation, ReluOp | None):
            continue
        consumers = _consumers(group.output, rewrite)
        if consumers and constant_parts(rewrite, group.gemm) is not None:
            yield ScalableTensor(group.output, group.gemm, tuple(dict.fromkeys(consumers)))


def _consumers(value: SSAValue, rewrite: Rewrite) -> list[GemmOp]:
    """The layers that read a value, perhaps pooled; none where anything else reads it."""
    found: list[GemmOp] = []
    for use in value.uses:
        reader: Operation = use.operation
        gemm = as_gemm(reader)
        if isinstance(reader, PER_CHANNEL_OPS):
            behind = _consumers(reader.output, rewrite)
        elif gemm is not None and use.index == 0 and constant_parts(rewrite, gemm) is not None:
            behind = [gemm]
        else:
            behind = []
        if not behind:
            return []
        found.extend(behind)
    return found


def weight_factors(tensor: ScalableTensor, rewrite: Rewrite) -> Array:
    """√(r1 / r2) per channel; 1 where a side has no weights."""
    producer = constant_parts(rewrite, tensor.producer)
    assert producer is not None, "scalable tensors have constant weights"
    given = largest_by_output_channel(tensor.producer, producer[0])
    read: Array = np.zeros(output_channels(tensor.producer))
    for consumer in tensor.consumers:
        parts = constant_parts(rewrite, consumer)
        assert parts is not None, "scalable tensors have constant weights"
        read = np.maximum(read, largest_by_input_channel(consumer, parts[0]))
    some = (given > 0) & (read > 0)
    return np.sqrt(np.where(some, given, 1.0) / np.where(some, read, 1.0))


def range_factors(lows: Array, highs: Array) -> Array:
    """Factors with which every channel fills the range of the widest; 1 for what is always 0."""
    magnitudes = np.maximum(np.abs(lows), np.abs(highs)).astype(np.float64)
    largest = magnitudes.max(initial=0.0)
    return np.where(magnitudes > 0, magnitudes / (largest or 1.0), 1.0)


def scale_tensor(tensor: ScalableTensor, factors: Array, rewrite: Rewrite) -> None:
    """Divide each channel of a tensor by its factor, rounded to a power of two, and multiply the
    weights that read it. factors: (channels), positive. It is `<its name>/scaled` from here on, for
    it isn't the source's tensor any more, with which tools compare what has its name."""
    exponents = np.rint(np.log2(np.clip(factors, 1 / GREATEST_FACTOR, GREATEST_FACTOR)))
    powers = np.exp2(exponents)
    if (powers == 1).all():
        return
    producer = constant_parts(rewrite, tensor.producer)
    assert producer is not None, "scalable tensors have constant weights"
    weights, bias = producer
    _set_weights(
        tensor.producer, scale_output_channels(tensor.producer, weights, 1 / powers), rewrite
    )
    if tensor.producer.bias is not None:
        _set_operand(tensor.producer, 2, bias / powers, rewrite)
    for consumer in tensor.consumers:
        parts = constant_parts(rewrite, consumer)
        assert parts is not None, "scalable tensors have constant weights"
        _set_weights(consumer, scale_input_channels(consumer, parts[0], powers), rewrite)
        _rename(consumer.x, tensor.producer)


def _rename(value: SSAValue, producer: GemmOp) -> None:
    """Name a tensor, and what it is made of up to its producer, as scaled."""
    op = value.owner
    assert isinstance(op, Operation)  # the producer is one
    origin = origin_of_op(op)
    if origin is not None and origin.tensor and not origin.tensor.endswith(SCALED):
        set_origin(op, replace(origin, tensor=origin.tensor + SCALED))
    if op is not producer:
        _rename(op.operands[0], producer)


def _set_weights(gemm: GemmOp, weights: Array, rewrite: Rewrite) -> None:
    _set_operand(gemm, 1, weights, rewrite)


def _set_operand(gemm: GemmOp, index: int, array: Array, rewrite: Rewrite) -> None:
    origin = origin_of(gemm.operands[index])
    constant = rewrite.constant(array.astype(np.float32), before=gemm, origin=origin)
    gemm.operands[index] = constant
    rewrite.changed = True
