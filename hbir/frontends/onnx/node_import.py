"""`NodeImport`: what an operator's import function works with.

It reads one ONNX node (inputs, attributes, constants); what it emits ops with is the `Emitter` that
all frontends share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.ir import SSAValue

from hbir.errors import HbirError
from hbir.frontends.emitter import Emitter, source_perm
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.graph import Node
from hbir.frontends.onnx.values import QuantizedConstant, QuantizedValue, Value, known_array
from hbir.ir.context import HbirContext
from hbir.ir.origin import Node as SourceNode
from hbir.ir.origin import Origin
from hbir.ir.types import Array, dtype_of, shape_of


class NodeImport(Emitter):
    """One node being imported. Ops are collected in `ops`, and placed when the import succeeds."""

    def __init__(
        self,
        ctx: HbirContext,
        node: Node,
        inputs: Sequence[Value | None],
        materialize_quantized: Callable[[QuantizedValue], SSAValue],
    ) -> None:
        super().__init__(ctx, SourceNode(node.name, node.type), node.outputs)
        self.node = node
        self._inputs = list(inputs)
        self._read_attributes: set[str] = set()
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

    def attribute(self, key: str) -> Any:
        """An attribute of any kind; None when it isn't given."""
        self._read_attributes.add(key)
        return self.node.attributes.get(key)

    def unread_attributes(self) -> list[str]:
        """The attributes that nothing has asked for, and that therefore mean nothing yet."""
        return sorted(set(self.node.attributes) - self._read_attributes)

    def _attribute(self, key: str, kind: type, default: Any) -> Any:
        self._read_attributes.add(key)
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
            origin=Origin(name, source_perm(perm)),
        )

    def rearranged(self, index: int, perm: Sequence[int], expand: int | None = None) -> SSAValue:
        """An input (a weight) with an axis of extent 1 inserted at `expand`, then permuted.

        A constant is rearranged here; anything else by ops.
        """
        value, name = self.raw(index), self.node.inputs[index]
        array = known_array(value)
        if array is None:
            return self.rearranged_value(self.value(index), name, perm, expand)
        if not isinstance(value, QuantizedConstant):
            return self.rearranged_constant(array, name, perm, expand)
        axis = value.parameters.axis
        if axis is not None:
            axis = list(perm).index(axis + (expand is not None and axis >= expand))
        parameters = value.parameters.with_axis(axis)
        moved = array if expand is None else np.expand_dims(array, expand)
        moved = QuantizedConstant(moved.transpose(perm), parameters)
        return self._fake_quantized(moved, name, perm if expand is None else ())

    # Layouts

    def channel_last_input(self, index: int = 0) -> SSAValue:
        """An input (N, C, spatial...) as (N, spatial..., C)."""
        return self.channel_last(self.value(index), self.node.inputs[index])

    def spatial_input(self, index: int = 0) -> SSAValue:
        """An input (N, C, L) or (N, C, H, W) as (N, H, W, C), H being 1 for the former.

        Raises NoBpuForm for other ranks.
        """
        return self.spatial(self.value(index), self.node.inputs[index])

    def spatial_result(
        self, name: str, *operands: SSAValue, output: int = 0, **properties: Any
    ) -> SSAValue:
        """The node's result from an op on (N, H, W, C), in the rank of input 0."""
        return self.spatial_output(len(self.shape(0)), name, *operands, output=output, **properties)


def _ssa(value: Value) -> SSAValue:
    if not isinstance(value, SSAValue):
        raise TypeError(f"expected an IR value, got {type(value).__name__}")
    return value
