"""Write into a scheduled module why each layer is scheduled as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.march import Machine
from hbir.backend.plan.explain import Explanation, explain
from hbir.backend.tile_grid_cost import OUTPUT
from hbir.dialects.bpu.schedule import ALLOC, AllocAttr
from hbir.dialects.layers import (
    allocs_of,
    body_ops,
    is_on_chip,
    layer_of,
    resident_of,
    schedule_of,
    tiling_of,
    view_source,
)
from hbir.dialects.places import places_in
from hbir.ir.function import functions_of
from hbir.ir.origin import name_of
from hbir.passes.schedule.allocate_workspace import output_roots
from hbir.passes.scheduling import machine_of

EXPLAIN = "explain"
"""Key of the discardable attribute."""


@dataclass(frozen=True)
class ExplainedLayer:
    """A layer of a scheduled function, with what there is to say of it."""

    op: Operation
    name: str
    kind: str
    group: int
    tile: tuple[int, ...]
    residency: str
    """Where its result lies: `l1`, `l1, 24 rows`, `ddr`, ..."""
    explanation: Explanation


@dataclass(frozen=True)
class ExplainSchedulePass(ModulePass):
    """Write `explain` on every BPU op of a scheduled module: where its result lies, the bytes that
    it moves and those that it must, what bounds it by itself, and what would help.
    """

    name = "explain-schedule"

    march: str | None = None

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        for function in functions_of(op):
            for layer in explained(function, machine):
                layer.op.attributes[EXPLAIN] = StringAttr(_text(layer))


def explained(function: FuncOp, machine: Machine) -> Iterator[ExplainedLayer]:
    """Every layer of a scheduled function, in order."""
    outputs, places = output_roots(function), places_in(function)
    for body_op in body_ops(function):
        if not body_op.is_layer:
            continue
        op = body_op.op
        layer, result = layer_of(op), op.results[0]
        slots = {i for i, v in enumerate(op.operands) if _is_input(v)}
        if result in outputs:
            slots.add(OUTPUT)
        in_place = layer.kind in ("concat", "slice") and all(
            view_source(v) in places and result in places
            and places[view_source(v)].root is places[result].root
            for v in op.operands
        )  # fmt: skip
        tiling = tiling_of(op, layer)
        told = explain(machine, layer, tiling, resident_of(op, layer), frozenset(slots), in_place)
        group = schedule_of(op).group.data
        where = "in place" if in_place else _residency(result)
        name = name_of(result, op.name)
        yield ExplainedLayer(op, name, layer.kind, group, tiling.tile, where, told)


def _is_input(value: SSAValue) -> bool:
    return not isinstance(view_source(value), OpResult)


def _residency(result: OpResult) -> str:
    alloc = allocs_of(result.op)[0] if ALLOC in result.op.attributes else None
    if not isinstance(alloc, AllocAttr):
        return "ddr"
    if is_on_chip(result):
        return f"l1, {alloc.rows.data} rows" if alloc.rows.data else "l1"
    return "l2" if alloc.space.data.value == "l2" else "ddr"


def _text(layer: ExplainedLayer) -> str:
    told = layer.explanation
    words = [
        f"{layer.residency}; moves {told.moved_bytes} bytes, must {told.compulsory_bytes};"
        f" bound by {told.bound}"
    ]
    return "; ".join((*words, *told.helps))
