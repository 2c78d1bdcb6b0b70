"""`verify`: two models on the same inputs, and what came of it as text and as a table.

The pair of files chooses the mode: `consistency`, where both should give the same numbers (bc and
hbm, hbm and hbm), and `cosine`, where one is rounded and the other not (all others, and a bc before
conversion).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbir.errors import HbirError
from hbir.hb_runtime import HB_HBIRRuntime, HBRuntime
from hbir.interface import Array
from hbir.ptq.display import Display, Silent
from hbir.ptq.verifier.compare import Difference, difference
from hbir.ptq.verifier.inputs import dequantized, paired_inputs
from hbir.ptq.verifier.tensors import run_model

CONSISTENCY, COSINE = "consistency", "cosine"

DIGITS = 5
"""Decimal places to which numbers are compared, unless something else is said."""

DEPARTS_BELOW = 0.99
"""Cosine below which a tensor counts as having departed."""

CAPTIONS = ("Tensor", "Shape", "Cosine", "max_abs_diff", "max_rel_diff", "mean_abs_diff")


@dataclass(frozen=True)
class Verification:
    """What two models had to say. `layers`: every tensor that both have, as they are made."""

    models: tuple[str, str]
    mode: str
    digits: int
    outputs: tuple[Difference, ...]
    layers: tuple[Difference, ...]
    departs_below: float = DEPARTS_BELOW

    @property
    def ret(self) -> bool:
        """Whether all outputs agree to the digits asked for."""
        return all(output.equal for output in self.outputs)

    @property
    def first_departing(self) -> Difference | None:
        """The first tensor, in the order of computation, whose cosine is too low; of models that
        should give the same numbers, the first that doesn't agree."""
        for layer in self.layers:
            departs = layer.shape is not None and layer.cosine < self.departs_below
            if departs if self.mode == COSINE else not layer.equal:
                return layer
        return None

    def text(self) -> str:
        """All of it, for a console."""
        lines = [f"mode: {self.mode}"]
        for output in self.outputs:
            lines += self._output_lines(output)
        if self.mode == CONSISTENCY:
            lines.append(f"ret: {self.ret}")
        lines += ["", *_aligned([CAPTIONS, *self.rows()]), self._last_line()]
        return "\n".join(lines)

    def _last_line(self) -> str:
        first = self.first_departing
        if self.mode == CONSISTENCY:
            if first is None:
                return f"all {len(self.layers)} tensors agree to {self.digits} digits"
            elements = f"{first.mismatched}/{first.total} elements"
            how = "in its shape" if first.shape is None else elements
            return f"the first tensor that differs is {first.name} ({how})"
        threshold = f"cosine {self.departs_below:g}"
        if first is None:
            return f"no tensor departs: all are above {threshold}"
        return f"the first tensor below {threshold} is {first.name} ({first.cosine:.6f})"

    def _output_lines(self, output: Difference) -> list[str]:
        if output.shape is None:
            return [f"output {output.name}: shapes differ"]
        agrees = (
            [f"  cosine {output.cosine:.6f}"]
            if self.mode == COSINE
            else [
                f"  ret {output.equal}",
                f"  mismatched {output.mismatched}/{output.total} ({output.percentage:.2f}%)",
            ]
        )
        return [
            f"output {output.name}:",
            *agrees,
            f"  max_abs_diff {output.max_abs_diff:.6g}",
            f"  max_rel_diff {output.max_rel_diff:.6g}",
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """The fields of the table of layers, captions left out."""
        return [_row(layer) for layer in self.layers]

    def csv(self) -> str:
        """The table of layers with its captions."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CAPTIONS)
        writer.writerows(self.rows())
        return stream.getvalue()


def mode_of(first: str | os.PathLike[str], second: str | os.PathLike[str]) -> str:
    """The mode for a pair of files, in any order."""
    suffixes = {Path(first).suffix, Path(second).suffix}
    return CONSISTENCY if ".hbm" in suffixes and ".onnx" not in suffixes else COSINE


def verify(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    inputs: Mapping[str, Any] | None = None,
    *,
    digits: int = DIGITS,
    departs_below: float = DEPARTS_BELOW,
    display: Display | None = None,
) -> Verification:
    """Run two model files (.onnx, .bc, .mlir, .hbm) on the same inputs and compare them.

    inputs: the first model's, by name; random ones, always the same, when left out. Where the
    second takes integers with a scale for floats, or the other way round, they are converted; a
    float model gets what hb_compile's insertions make of the images that the other is fed.
    Raises HbirError for files that are no models, and for models that don't take the same inputs or
    have no output in common.
    """
    if digits < 0:
        raise HbirError(f"compare_digits must be 0 or more, got {digits}")
    shown: Display = display if display is not None else Silent()
    with shown.stage("read models"):
        one, other = HBRuntime(first), HBRuntime(second)
    feed, other_feed = paired_inputs(one, other, inputs)
    pairs = _output_pairs(one, other)
    with shown.stage(f"run {Path(first).name}"):
        mine = run_model(one, feed)
    with shown.stage(f"run {Path(second).name}"):
        theirs = run_model(other, other_feed)
    outputs = tuple(
        difference(a, *_comparable(one, a, mine.outputs[a], other, b, theirs.outputs[b]), digits)
        for a, b in pairs
    )
    layers = tuple(
        difference(name, mine.tensors[name], array, digits)
        for name, array in shown.each("compare", theirs.tensors.items(), len(theirs.tensors))
        if name in mine.tensors
    )
    pair = (one.model_path, other.model_path)
    mode = COSINE if _is_float(one) or _is_float(other) else mode_of(first, second)
    return Verification(pair, mode, digits, outputs, layers, departs_below)


def _is_float(runtime: HBRuntime) -> bool:
    """Whether a model is a module that convert hasn't made integers of."""
    return isinstance(runtime, HB_HBIRRuntime) and runtime.module.level in ("float", "qat")


def _output_pairs(one: HBRuntime, other: HBRuntime) -> list[tuple[str, str]]:
    """The outputs of both, by name, or where no name agrees by number."""
    pairs = [(name, name) for name in one.output_names if name in other.output_names]
    if not pairs and one.output_num == other.output_num:
        pairs = list(zip(one.output_names, other.output_names, strict=True))
    if not pairs:
        raise HbirError(
            f"{one.model_path} and {other.model_path} have no output in common:"
            f" {', '.join(one.output_names)} and {', '.join(other.output_names)}"
        )
    return pairs


def _comparable(
    one: HBRuntime, name: str, mine: Array, other: HBRuntime, other_name: str, theirs: Array
) -> tuple[Array, Array]:
    """Both as they are where they are of one dtype; else integers with a scale as numbers."""
    if mine.dtype == theirs.dtype:
        return mine, theirs
    quant = one.output_quants[one.output_names.index(name)]
    other_quant = other.output_quants[other.output_names.index(other_name)]
    return dequantized(mine, quant), dequantized(theirs, other_quant)


def _row(layer: Difference) -> tuple[str, ...]:
    if layer.shape is None:
        return (layer.name, "differs", *[""] * 4)
    numbers = (layer.max_abs_diff, layer.max_rel_diff, layer.mean_abs_diff)
    shape = "x".join(map(str, layer.shape)) or "scalar"
    return (layer.name, shape, f"{layer.cosine:.6f}", *(f"{number:.6g}" for number in numbers))


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        " | ".join(field.ljust(width) for field, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
