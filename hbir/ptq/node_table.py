"""The node table: per node of the user's model where it runs, how it is quantized, how close it is.

Captions and the number of fields are the vendor tool's, for scripts that read them. Nodes that
became one op are joined by `+`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from typing import Any

import numpy as np
from xdsl.ir import Operation

from hbir.backend.march import load_march
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import CallOp
from hbir.ir.function import output_names
from hbir.ir.origin import Node, nodes_of, origin_of
from hbir.ir.types import dtype_of, element_of, shape_of
from hbir.module import Module
from hbir.passes.gemm import as_gemm, products_per_output
from hbir.ptq.tensors import FloatArray, SourceRunner, source_runner

NODE_CAPTIONS = (
    "Node", "NodeType", "ON", "Threshold", "Calibrated Cosine", "Quantized Cosine",
    "Output Data Type",
)  # fmt: skip
OUTPUT_CAPTIONS = ("TensorName", "Calibrated Cosine", "Quantized Cosine")
NOTHING = "--"

BPU, VPU, CPU = "BPU", "VPU+BPU", "CPU"
VECTOR_ENGINES = frozenset({"VPU", "SPU"})

SAMPLES = 16
"""Calibration samples that cosines are measured on at most, the first ones."""

ELEMENTS = 25_000_000
"""Elements that a float network may compute on all of these samples; on one it may at any rate.

Each sample runs the network at three levels, at some 30 ns an element, and the table shall not take
much more than half a second. ResNet-50 and MobileNetV2 get one sample.
"""

PRODUCTS_PER_ELEMENT = 500
"""Multiply-accumulates that take as long as an element (fitted to these two networks)."""


_BLOCK_ELEMENTS = 1 << 16
"""Numbers that are multiplied at once, in float64."""


@dataclass(frozen=True)
class Row:
    """A node, or several that became one op. threshold: what its first input is quantized up to."""

    nodes: tuple[Node, ...]
    unit: str
    tensor: str
    threshold: float | None
    data_type: str


Cosines = Mapping[str, float]


@dataclass(frozen=True)
class NodeTable:
    """Rows of nodes, names of outputs, and by tensor the cosines of a level to the float model."""

    rows: tuple[Row, ...]
    outputs: tuple[str, ...]
    calibrated: Cosines = field(default_factory=dict[str, float])
    quantized: Cosines = field(default_factory=dict[str, float])

    def node_lines(self) -> list[tuple[str, ...]]:
        """The fields of the first table, captions left out."""
        return [
            (
                "+".join(node.name for node in row.nodes),
                "+".join(node.type for node in row.nodes),
                row.unit,
                NOTHING if row.threshold is None else f"{row.threshold:.6g}",
                _shown(self.calibrated, row.tensor),
                _shown(self.quantized, row.tensor),
                row.data_type,
            )
            for row in self.rows
        ]

    def output_lines(self) -> list[tuple[str, ...]]:
        """The fields of the second."""
        return [
            (name, _shown(self.calibrated, name), _shown(self.quantized, name))
            for name in self.outputs
        ]

    def text(self) -> str:
        """Both tables for the console, fields separated by `|`."""
        tables = ((NODE_CAPTIONS, self.node_lines()), (OUTPUT_CAPTIONS, self.output_lines()))
        return "\n".join(_aligned([captions, *lines]) for captions, lines in tables)

    def csv(self) -> str:
        """Both tables as the file has them."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(NODE_CAPTIONS)
        writer.writerows(self.node_lines())
        writer.writerow(())
        writer.writerow(OUTPUT_CAPTIONS)
        writer.writerows(self.output_lines())
        return stream.getvalue()


def rows_of(quantized: Module) -> list[Row]:
    """A row per set of source nodes of a quantized module, in the order in which they run."""
    engines = load_march(str(quantized.march)).opcode_engines
    ops: dict[tuple[Node, ...], list[Operation]] = {}
    for function in quantized.functions:
        for op in function.operations:
            nodes = nodes_of(op)
            if nodes and not isinstance(op, ConstantOp):
                ops.setdefault(nodes, []).extend([*_unnamed_producers(op), op])
    return [
        _row(nodes, members, engines)
        for nodes, members in ops.items()
        if not all(op.name.startswith("qnt.") for op in members)  # steps between two units
    ]


def _unnamed_producers(op: Operation) -> list[Operation]:
    """What computes an accumulator on its way out: its nodes are the dequantize's."""
    found: list[Operation] = []
    while op.operands and isinstance(op.operands[0].owner, Operation):
        op = op.operands[0].owner
        if isinstance(op, ConstantOp) or nodes_of(op):
            break
        if op.name.startswith("bpu."):
            found.insert(0, op)
    return found


def _row(nodes: tuple[Node, ...], ops: Sequence[Operation], engines: Mapping[str, str]) -> Row:
    computing = [op for op in ops if not op.name.startswith("qnt.")] or ops
    origin = origin_of(ops[-1].results[0])
    return Row(
        nodes,
        _unit(ops, engines),
        origin.tensor if origin is not None else "",
        next(filter(None, map(_threshold, ops)), None),
        str(element_of(computing[-1].results[0])),
    )


