"""From an ONNX graph to a module of the float level, node by node.

A node is, in this order: known while importing (`constant_folding`), imported by its operator's
function (`registry`), kept as a CPU op with the reason why it has no BPU form, or refused.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import onnx
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import make_custom_call, make_onnx_call
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.frontends.errors import NoBpuForm, UnsupportedError
from hbir.frontends.onnx.constant_folding import NOT_DETERMINISTIC, fold
from hbir.frontends.onnx.custom import custom_attributes, custom_op_of, refusal, result_infos
from hbir.frontends.onnx.graph import Graph, Node, live_nodes, read_graph, read_nodes, sort_nodes
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.proto import check_size, tensor_array
from hbir.frontends.onnx.reference import (
    TensorInfo,
    check_node,
    infer_types,
    reference_problem,
    schema_of,
)
from hbir.frontends.onnx.registry import import_functions
from hbir.frontends.onnx.shapes import InputShapes, resolve_input_shapes
from hbir.frontends.onnx.values import QuantizedValue, Value, known_array
from hbir.ir.context import HbirContext, make_context
from hbir.ir.function import finish_function, make_function, symbol_name
from hbir.ir.op import ShapeError
from hbir.ir.origin import Node as SourceNode
from hbir.ir.origin import Origin
from hbir.ir.rewriter import erase_dead_ops
from hbir.ir.types import Array, dtype_of, element_type, shape_of, tensor
from hbir.kernels.custom import CustomOp
from hbir.module import Module

_WITH_SUBGRAPHS = "control flow whose condition is computed at run time is not supported"


WITHOUT_EFFECT: dict[str, tuple[str, ...]] = {
    "Attention": ("qk_matmul_output_mode", "softmax_precision"),
    "BatchNormalization": ("momentum", "spatial"),
    "Cast": ("round_mode", "saturate"),
    "CastLike": ("round_mode", "saturate"),
    "Dropout": ("ratio", "seed"),
    "GRU": ("hidden_size",),
    "GroupNormalization": ("stash_type",),
    "LSTM": ("hidden_size",),
    "LayerNormalization": ("stash_type",),
    "MaxPool": ("storage_order",),
    "QuantizeLinear": ("precision", "saturate"),
    "Resize": ("cubic_coeff_a", "exclude_outside", "extrapolation_value", "nearest_mode"),
    "RMSNormalization": ("stash_type",),
    "RNN": ("hidden_size",),
    "TopK": ("sorted",),
}
"""Attributes that change nothing in what is imported: of training, of other modes, of results that
must not be used, of element types that aren't; and what the shapes say too."""


def import_model(
    source: onnx.ModelProto | str | os.PathLike[str] | bytes,
    name: str | None = None,
    input_shapes: InputShapes = None,
) -> Module:
    """The module of an ONNX model, with a transpose around each layout-bound op.

    It is at the float level, or at the qat level when the model brings scales for its activations.
    Arguments are those of `hbir.onnx.export`, which also cancels the transposes.
    """
    graph = read_graph(source)
    shapes = resolve_input_shapes(graph.inputs, input_shapes, graph.label)
    context = make_context()
    importer = _Importer(context, graph, name or graph.name or "main", shapes)
    module = Module(importer.run(), context)
    module.level = "qat" if _brings_scales(module.op) else "float"
    return module


def _brings_scales(module: ModuleOp) -> bool:
    """Whether the model quantizes activations; with scales for weights alone it does not count."""
    fake_quants = (op for op in module.walk() if isinstance(op, ConstFakeQuantOp))
    return any(not isinstance(op.x.owner, ConstantOp) for op in fake_quants)


