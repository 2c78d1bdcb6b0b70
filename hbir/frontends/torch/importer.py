"""From an exported program to a module of the float level, node by node.

A node is, in this order: known while importing (`constant_folding`), imported by its operator's
function (`registry`), a CPU op with the reason why it has no BPU form (`cpu`), decomposed by torch
into smaller operators after all, or refused.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import fx
from torch._ops import OpOverload
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.errors import HbirError
from hbir.frontends.errors import NoBpuForm, UnsupportedError
from hbir.frontends.torch.constant_folding import RANDOM, fold
from hbir.frontends.torch.cpu import cpu_functions, cpu_results
from hbir.frontends.torch.names import node_names, operator_name, source_line
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.program import Program, decomposed, exported_program, read_program
from hbir.frontends.torch.registry import import_functions
from hbir.frontends.torch.values import Operand, Value, array_of, numpy_dtype
from hbir.ir.context import HbirContext, make_context
from hbir.ir.function import finish_function, make_function, symbol_name
from hbir.ir.op import ShapeError
from hbir.ir.origin import Node as SourceNode
from hbir.ir.origin import origin_of_op, set_origin
from hbir.ir.rewriter import erase_dead_ops
from hbir.ir.types import element_type, tensor
from hbir.module import Module

_EFFECTLESS = frozenset({"_assert_tensor_metadata.default", "_assert_scalar.default"})
"""Checks of what is known while exporting."""


def import_program(
    source: Any,
    example_inputs: Any = (),
    name: str | None = None,
    input_names: Any = None,
    output_names: Any = None,
) -> Module:
    """The float-level module of a program, with a transpose around each layout-bound op.

    Arguments are those of `hbir.torch.export`, which also cancels the transposes.
    """
    label, program = exported_program(source, example_inputs)
    symbol = symbol_name(name or (label if source is not program else "main"))
    whole = {*import_functions(), *cpu_functions()}
    refusals: list[str] = []
    while True:
        graph = read_program(decomposed(program, whole, label), label, (input_names, output_names))
        context = make_context()
        try:
            module = Module(_Importer(context, graph, symbol).run(), context)
        except _NotWhole as refusal:
            refusals.append(str(refusal))
            if refusal.overload not in whole or not _decomposes(refusal.overload):
                raise UnsupportedError("; decomposed: ".join(refusals)) from refusal
            whole.discard(refusal.overload)
            continue
        module.level = "float"
        return module


def operator_counts(source: Any, example_inputs: Any = ()) -> dict[str, int]:
    """ATen operator → count of what `import_program` reads, sorted."""
    label, program = exported_program(source, example_inputs)
    whole = {*import_functions(), *cpu_functions()}
    nodes = decomposed(program, whole, label).graph.nodes
    calls = (node for node in nodes if isinstance(node.target, OpOverload))
    return dict(sorted(Counter(operator_name(node) for node in calls).items()))


class _NotWhole(UnsupportedError):
    """An operator that can't be imported as it is; its decomposition may be."""

    def __init__(self, overload: str, message: str) -> None:
        super().__init__(message)
        self.overload = overload


def _decomposes(overload: str) -> bool:
    table = torch.export.default_decompositions()
    return any(str(each).removeprefix("aten.") == overload for each in table)


