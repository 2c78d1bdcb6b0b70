"""What settings say about types and places, by the nodes of a network: `Wishes`.

The layers of a quant_config go over each other: the whole model, operator types, subgraphs, nodes.
"""

from __future__ import annotations

import logging
from collections.abc import Container

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.errors import HbirError
from hbir.ir.function import body_of, return_of
from hbir.ir.origin import nodes_of
from hbir.module import Module
from hbir.passes.dtypes import Widths
from hbir.passes.wanted_places import WantedPlaces
from hbir.quantization.dtypes import (
    DTYPE_BITS,
    OUTPUT,
    DtypeChoice,
    check_name,
    node_names,
    ops_by_node,
    widths_of,
)
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
        self._layers, self.places = self._resolve(settings, function)

    def _resolve(
        self, settings: QuantSettings, function: FuncOp
    ) -> tuple[list[_Layer], WantedPlaces]:
        layers: list[_Layer] = []
        on_cpu = set(self._names) if settings.all_node_type == FLOAT32 else set[str]()
        for op_type, choices in settings.op_types.items():
            names = self._of_type(op_type)
            on_cpu.difference_update(names)
            layers.extend(dict.fromkeys(names, choice) for choice in choices)
        for op_type in settings.cpu_op_types:
            on_cpu.update(self._of_type(op_type))
        on_bpu = {name for op_type in settings.bpu_op_types for name in self._of_type(op_type)}
        on_cpu -= on_bpu
        for subgraph in settings.subgraphs:
            names = _inside(subgraph, function)
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
        for name in (*settings.on_cpu, *settings.on_bpu):
            check_name(function, name)
        on_cpu.difference_update(settings.on_bpu)
        on_cpu.update(settings.on_cpu)
        on_bpu.update(settings.on_bpu)
        return layers, WantedPlaces(cpu=on_cpu, bpu=on_bpu - on_cpu)

    def _of_type(self, op_type: str) -> list[str]:
        names = [name for name, found in self._types.items() if found.lower() == op_type.lower()]
        if not names:
            known = ", ".join(sorted(set(self._types.values())))
            log.warning("op_config names %s, and the model has none; it has %s", op_type, known)
        return names

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


def _types_of_nodes(function: FuncOp) -> dict[str, str]:
    found: dict[str, str] = {}
    for op in body_of(function).ops:
        for node in nodes_of(op):
            found.setdefault(node.name, node.type)
    return found


def _inside(subgraph: Subgraph, function: FuncOp) -> list[str]:
    """The nodes on ways from a subgraph's inputs to its outputs, both included, in order."""
    for name in (*subgraph.inputs, *subgraph.outputs):
        check_name(function, name)
    ops = [op for op in body_of(function).ops if op.results]
    reached: set[Operation] = set()
    for op in ops:
        if _is_part_of(op, subgraph.inputs) or any(v.owner in reached for v in op.operands):
            reached.add(op)
    leading: set[Operation] = set()
    for op in reversed(ops):
        readers = (use.operation for result in op.results for use in result.uses)
        if _is_part_of(op, subgraph.outputs) or any(reader in leading for reader in readers):
            leading.add(op)
    inside = [op for op in ops if op in reached and op in leading]
    found = dict.fromkeys(node.name for op in inside for node in nodes_of(op))
    if not found:
        raise HbirError(
            f"subgraph_config.{subgraph.name}: no way leads from {', '.join(subgraph.inputs)} to"
            f" {', '.join(subgraph.outputs)}"
        )
    return list(found)


def _is_part_of(op: Operation, names: Container[str]) -> bool:
    return any(node.name in names for node in nodes_of(op))
