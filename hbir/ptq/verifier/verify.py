"""`verify`: two models on the same inputs, and what came of it as text and as a table.

The pair of files chooses the mode: `consistency`, where both should give the same numbers (bc and
hbm, hbm and hbm), and `cosine`, where one is rounded and the other not (all others).
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
from hbir.hb_runtime import HBRuntime
from hbir.interface import Array
from hbir.ptq.verifier.compare import Difference, difference
from hbir.ptq.verifier.inputs import dequantized, inputs_like, random_inputs
from hbir.ptq.verifier.tensors import source_tensors

CONSISTENCY, COSINE = "consistency", "cosine"

DIGITS = 5
"""Decimal places to which numbers are compared, unless something else is said."""

DEPARTS_BELOW = 0.99
"""Cosine below which a tensor counts as having departed."""

CAPTIONS = ("Tensor", "Shape", "Cosine", "max_abs_diff", "max_rel_diff", "mean_abs_diff")


@dataclass(frozen=True)
class Verification:
    """What two models had to say. `layers`: every tensor that both have, as they are made; None
    where a compiled model shows its outputs only."""

    models: tuple[str, str]
    mode: str
    digits: int
    outputs: tuple[Difference, ...]
    layers: tuple[Difference, ...] | None = None
    departs_below: float = DEPARTS_BELOW

    @property
    def ret(self) -> bool:
        """Whether all outputs agree to the digits asked for."""
        return all(output.equal for output in self.outputs)

    @property
    def first_departing(self) -> Difference | None:
        """The first tensor, in the order of computation, whose cosine is too low."""
        for layer in self.layers or ():
            if layer.shape is not None and layer.cosine < self.departs_below:
                return layer
        return None

    def text(self) -> str:
        """All of it, for a console."""
        lines = [f"mode: {self.mode}"]
        for output in self.outputs:
            lines += self._output_lines(output)
        if self.mode == CONSISTENCY:
            lines.append(f"ret: {self.ret}")
        if self.layers is None:
            lines.append("layers: of a .hbm the outputs alone can be compared")
            return "\n".join(lines)
        lines += ["", *_aligned([CAPTIONS, *self.rows()])]
        first = self.first_departing
        threshold = f"cosine {self.departs_below:g}"
        lines.append(
            f"no tensor departs: all are above {threshold}"
            if first is None
            else f"the first tensor below {threshold} is {first.name} ({first.cosine:.6f})"
        )
        return "\n".join(lines)

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
        return [_row(layer) for layer in self.layers or ()]

    def csv(self) -> str:
        """The table of layers (of outputs, where there are no layers) with its captions."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CAPTIONS)
        writer.writerows(self.rows() if self.layers is not None else map(_row, self.outputs))
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
) -> Verification:
    """Run two model files (.onnx, .bc, .mlir, .hbm) on the same inputs and compare them.

    inputs: the first model's, by name; random ones, always the same, when left out. Where the
    second takes integers with a scale for floats, or the other way round, they are converted.
    Raises HbirError for files that are no models, and for models that don't take the same inputs or
    have no output in common.
    """
    if digits < 0:
        raise HbirError(f"compare_digits must be 0 or more, got {digits}")
    one, other = HBRuntime(first), HBRuntime(second)
    given: dict[str, Any] = dict(random_inputs(one) if inputs is None else inputs)
    feed = one.bound(given)
    other_feed = other.bound(inputs_like(one, feed, other))
    outputs = _outputs(one, feed, other, other_feed, digits)
    layers = None
    mine = source_tensors(one, feed)
    theirs = None if mine is None else source_tensors(other, other_feed)
    if mine is not None and theirs is not None:
        layers = tuple(
            difference(name, mine[name], array, digits)
            for name, array in theirs.items()
            if name in mine
        )
    pair = (one.model_path, other.model_path)
    return Verification(pair, mode_of(first, second), digits, outputs, layers, departs_below)


def _outputs(
    one: HBRuntime,
    feed: dict[str, Array],
    other: HBRuntime,
    other_feed: dict[str, Array],
    digits: int,
) -> tuple[Difference, ...]:
    """The outputs of both, by name, or where no name agrees by number."""
    pairs = [(name, name) for name in one.output_names if name in other.output_names]
    if not pairs and one.output_num == other.output_num:
        pairs = list(zip(one.output_names, other.output_names, strict=True))
    if not pairs:
        raise HbirError(
            f"{one.model_path} and {other.model_path} have no output in common:"
            f" {', '.join(one.output_names)} and {', '.join(other.output_names)}"
        )
    mine = dict(zip(one.output_names, one.run(None, feed), strict=True))
    theirs = dict(zip(other.output_names, other.run(None, other_feed), strict=True))
    return tuple(
        difference(a, *_comparable(one, a, mine[a], other, b, theirs[b]), digits) for a, b in pairs
    )


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
