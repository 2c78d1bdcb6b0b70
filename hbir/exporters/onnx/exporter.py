"""From a function of the float or qat level to an ONNX model, op by op.

An op's node has the names of its source nodes, joined by `+`; of several ops of the same source
nodes (a decomposition) the last has them, the others are `Softmax_3/exp`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from onnx import ModelProto
from xdsl.ir import Operation, SSAValue

from hbir.errors import HbirError
from hbir.exporters.onnx.file import OnnxFile
from hbir.exporters.onnx.graph import OnnxGraph
from hbir.exporters.onnx.hbtl import opset_needed
from hbir.exporters.onnx.node_export import NodeExport, label_of
from hbir.exporters.onnx.registry import export_functions
from hbir.exporters.onnx.values import Values, permuted, tensor_name
from hbir.ir.function import body_of, return_of
from hbir.ir.op import to_python
from hbir.ir.origin import name_of, nodes_of
from hbir.ir.types import dtype_of, shape_of
from hbir.ir.verify import describe_op
from hbir.module import Function, Module
from hbir.passes.permutation import Dims, identity
from hbir.runtime.interpreter import kernel_params

OPSET = 19
"""Of the files: what the vendor's tools read."""

WIDE_OPSET = 21
"""The first whose QuantizeLinear has 16 bits."""

FAKE_QUANT = "qnt.const_fake_quant"

EDGES = ("qnt.quantize", "qnt.dequantize")

ROUNDING = {FAKE_QUANT: "HzCalibration", "hbir.fake_cast": "float16"}
"""Ops that the user's model has not; their nodes are called after the tensor, and what is here."""


def export_module(module: Module, *, quantized: bool = False) -> ModelProto:
    """What `export_file` makes, as one message."""
    return ModelProto.FromString(export_file(module, quantized=quantized).data())


def export_file(module: Module, *, quantized: bool = False) -> OnnxFile:
    """The one function of a float or qat module as an ONNX model.

    Fake-quants become `HzCalibration` nodes, with `quantized` QuantizeLinear and DequantizeLinear.
    Raises HbirError for a module of several functions, and for an op that has no ONNX form, by
    name.
    """
    functions = module.functions
    if len(functions) != 1:
        raise HbirError(f"an ONNX file holds one function, this module has {len(functions)}")
    return _Exporter(module, functions[0], quantized=quantized).run()


def export_with_tensors(module: Module) -> tuple[OnnxFile, dict[SSAValue, tuple[str, Dims]]]:
    """`export_file`, and of each op result of the IR the tensor that it is, with its layout: axis
    i of the tensor is axis layout[i] of the result. Constants are left out."""
    exporter = _Exporter(module, module.functions[0], quantized=False)
    return exporter.run(), exporter.tensors()


class _Exporter:
    def __init__(self, module: Module, function: Function, *, quantized: bool) -> None:
        self._function = function
        self._body = body_of(function.op)
        self._weights = module.weights
        self._quantized = quantized
        self._graph = OnnxGraph(function.name, _opset(self._body.ops))
        self._values = Values(self._graph)
        self._labels = _labels(list(self._body.ops))

    def run(self) -> OnnxFile:
        """The model."""
        outputs = self._function.flatten_outputs
        for argument, port in zip(self._body.args, self._function.flatten_inputs, strict=True):
            self._graph.input(port.name, port.type.run_shape, port.type.np_dtype)
            self._values.add(argument, identity(len(port.type.shape)), port.name)
        for port in outputs:
            self._graph.reserve_output(port.name)
        for op in self._body.ops:
            if op.results:
                self._export(op)
        returned = return_of(self._function.op).operands
        for value, port in zip(returned, outputs, strict=True):
            shape = shape_of(value)
            tensor = self._values.tensor(value, identity(len(shape)))
            self._graph.output(port.name, tensor, shape, dtype_of(value))
        self._give_free_names()
        return self._graph.file()

    def _give_free_names(self) -> None:
        """Where a source node's last op needed no node, as a relayout, the one before has its
        name."""
        wanted = {
            label: label.removesuffix(f"/{op.name.partition('.')[2]}")
            for op, label in reversed(self._labels.items())
            if nodes_of(op)
        }
        self._graph.rename_nodes(wanted)

    def tensors(self) -> dict[SSAValue, tuple[str, Dims]]:
        """Of each op result but constants, its tensor and the tensor's layout."""
        results = [result for op in self._body.ops for result in op.results]
        found: dict[SSAValue, tuple[str, Dims]] = {}
        for value in results:
            if not self._values.is_made(value):
                layout = self._values.layout(value)
                tensor = self._graph.final_name(self._values.tensor(value, layout))
                found[value] = tensor, layout
        return found

    def _export(self, op: Operation) -> None:
        if op.name == "hbir.constant":
            self._constant(op)
            return
        functions = export_functions()
        if op.name not in functions:
            raise HbirError(f"{describe_op(op)} has no ONNX form")
        params = kernel_params(op, self._weights)
        node = NodeExport(
            op,
            op.name,
            params,
            self._graph,
            self._values,
            self._labels[op],
            quantized=self._quantized,
        )
        try:
            functions[op.name](node)
        except HbirError as error:
            text = str(error)
            raise (
                error if self._labels[op] in text else HbirError(f"{describe_op(op)}: {text}")
            ) from error

    def _constant(self, op: Operation) -> None:
        array = self._weights.array(op.properties["values"])
        value, default = op.results[0], self._constant_name(op)

        def make(layout: Dims) -> str:
            name = tensor_name(value, layout, default)
            return self._graph.initializer(permuted(array, layout), name)

        self._values.add_made(value, make, array)

    def _constant_name(self, op: Operation) -> str:
        """A constant without a name of its own is called after its first reader."""
        use = op.results[0].first_use
        reader = "constant" if use is None else self._labels.get(use.operation, "output")
        index = 0 if use is None else use.index
        return f"{reader}/operand_{index}"


def _opset(ops: Iterable[Operation]) -> int:
    """The opset of the file: newer than `OPSET` only where an op of it needs that."""
    return max([OPSET, *map(_needed_by, ops)])


def _needed_by(op: Operation) -> int:
    if op.name == FAKE_QUANT:
        return WIDE_OPSET if to_python(op.properties["bits"]) > 8 else OPSET
    if op.name in EDGES and any(dtype_of(v) == np.int16 for v in (*op.operands, *op.results)):
        return WIDE_OPSET
    return opset_needed(op)


def _labels(ops: list[Operation]) -> dict[Operation, str]:
    """What the nodes of each op are called."""
    last: dict[str, Operation] = {}
    plain: dict[Operation, str] = {}
    for index, op in enumerate(ops):
        short = op.name.partition(".")[2]
        plain[op] = label_of(op, f"{short}_{index}")
        if nodes_of(op) and op.name not in ROUNDING:
            last[plain[op]] = op
    labels: dict[Operation, str] = {}
    for op, name in plain.items():
        short = op.name.partition(".")[2]
        if op.name in ROUNDING:
            labels[op] = f"{name_of(op.results[0], short)}/{ROUNDING[op.name]}"
        else:
            labels[op] = name if last.get(name, op) is op else f"{name}/{short}"
    return labels
