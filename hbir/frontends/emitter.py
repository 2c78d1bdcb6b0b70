"""`Emitter`: how a node of a user's model becomes ops of the float level, whatever its format.

Ops that the machine defines over windows of H and W are channel-last: `spatial` turns a source
tensor (N, C, L) or (N, C, H, W) into (N, H, W, C), `spatial_output` turns the answer back. The pass
cancel-transposes then removes what meets in between.

Origins: an op's value that is a source tensor, maybe permuted, carries that tensor's name; a value
on the way that no source tensor equals is called `result#op`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.ir.context import HbirContext
from hbir.ir.op import TensorOp
from hbir.ir.origin import Node as SourceNode
from hbir.ir.origin import Origin
from hbir.ir.types import Array, shape_of


def channel_last(rank: int) -> tuple[int, ...]:
    """The permutation (N, C, spatial...) → (N, spatial..., C)."""
    return (0, *range(2, rank), 1)


def channel_first(rank: int) -> tuple[int, ...]:
    """The permutation (N, spatial..., C) → (N, C, spatial...)."""
    return (0, rank - 1, *range(1, rank - 1))


def source_perm(perm: Sequence[int]) -> tuple[int, ...]:
    """A permutation as origins hold it: the identity is empty."""
    return () if list(perm) == list(range(len(perm))) else tuple(perm)


class Emitter:
    """The ops of one node. They are collected in `ops`, and placed when the import succeeds."""

    def __init__(self, ctx: HbirContext, source: SourceNode, results: Sequence[str]) -> None:
        """source: the node, as origins name it; results: the names of its results."""
        self.ops: list[Operation] = []
        self._ctx = ctx
        self._source = source
        self._results = results

    @property
    def sources(self) -> tuple[SourceNode, ...]:
        """This node, as origins name it."""
        return (self._source,)

    def origin(self, output: int = 0, perm: Sequence[int] = ()) -> Origin:
        """The origin of a value that is this node's result, its axes permuted by `perm`."""
        return Origin(self._results[output], source_perm(perm), self.sources)

    def step(self, what: str) -> Origin:
        """The origin of a value on the way to the result."""
        return Origin(f"{self._results[0]}#{what}", (), self.sources)

    def constant_value(self, array: Array, name: str, perm: Sequence[int] = ()) -> SSAValue:
        """A constant; `name` and `perm` say its source tensor and its axes in it."""
        return self.emit(
            "constant",
            values=self._ctx.weights.attribute(array),
            origin=Origin(name, source_perm(perm)),
        )

    def emit(
        self,
        name: str,
        *operands: SSAValue,
        origin: Origin | None = None,
        element: Attribute | None = None,
        **properties: Any,
    ) -> SSAValue:
        """An op of the float level (`conv2d`, or with its dialect), by default a step."""
        full = name if "." in name else f"hbir.{name}"
        kind = cast("type[TensorOp]", self._ctx.get_op(full))
        op = kind.make(*operands, origin=origin or self.step(name), element=element, **properties)
        self.ops.append(op)
        return op.output

    def result(
        self,
        name: str,
        *operands: SSAValue,
        output: int = 0,
        element: Attribute | None = None,
        **properties: Any,
    ) -> SSAValue:
        """An op whose value is the node's result, in the source layout."""
        return self.emit(name, *operands, origin=self.origin(output), element=element, **properties)

    def reshape(
        self, value: SSAValue, shape: Sequence[int], origin: Origin | None = None
    ) -> SSAValue:
        """A reshape, unless the value has that shape."""
        if shape_of(value) == tuple(shape):
            return value
        return self.emit("reshape", value, shape=list(shape), origin=origin)

    def transpose(
        self, value: SSAValue, dims: Sequence[int], origin: Origin | None = None
    ) -> SSAValue:
        """A transpose, unless it changes nothing."""
        if list(dims) == list(range(len(dims))):
            return value
        return self.emit("transpose", value, dims=list(dims), origin=origin)

    def channel_last(self, value: SSAValue, name: str) -> SSAValue:
        """The source tensor `name`, (N, C, spatial...), as (N, spatial..., C)."""
        dims = channel_last(len(shape_of(value)))
        return self.transpose(value, dims, Origin(name, dims))

    def channel_first_result(self, value: SSAValue, output: int = 0) -> SSAValue:
        """The node's result from its channel-last form."""
        dims = channel_first(len(shape_of(value)))
        return self.transpose(value, dims, self.origin(output))

    def spatial(self, value: SSAValue, name: str) -> SSAValue:
        """The source tensor `name`, (N, C, L) or (N, C, H, W), as (N, H, W, C); H is 1 for the
        former. Raises NoBpuForm for other ranks.
        """
        rank = len(shape_of(value))
        if rank not in (3, 4):
            raise NoBpuForm(f"{name!r} must have rank 3 or 4, it has {rank}")
        value = self.channel_last(value, name)
        if rank == 3:
            batch, length, channels = shape_of(value)
            value = self.reshape(value, (batch, 1, length, channels), self.step("rows"))
        return value

    def spatial_output(
        self, rank: int, name: str, *operands: SSAValue, output: int = 0, **properties: Any
    ) -> SSAValue:
        """The node's result, of rank 3 or 4, from an op on (N, H, W, C)."""
        if rank == 4:
            origin = self.origin(output, channel_last(4))
            value = self.emit(name, *operands, origin=origin, **properties)
            return self.channel_first_result(value, output)
        value = self.emit(name, *operands, **properties)
        batch, _, length, channels = shape_of(value)
        value = self.reshape(value, (batch, length, channels), self.origin(output, channel_last(3)))
        return self.channel_first_result(value, output)

    def rearranged_constant(
        self, array: Array, name: str, perm: Sequence[int], expand: int | None = None
    ) -> SSAValue:
        """A constant with an axis of extent 1 inserted at `expand`, then permuted."""
        if expand is None:
            return self.constant_value(array.transpose(perm), name, perm)
        return self.constant_value(np.expand_dims(array, expand).transpose(perm), name)

    def rearranged_value(
        self, value: SSAValue, name: str, perm: Sequence[int], expand: int | None = None
    ) -> SSAValue:
        """The same of a computed source tensor, by ops."""
        if expand is None:
            return self.transpose(value, perm, Origin(name, source_perm(perm)))
        shape = list(shape_of(value))
        shape.insert(expand, 1)
        return self.transpose(self.reshape(value, shape), perm, Origin(name))
