"""The node table: per node of the user's model where it runs, how it is quantized, how close it is.

Captions and the number of fields are the vendor tool's, for scripts that read them. Nodes that
became one op are joined by `+`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from xdsl.ir import Operation

from hbir.backend.march import load_march
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import CallOp
from hbir.ir.function import output_names
from hbir.ir.origin import Node, nodes_of, origin_of
from hbir.ir.types import dtype_of, element_of
from hbir.module import Module
from hbir.ptq.tensors import FloatArray, run_source_tensors

NODE_CAPTIONS = (
    "Node", "NodeType", "ON", "Threshold", "Calibrated Cosine", "Quantized Cosine",
    "Output Data Type",
)  # fmt: skip
OUTPUT_CAPTIONS = ("TensorName", "Calibrated Cosine", "Quantized Cosine")
NOTHING = "--"

BPU, VPU, CPU = "BPU", "VPU+BPU", "CPU"
VECTOR_ENGINES = frozenset({"VPU", "SPU"})

SAMPLES = 1
"""Calibration samples that cosines are measured on; every one runs the network at three levels."""


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


def output_tensors(module: Module) -> tuple[str, ...]:
    """The names of the outputs of all functions."""
    return tuple(name for function in module.functions for name in output_names(function.op))


def measure(
    reference: Module, levels: Sequence[Module], samples: Iterable[Mapping[str, Any]]
) -> list[dict[str, float]]:
    """By tensor, the cosine of each level's values to those of `reference` on the first samples.

    All take the same inputs. Holds the tensors of one sample at a time.
    """
    sums = [dict[str, _Sums]() for _ in levels]
    for sample in islice(samples, SAMPLES):
        wanted: dict[str, FloatArray] = {}
        outputs = run_source_tensors(reference, sample, wanted.__setitem__)
        wanted.update(_floats(outputs))
        for level, found in zip(levels, sums, strict=True):
            compared: dict[str, tuple[float, float, float]] = {}

            def compare(
                name: str,
                array: FloatArray,
                wanted: dict[str, FloatArray] = wanted,
                compared: dict[str, tuple[float, float, float]] = compared,
            ) -> None:
                if name in wanted and wanted[name].shape == array.shape:
                    compared[name] = _products(wanted[name], array)

            results = run_source_tensors(level, sample, compare)
            for name, array in _floats(results).items():
                compare(name, array)
            for name, products in compared.items():
                found.setdefault(name, _Sums()).add(products)
    return [{name: total.cosine() for name, total in found.items()} for found in sums]


def _floats(outputs: Mapping[str, Any]) -> dict[str, FloatArray]:
    return {name: array.astype(np.float32, copy=False) for name, array in outputs.items()}


def _products(x: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    """Σxy, Σxx and Σyy, in the order of memory where both agree in it."""
    order = "K" if x.strides == y.strides else "C"
    xs, ys = x.ravel(order), y.ravel(order)
    xy = xx = yy = 0.0
    for start in range(0, xs.size, _BLOCK_ELEMENTS):
        block = slice(start, start + _BLOCK_ELEMENTS)
        a, b = xs[block].astype(np.float64), ys[block].astype(np.float64)
        xy, xx, yy = xy + float(a @ b), xx + float(a @ a), yy + float(b @ b)
    return xy, xx, yy


@dataclass
class _Sums:
    """Σxy, Σxx and Σyy over samples."""

    xy: float = 0.0
    xx: float = 0.0
    yy: float = 0.0

    def add(self, products: tuple[float, float, float]) -> None:
        self.xy += products[0]
        self.xx += products[1]
        self.yy += products[2]

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