class _Importer:
    """The state of one import: what each name of the graph stands for, and the block it fills."""

    def __init__(
        self, ctx: HbirContext, graph: Graph, name: str, shapes: dict[str, tuple[int, ...]]
    ) -> None:
        self._ctx = ctx
        self._graph = graph
        self._functions = import_functions()
        self._values: dict[str, Value] = dict(graph.constants)
        self._materialized: dict[QuantizedValue, SSAValue] = {}
        inputs = [
            (port.name, tensor(shapes[port.name], self._element(port.dtype, port.name)))
            for port in graph.inputs
        ]
        self._function, self._block = make_function(symbol_name(name), inputs)
        self._values.update(zip((n for n, _ in inputs), self._block.args, strict=True))

    def _element(self, dtype: np.dtype[np.generic] | None, name: str) -> Attribute:
        if dtype is None or dtype == np.dtype(object):
            raise HbirError(f"{self._graph.label}: input {name!r} has no numeric element type")
        try:
            return element_type(dtype)
        except HbirError as error:
            raise HbirError(f"{self._graph.label}: input {name!r}: {error}") from error

    def run(self) -> ModuleOp:
        """The module."""
        wanted = [port.name for port in self._graph.outputs]
        for node in live_nodes(self._graph.nodes, wanted):
            self._import(node)
        outputs = [(name, self._output(name)) for name in wanted]
        finish_function(self._function, outputs)
        module = ModuleOp([self._function])
        erase_dead_ops(module)
        return module

    def _output(self, name: str) -> SSAValue:
        value = self._values[name]
        if isinstance(value, SSAValue):
            return value
        # A constant, or integers that nothing dequantizes: an identity gives them a place.
        proto = onnx.helper.make_node("Identity", [name], [name])
        node = Node(name, "Identity", "", self._graph.opsets[""], (name,), (name,), {}, proto)
        reader = self._reader(node)
        result = reader.value(0)
        self._place(reader.ops)
        return result

    def _reader(self, node: Node) -> NodeImport:
        inputs = [self._values[name] if name else None for name in node.inputs]
        return NodeImport(self._ctx, node, inputs, self._materialize)

    def _place(self, ops: Sequence[Operation]) -> None:
        for op in ops:
            for result in op.results:
                what = f"{self._graph.label}: {op.name} gives a tensor that"
                check_size(shape_of(result), dtype_of(result), what)
        self._block.add_ops(ops)

    # One node

    def _import(self, node: Node) -> None:
        label = self._graph.label
        if schema_of(node) is not None and not _has_subgraph(node):
            check_node(node, label)
        results = self._folded(node)
        if results is None and node.type == "If" and not node.domain:
            results = self._inlined_branch(node)
        if results is None:
            results = self._imported(node)
        named = [(n, r) for n, r in zip(node.outputs, results, strict=False) if n]
        if len(named) < sum(1 for n in node.outputs if n):
            raise HbirError(
                f"{label}: {node} lists {len(node.outputs)} results, it has {len(results)}"
            )
        self._values.update(named)

    def _folded(self, node: Node) -> Sequence[Value] | None:
        if _has_subgraph(node):
            return None
        if node.type == "DequantizeLinear":
            return None  # a constant one is a weight with its grid
        values = [self._values[name] if name else None for name in node.inputs]
        arrays = [known_array(value) for value in values]
        reader = self._reader(node)
        shapes = [reader.shape(i) if reader.has(i) else None for i in range(len(values))]
        try:
            return fold(node, arrays, shapes, self._graph.opsets, self._graph.label)
        except HbirError as error:
            raise self._named(error, node) from error

    def _imported(self, node: Node) -> Sequence[Value]:
        function = None if node.domain else self._functions.get(node.type)
        custom = custom_op_of(node) if function is None else None
        if custom is not None:
            return self._custom_op(node, custom)
        if function is None:
            return self._cpu_op(node, f"{node.type} has no BPU form")
        reader = self._reader(node)
        try:
            results = function(reader)
            _expect_all_read(reader)
        except (NoBpuForm, ShapeError) as error:
            _discard(reader.ops)
            return self._cpu_op(node, f"{node.type}: {error}")
        except HbirError as error:
            raise self._named(error, node) from error
        self._place(reader.ops)
        return [results] if isinstance(results, SSAValue) else results

    def _named(self, error: HbirError, node: Node) -> HbirError:
        text = str(error)
        if str(node) not in text:
            text = f"{node}: {text}"
        return HbirError(text if self._graph.label in text else f"{self._graph.label}: {text}")

    # CPU ops

    def _cpu_op(self, node: Node, reason: str) -> Sequence[Value]:
        """The node as a call of ONNX's reference implementation. Raises UnsupportedError."""
        self._refuse_what_cannot_run(node)
        reader = self._reader(node)
        types = self._result_types(node, reader)
        try:
            operands = [reader.value(i) if reader.has(i) else None for i in range(len(node.inputs))]
            call = make_onnx_call(
                node.proto,
                operands,
                types,
                opset=node.version,
                weights=self._ctx.weights,
                reason=reason,
                origin=_cpu_origin(node),
            )
        except HbirError as error:
            raise self._unsupported(node, str(error)) from error
        self._place([*reader.ops, call])
        values = iter(call.results)
        # A result left out has no name to be read by; any value holds its place.
        return [next(values) if type_ else call.results[0] for type_ in types]

    def _custom_op(self, node: Node, op: CustomOp) -> Sequence[Value]:
        """The node as a call of the function that the user registered."""
        reader = self._reader(node)
        count = len(node.inputs)
        infos = [
            (reader.shape(i), reader.dtype(i)) if reader.has(i) else None for i in range(count)
        ]
        try:
            given = result_infos(node, op, infos)
            types: list[Attribute | None] = [
                tensor(shape, element_type(dtype)) if name else None
                for name, (shape, dtype) in zip(node.outputs, given, strict=True)
            ]
            call = make_custom_call(
                node.proto,
                [reader.value(i) if reader.has(i) else None for i in range(count)],
                types,
                name=op.name,
                attributes=custom_attributes(node),
                file=op.file,
                weights=self._ctx.weights,
                origin=_cpu_origin(node),
            )
        except HbirError as error:
            raise self._named(error, node) from error
        self._place([*reader.ops, call])
        values = iter(call.results)
        return [next(values) if type_ else call.results[0] for type_ in types]

    def _refuse_what_cannot_run(self, node: Node) -> None:
        if _has_subgraph(node):
            raise self._unsupported(node, _WITH_SUBGRAPHS)
        if schema_of(node) is None:
            custom = refusal(node)
            if custom is not None:
                raise self._unsupported(node, custom)
            where = f"of domain {node.domain!r}" if node.domain else f"in opset {node.version}"
            raise self._unsupported(
                node,
                f"ONNX defines no operator {node.type} {where}; if it is your own, register its"
                " Python function first (hbir.custom)",
            )
        if node.type in NOT_DETERMINISTIC:
            raise self._unsupported(node, "random numbers differ from run to run")
        problem = reference_problem(node.proto, self._graph.opsets)
        if problem is not None:
            raise self._unsupported(node, f"the CPU can't run it either: {problem}")

    def _unsupported(self, node: Node, constraint: str) -> UnsupportedError:
        return UnsupportedError(f"{self._graph.label}: {node} is not supported: {constraint}")

    def _result_types(self, node: Node, reader: NodeImport) -> list[Attribute | None]:
        infos: dict[str, TensorInfo] = {}
        constants: dict[str, Array] = {}
        for index, name in enumerate(node.inputs):
            if name:
                infos[name] = (reader.shape(index), reader.dtype(index))
                array = known_array(reader.raw(index))
                if array is not None:
                    constants[name] = array
        try:
            inferred = infer_types(node, infos, constants)
        except HbirError as error:
            raise self._named(error, node) from error
        types: list[Attribute | None] = []
        for name, info in zip(node.outputs, inferred, strict=True):
            if name and info is None:
                raise self._unsupported(
                    node, f"the shape of its result {name!r} is not known before it runs"
                )
            try:
                types.append(tensor(info[0], element_type(info[1])) if name and info else None)
            except HbirError as error:
                raise self._unsupported(node, str(error)) from error
        return types

    def _materialize(self, value: QuantizedValue) -> SSAValue:
        """The integers of a QuantizeLinear whose result something else than a dequantize reads."""
        if value not in self._materialized:
            reason = "QuantizeLinear: its result is read by an operator on integers"
            (result,) = self._cpu_op(value.node, reason)
            if not isinstance(result, SSAValue):
                raise TypeError("a CPU op gave no IR value")
            self._materialized[value] = result
        return self._materialized[value]

    # Control flow

    def _inlined_branch(self, node: Node) -> Sequence[Value] | None:
        """The results of an If with a constant condition: its branch becomes part of the graph."""
        condition = known_array(self._values[node.inputs[0]])
        if condition is None or condition.size != 1:
            return None
        key = "then_branch" if condition.reshape(-1)[0] else "else_branch"
        branch = node.attributes.get(key)
        if not isinstance(branch, onnx.GraphProto):
            raise HbirError(f"{self._graph.label}: {node} has no {key}")
        for constant in branch.initializer:
            self._values[constant.name] = tensor_array(constant, self._graph.label)
        nodes = read_nodes(branch.node, self._graph.opsets, self._graph.label)
        made = {name for inner in nodes for name in inner.outputs}
        known = set(self._values) - made
        names = [output.name for output in branch.output]
        for inner in live_nodes(sort_nodes(nodes, known, self._graph.label), names):
            self._import(inner)
        missing = [name for name in names if name not in self._values]
        if missing:
            raise HbirError(f"{self._graph.label}: {node}: {key} does not compute {missing[0]!r}")
        return [self._values[name] for name in names]


def _cpu_origin(node: Node) -> Origin:
    first = next(name for name in node.outputs if name)
    return Origin(first, (), (SourceNode(node.name, node.type),))


def _expect_all_read(reader: NodeImport) -> None:
    """Raise NoBpuForm for an attribute that the import passed over: of a newer opset, perhaps."""
    harmless = WITHOUT_EFFECT.get(reader.node.type, ())
    unread = [name for name in reader.unread_attributes() if name not in harmless]
    if unread:
        raise NoBpuForm(f"its attribute {unread[0]} must not be used")


def _has_subgraph(node: Node) -> bool:
    return any(isinstance(value, onnx.GraphProto) for value in node.attributes.values())


def _discard(ops: Sequence[Operation]) -> None:
    for op in reversed(ops):
        op.erase()
