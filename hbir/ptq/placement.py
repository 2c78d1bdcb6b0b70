"""Where the nodes of a network will run, and why: `placements`.

It runs the passes up to `place-ops`, whose decisions depend on shapes, types and the march, never
on data: a float module gets the same range everywhere instead of a calibration. So a check takes
as long as optimizing does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from hbir.backend.march import March, load_march
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import CallOp
from hbir.errors import HbirError
from hbir.ir.function import TARGET, body_of
from hbir.ir.origin import Node, nodes_of
from hbir.module import Module
from hbir.passes.convert.place_ops import CPU, PLACEMENT, REASON
from hbir.passes.groups import is_inside_group
from hbir.passes.observed import Ranges, write_observed
from hbir.passes.pipelines import CALIBRATE, CONVERT, OPTIMIZE, run_pipeline
from hbir.ptq.cures import cure_for

BPU_UNIT, CPU_UNIT, NO_UNIT = "BPU", "CPU", "--"
"""What `Placement.unit` may be, besides `BPU+CPU`. `--`: folded into other nodes, or without
effect."""

_MOVES = frozenset(
    {
        *("hbir.transpose", "hbir.reshape", "bpu.transpose", "bpu.reshape"),
        *("qnt.quantize", "qnt.dequantize"),
    }
)
"""Ops that bring a node's tensors into the layout or type of its unit: they count where a node is
nothing else."""

_ROUNDINGS = ("qnt.const_fake_quant", "hbir.fake_cast")
"""What says the types of tensors, and computes nothing of its own."""

_RANGE = (-1.0, 1.0)
_PLACING = CONVERT[: CONVERT.index("place-ops") + 1]


@dataclass(frozen=True)
class Placement:
    """A source node: the unit that computes it, and on the CPU why, and what would help."""

    node: str
    op_type: str
    unit: str
    reason: str = ""
    cure: str = ""


def placements(module: Module, march: March | str | PathLike[str]) -> list[Placement]:
    """One entry per source node, in the order of the source model.

    module: float, qat or quantized (for `march`, then); it isn't changed. A node that becomes
    several ops is `BPU+CPU` when they part. Raises HbirError for other levels, for an unknown
    march, and where the quantized module is for another.
    """
    name = load_march(march).name
    if module.level == "quantized":
        if module.march is not None and module.march.value != name:
            raise HbirError(f"the module was converted for {module.march.value}, not for {name}")
        placed = module
    elif module.level in ("float", "qat"):
        placed = _placed(module, name)
    else:
        raise HbirError(f"placements takes a module before scheduling, this one is {module.level}")
    return [
        placement
        for source, result in zip(module.functions, placed.functions, strict=True)
        for placement in _placements(source.op, result.op)
    ]


def _placed(module: Module, march: str) -> Module:
    """A clone with `placement`, and where it is the CPU `reason`, on its ops."""
    placed = module.clone()
    if module.level == "float":
        run_pipeline(placed.context, placed.op, OPTIMIZE)
        for function in placed.functions:
            write_observed(function.op, _ranges(function.op))
        run_pipeline(placed.context, placed.op, CALIBRATE)
    placed.op.attributes[TARGET] = StringAttr(march)
    run_pipeline(placed.context, placed.op, _PLACING)
    return placed


def _ranges(function: FuncOp) -> Ranges:
    """The same range for everything that calibration would observe."""
    block = body_of(function)
    ranges: Ranges = dict.fromkeys(block.args, _RANGE)
    for op in block.ops:
        if not isinstance(op, ConstantOp) and not is_inside_group(op):
            ranges.update(dict.fromkeys(op.results, _RANGE))
    return ranges


def _placements(source: FuncOp, placed: FuncOp) -> Iterator[Placement]:
    units: dict[Node, set[str]] = {}
    moved: dict[Node, set[str]] = {}
    reasons: dict[Node, str] = {}
    for op in _computing_ops(placed):
        unit, reason = _unit_of(op)
        for node in nodes_of(op):
            (moved if op.name in _MOVES else units).setdefault(node, set()).add(unit)
            if reason and (op.name not in _MOVES or node not in units):
                reasons.setdefault(node, reason)
    nodes = dict.fromkeys(node for op in _computing_ops(source) for node in nodes_of(op))
    nodes.update(dict.fromkeys(units))
    for node in nodes:
        unit = "+".join(sorted(units.get(node) or moved.get(node, ()))) or NO_UNIT
        reason = reasons.get(node, "") if CPU_UNIT in unit else ""
        yield Placement(node.name, node.type, unit, reason, cure_for(reason))


def _computing_ops(function: FuncOp) -> Iterator[Operation]:
    for op in body_of(function).ops:
        if op.results and not isinstance(op, ConstantOp) and op.name not in _ROUNDINGS:
            yield op


def _unit_of(op: Operation) -> tuple[str, str]:
    if isinstance(op, CallOp):
        return CPU_UNIT, op.reason.data
    placement, reason = op.attributes.get(PLACEMENT), op.attributes.get(REASON)
    if isinstance(placement, StringAttr) and placement.data == CPU:
        return CPU_UNIT, reason.data if isinstance(reason, StringAttr) else ""
    return BPU_UNIT, ""
