"""`NodeImport`: what an operator's import function works with.

It reads one node (inputs, attributes, constants) and emits float-level ops for it. Ops that the
machine defines over windows of H and W are channel-last: `spatial_input` turns a source tensor
(N, C, L) or (N, C, H, W) into (N, H, W, C), `spatial_result` turns the answer back. The pass
cancel-transposes then removes what meets in between.

Origins: an op's value that is a source tensor, maybe permuted, carries that tensor's name; a value
on the way that no source tensor equals is called `result#op`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from hbir.errors import HbirError
from hbir.frontends.onnx.errors import NoBpuForm
from hbir.frontends.onnx.graph import Node
from hbir.frontends.onnx.values import QuantizedConstant, QuantizedValue, Value, known_array
from hbir.ir.context import HbirContext
from hbir.ir.op import TensorOp
from hbir.ir.origin import Node as SourceNode
from hbir.ir.origin import Origin
from hbir.ir.types import Array, dtype_of, shape_of


def channel_last(rank: int) -> tuple[int, ...]:
    """The permutation (N, C, spatial...) → (N, spatial..., C)."""
    return (0, *range(2, rank), 1)


def channel_first(rank: int) -> tuple[int, ...]:
    """The permutation (N, spatial..., C) → (N, C, spatial...)."""
    return (0, rank - 1, *range(1, rank - 1))


class NodeImport:
    """One node being imported. Ops are collected in `ops`, and placed when the import succeeds."""

    def __init__(
        self,
        ctx: HbirContext,
        node: Node,
        inputs: Sequence[Value | None],
        materialize_quantized: Callable[[QuantizedValue], SSAValue],
    ) -> None:
        self.node = node
        self.ops: list[Operation] = []
        self._ctx = ctx
        self._inputs = list(inputs)
        self._materialize_quantized = materialize_quantized

    # Reading

    @property
    def version(self) -> int:
        """The opset version that the node follows."""
        return self.node.version

    @property
    def input_count(self) -> int:
        """How many inputs the node lists, left-out ones included."""
        return len(self._inputs)

    def has(self, index: int) -> bool:
        """Whether the optional input is there."""
        return index < len(self._inputs) and self._inputs[index] is not None

    def raw(self, index: int) -> Value:
        """What the input is. Raises NoBpuForm when it is left out."""
        value = self._inputs[index] if index < len(self._inputs) else None
        if value is None:
            raise NoBpuForm(f"input {index} is missing")
        return value

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """The shape of an input."""
        value = self.raw(index)
        array = known_array(value)
        if array is not None:
            return array.shape
        return shape_of(value.source if isinstance(value, QuantizedValue) else _ssa(value))

    def dtype(self, index: int = 0) -> np.dtype[Any]:
        """The dtype of an input."""
        value = self.raw(index)
        array = known_array(value)
        if array is not None:
            return array.dtype
        return value.dtype if isinstance(value, QuantizedValue) else dtype_of(_ssa(value))

    def constant(self, index: int, what: str) -> Array:
        """The array of an input that must be constant. Raises NoBpuForm when it is computed."""
        array = known_array(self.raw(index))
        if array is None:
            raise NoBpuForm(f"{what} must be constant, {self.node.inputs[index]!r} is computed")
        return array

    def constant_ints(self, index: int, what: str) -> list[int]:
        """The integers of a constant input."""
        return [int(v) for v in self.constant(index, what).reshape(-1)]

    def integers(self, key: str, index: int, default: Sequence[int] | None) -> list[int] | None:
        """A list that older opsets have as an attribute and newer ones as an input."""
        if self.has(index):
            return self.constant_ints(index, key)
        return self.ints(key, default)

    def int_(self, key: str, default: int) -> int:
        """An integer attribute."""
        return cast(int, self._attribute(key, int, default))

    def float_(self, key: str, default: float) -> float:
        """A float attribute."""
        return cast(float, self._attribute(key, float, default))

    def str_(self, key: str, default: str) -> str:
        """A string attribute."""
        return cast(str, self._attribute(key, str, default))

    def ints(self, key: str, default: Sequence[int] | None) -> list[int] | None:
        """A list of integers."""
        value = self._attribute(key, list, None)
        return (list(default) if default is not None else None) if value is None else value

    def _attribute(self, key: str, kind: type, default: Any) -> Any:
        value = self.node.attributes.get(key, default)
        if value is default or isinstance(value, kind):
            return value
        raise HbirError(
            f"{self.node}: attribute {key!r} must be {kind.__name__}, got {type(value).__name__}"
        )

    # Values

    def value(self, index: int) -> SSAValue:
        """An input in its source layout; constants and quantized values are materialised."""
        value = self.raw(index)
        match value:
            case QuantizedConstant():
                return self._fake_quantized(value, self.node.inputs[index])
            case QuantizedValue():
                return self._materialize_quantized(value)
            case np.ndarray():
                return self.constant_value(value, self.node.inputs[index])
            case _:
                return _ssa(value)

    def constant_value(self, array: Array, name: str, perm: Sequence[int] = ()) -> SSAValue:
        """A constant; `name` and `perm` say its source tensor and its axes in it."""
        return self.emit(
            "constant",
            values=self._ctx.weights.attribute(array),
            origin=Origin(name, _perm(perm)),
        )

    def _fake_quantized(
        self, value: QuantizedConstant, name: str, perm: Sequence[int] = ()
    ) -> SSAValue:
        low, high = value.parameters.bounds()
        return self.emit(
            "qnt.const_fake_quant",
            self.constant_value(value.array, name, perm),
            bits=value.parameters.bits,
            min=low,
            max=high,
            axis=value.parameters.axis,
            origin=Origin(name, _perm(perm)),
        )

    def rearranged(self, index: int, perm: Sequence[int], expand: int | None = None) -> SSAValue:
        """An input (a weight) with an axis of extent 1 inserted at `expand`, then permuted.

        A constant is rearranged here; anything else by ops.
        """
        value, name = self.raw(index), self.node.inputs[index]
        array = known_array(value)
        if array is None:
            tensor = self.value(index)
            if expand is not None:
                tensor = self.reshape(
                    tensor, np.expand_dims(np.empty(self.shape(index)), expand).shape
                )
            return self.transpose(tensor, perm, Origin(name, _perm(perm) if expand is None else ()))
        moved = array if expand is None else np.expand_dims(array, expand)
        moved = moved.transpose(perm)
        source_perm = () if expand is not None else perm
        if not isinstance(value, QuantizedConstant):
            return self.constant_value(moved, name, source_perm)
        axis = value.parameters.axis
        if axis is not None:
            axis = list(perm).index(axis + (expand is not None and axis >= expand))
        parameters = value.parameters.with_axis(axis)
        return self._fake_quantized(QuantizedConstant(moved, parameters), name, source_perm)

    # Emitting

    @property
    def sources(self) -> tuple[SourceNode, ...]:
        """This node, as origins name it."""
        return (SourceNode(self.node.name, self.node.type),)

    def origin(self, output: int = 0, perm: Sequence[int] = ()) -> Origin:
        """The origin of a value that is this node's result, its axes permuted by `perm`."""
        return Origin(self.node.outputs[output], _perm(perm), self.sources)

    def step(self, what: str) -> Origin:
        """The origin of a value on the way to the result."""
        return Origin(f"{self.node.outputs[0]}#{what}", (), self.sources)

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

    def channel_last_input(self, index: int = 0) -> SSAValue:
        """An input (N, C, spatial...) as (N, spatial..., C)."""
        value = self.value(index)
        dims = channel_last(len(shape_of(value)))
        return self.transpose(value, dims, Origin(self.node.inputs[index], dims))

    def channel_first_result(self, value: SSAValue, output: int = 0) -> SSAValue:
        """The node's result from its channel-last form."""
        dims = channel_first(len(shape_of(value)))
        return self.transpose(value, dims, self.origin(output))

    def spatial_input(self, index: int = 0) -> SSAValue:
        """An input (N, C, L) or (N, C, H, W) as (N, H, W, C), H being 1 for the former.

        Raises NoBpuForm for other ranks.
        """
        rank = len(self.shape(index))
        if rank not in (3, 4):
            raise NoBpuForm(f"input {index} must have rank 3 or 4, it has {rank}")
        value = self.channel_last_input(index)
        if rank == 3:
            batch, length, channels = shape_of(value)
            value = self.reshape(value, (batch, 1, length, channels), self.step("rows"))
        return value

    def spatial_result(
        self, name: str, *operands: SSAValue, output: int = 0, **properties: Any
    ) -> SSAValue:
        """The node's result from an op on (N, H, W, C), in the rank of input 0."""
        rank = len(self.shape(0))
        if rank == 4:
            origin = self.origin(output, channel_last(4))
            return self.channel_first_result(
                self.emit(name, *operands, origin=origin, **properties), output
            )
        value = self.emit(name, *operands, **properties)
        batch, _, length, channels = shape_of(value)
        value = self.reshape(value, (batch, length, channels), self.origin(output, channel_last(3)))
        return self.channel_first_result(value, output)


def _perm(perm: Sequence[int]) -> tuple[int, ...]:
    """A permutation as origins hold it: the identity is empty."""
    return () if list(perm) == list(range(len(perm))) else tuple(perm)


def _ssa(value: Value) -> SSAValue:
    if not isinstance(value, SSAValue):
        raise TypeError(f"expected an IR value, got {type(value).__name__}")
    return value
