"""`NodeExport`: what an op's export function works with: it reads one op and emits ONNX nodes.

An op is known by its name, operands and parameters, so that a CPU call of the same kernel
(`native::hbir.softmax`) is exported by the same function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from hbir.errors import HbirError
from hbir.exporters.onnx.graph import OnnxGraph
from hbir.exporters.onnx.values import Values, node_name, tensor_name
from hbir.ir.origin import Origin, origin_of_op
from hbir.ir.types import Array, dtype_of, shape_of
from hbir.passes.permutation import Dims, identity, moves_nothing

IMAGE = (0, 3, 1, 2)
"""The layout of ONNX's operators over windows: (N, C, H, W) of (N, H, W, C)."""


class NodeExport:
    """One op on its way to ONNX.

    `quantized`: whether fake-quants become QuantizeLinear and DequantizeLinear, else HzCalibration.
    """

    def __init__(
        self,
        op: Operation,
        name: str,
        params: Mapping[str, Any],
        graph: OnnxGraph,
        values: Values,
        label: str,
        *,
        quantized: bool,
    ) -> None:
        self.op = op
        self.name = name
        self.params = params
        self.graph = graph
        self.values = values
        self.quantized = quantized
        self.label = label

    # Reading

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return self.graph.opset

    @property
    def origin(self) -> Origin | None:
        """Where the op came from."""
        return origin_of_op(self.op)

    @property
    def operands(self) -> Sequence[SSAValue]:
        """The op's operands."""
        return self.op.operands

    @property
    def result(self) -> SSAValue:
        """The op's first result."""
        return self.op.results[0]

    def has(self, index: int) -> bool:
        """Whether there is an operand of that number."""
        return index < len(self.op.operands)

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """The shape of an operand in the IR."""
        return shape_of(self.op.operands[index])

    def rank(self, index: int = 0) -> int:
        """The rank of an operand."""
        return len(self.shape(index))

    def dtype(self, index: int = 0) -> np.dtype[Any]:
        """The dtype of an operand."""
        return dtype_of(self.op.operands[index])

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The shape of the result in the IR."""
        return shape_of(self.result)

    def layout(self, index: int = 0) -> Dims:
        """The layout in which an operand was made."""
        return self.values.layout(self.op.operands[index])

    def constant(self, index: int) -> Array | None:
        """An operand's value in the IR's layout where it is a constant, else None."""
        return self.values.array(self.op.operands[index])

    # Tensors

    def tensor(self, index: int = 0, layout: Sequence[int] | None = None) -> str:
        """An operand as a tensor in a layout, by default the IR's own."""
        wanted = identity(self.rank(index)) if layout is None else tuple(layout)
        return self.values.tensor(self.op.operands[index], wanted)

    def own(self, index: int = 0) -> str:
        """An operand as a tensor in the layout in which it was made."""
        return self.tensor(index, self.layout(index))

    def number(self, value: float, dtype: Any = np.float32) -> str:
        """A constant of one number."""
        return self.array(np.asarray(value, dtype), "value")

    def integers(self, values: Sequence[int], what: str) -> str:
        """A constant list of int64, such as axes."""
        return self.array(np.asarray(list(values), np.int64), what)

    def array(self, array: Array, what: str) -> str:
        """A constant, called after the op's result and `what` it is."""
        return self.graph.initializer(np.asarray(array, order="C"), f"{self.label}/{what}")

    # Emitting

    def emit(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """A node on the way to the result; returns its tensor."""
        output = self.graph.tensors.fresh(f"{self.label}/{op_type}")
        name = self.graph.node_names.fresh(f"{self.label}/{op_type}")
        self.graph.node(op_type, inputs, [output], name, attributes)
        return output

    def finish(
        self,
        op_type: str,
        *inputs: str,
        layout: Sequence[int] | None = None,
        **attributes: Any,
    ) -> None:
        """The node whose result is the op's, in a layout, by default the IR's own."""
        wanted = identity(len(self.result_shape)) if layout is None else tuple(layout)
        output = self.graph.tensors.fresh(self.result_name(wanted))
        name = self.graph.node_names.fresh(self.label)
        self.graph.node(op_type, inputs, [output], name, attributes)
        self.values.add(self.result, wanted, output)

    def emit_all(
        self,
        op_type: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        **attributes: Any,
    ) -> None:
        """The op's node, with its results under names that were made for them."""
        name = self.graph.node_names.fresh(self.label)
        self.graph.node(op_type, inputs, outputs, name, attributes)

    def result_name(self, layout: Dims) -> str:
        """What the result's tensor is to be called."""
        return tensor_name(self.result, layout, self.label)

    # Several operands

    def broadcast(self, *indices: int) -> tuple[list[str], Dims]:
        """Operands of one element-wise op as tensors that broadcast, and the result's layout.

        The layout is that of the operand for which the others need the least transposing.
        """
        rank = len(self.result_shape)
        whole = [i for i in indices if self.rank(i) == rank and not self._is_made(i)]
        candidates = list(dict.fromkeys(self.layout(i) for i in whole)) or [identity(rank)]
        layout = min(candidates, key=lambda c: sum(self._moved(i, c) for i in indices))
        return [self._aligned(i, layout) for i in indices], layout

    def _is_made(self, index: int) -> bool:
        return self.values.is_made(self.op.operands[index])

    def _moved(self, index: int, layout: Dims) -> int:
        """Elements that reading an operand in `layout` transposes."""
        shape = self.shape(index)
        if self._is_made(index):
            return 0
        if len(shape) == len(layout):
            if self.values.has(self.op.operands[index], layout):
                return 0
        elif moves_nothing(_padded(shape, len(layout)), layout):
            return 0
        return int(np.prod(shape, dtype=np.int64))

    def _aligned(self, index: int, layout: Dims) -> str:
        """An operand in `layout`, with leading axes of extent 1 where it has fewer."""
        shape = self.shape(index)
        if len(shape) == len(layout):
            return self.tensor(index, layout)
        if layout == identity(len(layout)) or not shape:
            return self.tensor(index)
        full = _padded(shape, len(layout))
        array = self.constant(index)
        if array is not None:
            return self.array(array.reshape(full).transpose(layout), f"operand_{index}")
        if moves_nothing(full, layout):
            return self.reshape(self.tensor(index), [full[axis] for axis in layout])
        return self.emit("Transpose", self.reshape(self.tensor(index), full), perm=list(layout))

    # Common nodes

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """A tensor in another shape."""
        return self.emit("Reshape", tensor, self.integers(shape, "shape"))

    def reshaped(self, index: int, shape: Sequence[int]) -> str:
        """An operand in another shape; a constant is stored so."""
        array = self.constant(index)
        if array is not None:
            return self.array(array.reshape(tuple(shape)), f"operand_{index}")
        return self.reshape(self.tensor(index), shape)

    def unsupported(self, what: str) -> HbirError:
        """The error for an op that has no ONNX form."""
        return HbirError(f"{self.name} ({self.label}) can't be exported to ONNX: {what}")


def _padded(shape: Sequence[int], rank: int) -> tuple[int, ...]:
    return (*[1] * (rank - len(shape)), *shape)


def label_of(op: Operation, default: str) -> str:
    """What an op's node is to be called: its source nodes, its tensor, or `default`."""
    origin = origin_of_op(op)
    if origin is None:
        return default
    return node_name(origin) or origin.tensor or default