def _unit(ops: Iterable[Operation], engines: Mapping[str, str]) -> str:
    """Of several ops: the CPU if one is there, the vector unit if one needs it."""
    units = set[str]()
    for op in ops:
        dialect, _, opcode = op.name.partition(".")
        if isinstance(op, CallOp):
            units.add(CPU)
        elif dialect == "bpu":  # quantizing and dequantizing at the edges is no node's work
            units.add(VPU if engines.get(opcode) in VECTOR_ENGINES else BPU)
    return next((unit for unit in (CPU, VPU, BPU) if unit in units), NOTHING)


def _threshold(op: Operation) -> float | None:
    """The largest magnitude that the first quantized operand holds."""
    for operand in op.operands:
        origin = origin_of(operand)
        if isinstance(operand.owner, ConstantOp) or origin is None:
            continue
        if not isinstance(origin.scale, float) or dtype_of(operand).kind != "i":
            continue
        limits = np.iinfo(dtype_of(operand))
        if origin.zero_point == 0:
            return origin.scale * int(limits.max)
        ends = (int(limits.min) - origin.zero_point, int(limits.max) - origin.zero_point)
        return origin.scale * max(map(abs, ends))
    return None


def table_tensors(rows: Iterable[Row], outputs: Iterable[str]) -> frozenset[str]:
    """The tensors whose cosines a table of these rows and outputs has."""
    return frozenset([*(row.tensor for row in rows), *outputs])


def output_tensors(module: Module) -> tuple[str, ...]:
    """The names of the outputs of all functions."""
    return tuple(name for function in module.functions for name in output_names(function.op))


def measure(
    reference: Module,
    levels: Sequence[Module],
    samples: Iterable[Mapping[str, Any]],
    names: Container[str],
) -> list[dict[str, float]]:
    """By tensor, the cosine of each level's values to those of `reference` on the first samples,
    all samples' numbers taken together.

    All take the same inputs. names: of the tensors. Holds the tensors of one sample at a time, at
    two levels.
    """
    sums = [dict[str, _Sums]() for _ in levels]
    run_reference = source_runner(reference, names)
    runners = [source_runner(level, names) for level in levels]
    for sample in islice(samples, sample_count(reference)):
        wanted = _tensors(run_reference, sample)
        lengths = {name: _product(array, array) for name, array in wanted.items()}
        for run, of_level in zip(runners, sums, strict=True):
            for name, array in _tensors(run, sample).items():
                if name in wanted and wanted[name].shape == array.shape:
                    xy, yy = _product(wanted[name], array), _product(array, array)
                    of_level.setdefault(name, _Sums()).add(xy, lengths[name], yy)
    return [{name: total.cosine() for name, total in found.items()} for found in sums]


def sample_count(module: Module) -> int:
    """How many samples cosines of a float network are measured on."""
    ops = [op for function in module.functions for op in function.operations]
    elements = sum(
        prod(shape_of(result))
        for op in ops
        if not isinstance(op, ConstantOp)
        for result in op.results
    )
    products = sum(
        prod(shape_of(op.output)) * products_per_output(op) for op in map(as_gemm, ops) if op
    )
    work = elements + products // PRODUCTS_PER_ELEMENT
    return min(max(ELEMENTS // max(work, 1), 1), SAMPLES)


def _tensors(run: SourceRunner, sample: Mapping[str, Any]) -> dict[str, FloatArray]:
    """By name, the tensors of a run; the outputs are those that users get."""
    found: dict[str, FloatArray] = {}
    outputs = run(sample, found.__setitem__)
    found.update({name: array.astype(np.float32) for name, array in outputs.items()})
    return found


def _product(x: FloatArray, y: FloatArray) -> float:
    """Σxy, exact to float64; of arrays that lie alike in the order of memory, without copies."""
    order = "K" if x.strides == y.strides else "C"
    a = x.ravel(order=order).astype(np.float64)
    b = a if y is x else y.ravel(order=order).astype(np.float64)
    return float(a @ b)


@dataclass
class _Sums:
    """Σxy, Σxx and Σyy over samples."""

    xy: float = 0.0
    xx: float = 0.0
    yy: float = 0.0

    def add(self, xy: float, xx: float, yy: float) -> None:
        self.xy, self.xx, self.yy = self.xy + xy, self.xx + xx, self.yy + yy

    def cosine(self) -> float:
        """1 for two zeros, 0 for one."""
        if self.xx == 0.0 and self.yy == 0.0:
            return 1.0
        if self.xx == 0.0 or self.yy == 0.0:
            return 0.0
        return self.xy / float(np.sqrt(self.xx) * np.sqrt(self.yy))


def _shown(cosines: Cosines, name: str) -> str:
    return f"{cosines[name]:.6f}" if name in cosines else NOTHING


def _aligned(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    rule = "-" * max(map(len, rows))
    return "\n".join([rule, rows[0], rule, *rows[1:], rule])