class _Importer:
    """The state of one import: what each node of the graph stands for, and the block it fills."""

    def __init__(self, ctx: HbirContext, program: Program, symbol: str) -> None:
        self._ctx = ctx
        self._program = program
        self._functions = import_functions()
        self._operands: dict[fx.Node, Operand] = {}
        self._several: dict[fx.Node, list[Operand]] = {}
        self._constants: dict[fx.Node, tuple[str, torch.Tensor]] = program.constants
        calls = [node for node in program.nodes if node.target is not operator.getitem]
        self._names = node_names(calls)
        inputs = [(name, self._input_type(name, node)) for name, node in program.inputs]
        self._function, self._block = make_function(symbol, inputs)
        for (name, node), argument in zip(program.inputs, self._block.args, strict=True):
            self._operands[node] = Operand(argument, name)

    def _input_type(self, name: str, node: fx.Node) -> Any:
        value = node.meta["val"]
        what = f"{self._program.label}: input {name!r}"
        return tensor(value.shape, element_type(numpy_dtype(value.dtype, what)))

    def run(self) -> ModuleOp:
        """The module."""
        for node in self._program.nodes:
            self._visit(node)
        outputs = [(name, self._output(name, node)) for name, node in self._program.outputs]
        finish_function(self._function, outputs)
        module = ModuleOp([self._function])
        erase_dead_ops(module)
        return module

    def _output(self, name: str, node: fx.Node) -> SSAValue:
        operand = self._operand(node)
        if isinstance(operand.value, SSAValue):
            return operand.value
        source = SourceNode(name, "constant")
        shapes = [operand.shape]
        reader = NodeImport(self._ctx, source, [name], {"self": operand}, shapes, operand.dtype)
        (result,) = cpu_results("alias.default", reader, "a constant that is an output")
        self._block.add_ops(reader.ops)
        return result

    def _operand(self, node: fx.Node) -> Operand:
        if node not in self._operands and node in self._constants:
            name, held = self._constants[node]
            self._operands[node] = Operand(array_of(held, f"{self._program.label}: {name}"), name)
        if node not in self._operands:
            raise HbirError(f"{self._program.label}: {node.name} has no value")
        return self._operands[node]

    # One node

    def _visit(self, node: fx.Node) -> None:
        if node.target is operator.getitem:
            source, index = node.args
            if isinstance(source, fx.Node) and isinstance(index, int):
                self._operands[node] = self._item(source, index)
            return
        overload = operator_name(node)
        if overload in _EFFECTLESS:
            return
        if node.op != "call_function" or not isinstance(node.target, OpOverload):
            raise UnsupportedError(
                self._message(node, "control flow and calls of other libraries are not supported")
            )
        reader = self._reader(node)
        folded = fold(node, self._operand)
        results: Sequence[Value]
        if folded is not None:
            results = folded
        else:
            results = self._imported(node, reader)
            self._block.add_ops(reader.ops)
        self._define(node, reader, results)

    def _item(self, node: fx.Node, index: int) -> Operand:
        results = self._several[node]
        if index >= len(results):
            what = f"is not supported: its result {index} must not be used"
            raise _NotWhole(operator_name(node), self._message(node, what))
        return results[index]

    def _define(self, node: fx.Node, reader: NodeImport, results: Sequence[Value]) -> None:
        operands: list[Operand] = []
        for index, (value, shape) in enumerate(zip(results, reader.shapes, strict=False)):
            name = _named(value, reader, index)
            operand = Operand(value, name)
            if operand.shape != shape:
                raise HbirError(
                    self._message(node, f"imported with shape {operand.shape}, torch says {shape}")
                )
            operands.append(operand)
        if isinstance(node.meta["val"], torch.Tensor):
            self._operands[node] = operands[0]
        else:
            self._several[node] = operands

    def _imported(self, node: fx.Node, reader: NodeImport) -> Sequence[Value]:
        overload = operator_name(node)
        function = self._functions.get(overload)
        target: Any = node.target
        reason = f"{self._names[node].type} has no BPU form"
        if RANDOM in target.tags:
            reason = "random numbers differ from run to run; call module.eval() before the export"
        if function is not None:
            try:
                results = function(reader)
                return [results] if isinstance(results, SSAValue | np.ndarray) else results
            except (NoBpuForm, ShapeError) as error:
                _discard(reader.ops)
                reason = f"{self._names[node].type}: {error}"
            except HbirError as error:
                raise HbirError(self._message(node, str(error))) from error
        if overload in cpu_functions():
            try:
                return cpu_results(overload, reader, reason)
            except NoBpuForm as error:
                _discard(reader.ops)
                reason = str(error)
        raise _NotWhole(overload, self._message(node, f"is not supported: {reason}"))

    def _reader(self, node: fx.Node) -> NodeImport:
        target: Any = node.target
        arguments: dict[str, Any] = {}
        for index, parameter in enumerate(target._schema.arguments):
            if index < len(node.args):
                given = node.args[index]
            elif parameter.name in node.kwargs:
                given = node.kwargs[parameter.name]
            else:
                given = parameter.default_value
            arguments[parameter.name] = self._read(given)
        values = _tensors(node.meta["val"])
        open_value = next((v for v in values if not _is_static(v)), None)
        if open_value is not None or not values:
            what = "has no tensor result" if not values else "has a shape known only at run time"
            raise _NotWhole(
                operator_name(node), self._message(node, f"is not supported: it {what}")
            )
        shapes = [tuple(value.shape) for value in values]
        dtype = numpy_dtype(values[0].dtype, self._message(node, "its result"))
        source = self._names[node]
        names = _result_names(source.name, len(shapes))
        return NodeImport(self._ctx, source, names, arguments, shapes, dtype)

    def _read(self, given: Any) -> Any:
        if isinstance(given, fx.Node):
            return self._operand(given)
        if isinstance(given, list | tuple):
            return [self._read(item) for item in cast("Sequence[Any]", given)]
        return given

    def _message(self, node: fx.Node, what: str) -> str:
        source = self._names.get(node, SourceNode(node.name, str(node.target)))
        line = source_line(node)
        where = f" ({line})" if line else ""
        return f"{self._program.label}: {source.name} (aten.{operator_name(node)}){where} {what}"


def _tensors(value: Any) -> list[torch.Tensor]:
    if not isinstance(value, torch.Tensor | list | tuple):
        return []
    items = [value] if isinstance(value, torch.Tensor) else cast("Sequence[Any]", value)
    return [item for item in items if isinstance(item, torch.Tensor)]


def _is_static(value: torch.Tensor) -> bool:
    extents = cast("Sequence[Any]", value.shape)
    return all(isinstance(extent, int) for extent in extents)


def _result_names(name: str, count: int) -> list[str]:
    return [name, *(f"{name}.{index}" for index in range(1, count))]


def _named(value: Value, reader: NodeImport, index: int) -> str:
    """The name of a node's result. An op that was emitted as a step, but is the result, gets it."""
    origin = reader.origin(index)
    if isinstance(value, OpResult) and value.op in reader.ops:
        given = origin_of_op(value.op)
        if given is not None and given.tensor.startswith(f"{reader.origin().tensor}#"):
            set_origin(value.op, origin)
    return origin.tensor


def _discard(ops: list[Operation]) -> None:
    for op in reversed(ops):
        op.erase()
    ops.clear()
