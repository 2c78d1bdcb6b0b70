"""What settings say about types and places, as attributes and widths of a function: `Wishes`.

The layers of a quant_config go over each other: the whole model, operator types, subgraphs, nodes.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.errors import HbirError
from hbir.ir.function import body_of, return_of
from hbir.ir.origin import origin_of_op
from hbir.module import Module
from hbir.passes.constraints import RUN_ON
from hbir.passes.dtypes import Widths
from hbir.passes.groups import group_number
from hbir.quantization.dtypes import DTYPE_BITS, OUTPUT, DtypeChoice, node_names, widths_of
from hbir.quantization.settings import QuantSettings, Subgraph

log = logging.getLogger("hbir.calibrate")

FLOAT32 = "float32"
NARROW = "int8"

ORDINAL = "#"
"""In a name, between a node and the place of one of the ops that it became."""

_Layer = dict[str, DtypeChoice]


class Wishes:
    """The wishes of settings for one network. Raises HbirError for nodes that it doesn't have."""

    def __init__(self, settings: QuantSettings, original: Module) -> None:
        """original: the network before optimizing, which names all nodes and their types."""
        function = original.functions[0].op
        self._names = node_names(function)
        self._types = _types_of_nodes(function)
        self._output_type = settings.model_output_type
        self._all_nodes = settings.all_node_type
        self._layers, cpu = self._resolve(settings, function)
        self._on_cpu = frozenset(cpu)

    def _resolve(self, settings: QuantSettings, function: FuncOp) -> tuple[list[_Layer], set[str]]:
        layers: list[_Layer] = []
        on_cpu = set(self._names) if settings.all_node_type == FLOAT32 else set[str]()
        for op_type, choices in settings.op_types.items():
            names = self._of_type(op_type)
            on_cpu.difference_update(names)
            layers.extend(dict.fromkeys(names, choice) for choice in choices)
        for op_type in settings.cpu_op_types:
            on_cpu.update(self._of_type(op_type))
        for subgraph in settings.subgraphs:
            names = _inside(subgraph, function, self._names)
            if subgraph.qtype == FLOAT32:
                on_cpu.update(names)
            else:
                on_cpu.difference_update(names)
                layers.append(dict.fromkeys(names, subgraph.qtype))
        depth = max(map(len, settings.node_types.values()), default=0)
        layers.extend(
            {name: given[at] for name, given in settings.node_types.items() if at < len(given)}
            for at in range(depth)
        )
        on_cpu.difference_update(settings.node_types)
        for name in settings.on_cpu:
            if name not in self._names:
                widths_of(function, {name: NARROW})  # its message says what is near
            on_cpu.add(name)
        return layers, on_cpu

    def _of_type(self, op_type: str) -> list[str]:
        names = [name for name, found in self._types.items() if found.lower() == op_type.lower()]
        if not names:
            known = ", ".join(sorted(set(self._types.values())))
            log.warning("op_config names %s, and the model has none; it has %s", op_type, known)
        return names

    def mark_places(self, function: FuncOp) -> None:
        """Write on the ops of an optimized function that are to stay on the CPU that they are.

        The ops of a fusion group stay together.
        """
        if not self._on_cpu:
            return
        ops = [op for op in body_of(function).ops if not isinstance(op, ConstantOp)]
        chosen = {op for op in ops if self._on_cpu.intersection(_nodes_of(op))}
        groups = {group_number(op) for op in chosen} - {None}
        for op in ops:
            if op in chosen or group_number(op) in groups:
                op.attributes[RUN_ON] = StringAttr("cpu")

    def widths(self, function: FuncOp) -> Widths:
        """The widths for a copy of the optimized function."""
        widths = Widths()
        if self._all_nodes not in (NARROW, FLOAT32):
            bits = DTYPE_BITS[self._all_nodes]
            widths.operands.update(widths_of(function, self._all_nodes).operands)
            widths.values.update(dict.fromkeys(_outputs(function), bits))
        for layer in self._layers:
            whole = {name: c for name, c in layer.items() if not _is_ordinal(name, self._names)}
            found = widths_of(function, whole, self._names)
            widths.operands.update(found.operands)
            widths.values.update(found.values)
            for name in layer.keys() - whole.keys():
                _widen_one(widths, function, name, layer[name])
        if self._output_type is not None:
            bits = DTYPE_BITS[self._output_type]
            widths.values.update(dict.fromkeys(_outputs(function), bits))
        return widths


def ops_by_node(function: FuncOp) -> dict[str, list[Operation]]:
    """Source node → the ops it became or is part of, in program order."""
    found: dict[str, list[Operation]] = {}
    for op in body_of(function).ops:
        if op.results and not isinstance(op, ConstantOp):
            for node in _nodes_of(op):
                found.setdefault(node, []).append(op)
    return found


def _is_ordinal(name: str, nodes: Container[str]) -> bool:
    node, _, number = name.rpartition(ORDINAL)
    return name not in nodes and node in nodes and number.isdigit()


def _widen_one(widths: Widths, function: FuncOp, name: str, choice: DtypeChoice) -> None:
    """The choice for one of the ops that a node became, `node#0`."""
    node, _, number = name.rpartition(ORDINAL)
    ops = ops_by_node(function).get(node, [])
    if int(number) >= len(ops):
        raise HbirError(f"node_config.{name}: node {node!r} became {len(ops)} ops, counted from 0")
    op = ops[int(number)]
    given = {"input0": choice} if isinstance(choice, str) else choice
    for key, dtype in given.items():
        if key == OUTPUT:
            widths.values.update(dict.fromkeys(op.results, DTYPE_BITS[dtype]))
        else:
            widths.operands[op, int(key.removeprefix("input"))] = DTYPE_BITS[dtype]


def _outputs(function: FuncOp) -> list[SSAValue]:
    return list(dict.fromkeys(return_of(function).operands))


def _nodes_of(op: Operation) -> Iterator[str]:
    origin = origin_of_op(op)
    return (node.name for node in (origin.nodes if origin is not None else ()))


def _types_of_nodes(function: FuncOp) -> dict[str, str]:
    found: dict[str, str] = {}
    for op in body_of(function).ops:
        origin = origin_of_op(op)
        for node in origin.nodes if origin is not None else ():
            found.setdefault(node.name, node.type)
    return found


def _inside(subgraph: Subgraph, function: FuncOp, names: Iterable[str]) -> list[str]:
    """The nodes on ways from a subgraph's inputs to its outputs, both included, in order."""
    known = set(names)
    for name in (*subgraph.inputs, *subgraph.outputs):
        if name not in known:
            widths_of(function, {name: NARROW})  # its message says what is near
    ops = [op for op in body_of(function).ops if op.results]
    reached: set[Operation] = set()
    for op in ops:
        if any(v.owner in reached for v in op.operands) or set(subgraph.inputs) & set(
            _nodes_of(op)
        ):
            reached.add(op)
    leading: set[Operation] = set()
    for op in reversed(ops):
        if any(use.operation in leading for r in op.results for use in r.uses) or set(
            subgraph.outputs
        ) & set(_nodes_of(op)):
            leading.add(op)
    found = dict.fromkeys(name for op in ops if op in reached and op in leading
                          for name in _nodes_of(op))  # fmt: skip
    if not found:
        raise HbirError(
            f"subgraph_config.{subgraph.name}: no way leads from {', '.join(subgraph.inputs)} to"
            f" {', '.join(subgraph.outputs)}"
        )
    return list(found)
