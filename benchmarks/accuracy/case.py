"""A `Case` of the side-by-side comparison, and what the files of cases share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tests.models import ppocr

Array = np.ndarray[Any, Any]
Feed = dict[str, Array]
Score = tuple[float, float]

CALIBRATION_SEED, EVALUATION_SEED = 1, 7
INPUT_NAME = "x"
"""Of what `exported` gives."""


@dataclass(frozen=True)
class Case:
    """A model and its data. score: (sample's number, float's output, the output to judge) →
    (numerator, denominator); the metric is the quotient of the sums. So accuracies can be
    resampled, of characters as well as of images. Of several outputs the first is judged."""

    model: onnx.ModelProto
    calibration: Sequence[Feed]
    evaluation: Sequence[Feed]
    metric: str
    score: Callable[[int, Array, Array], Score]
    labelled: bool = True


def with_shape(path: Path, shape: tuple[int, ...]) -> onnx.ModelProto:
    """A model of one input, with its shape."""
    model = onnx.ModelProto.FromString(path.read_bytes())
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, shape, strict=True):
        dim.dim_value = size
    return model


def exported(network: Any, shape: tuple[int, ...], outputs: Sequence[str]) -> onnx.ModelProto:
    """A torch module of one input as ONNX."""
    import torch

    file = BytesIO()
    exporter: Any = torch.onnx  # typed only in part
    exporter.export(
        network,
        (torch.zeros(shape),),
        file,
        input_names=[INPUT_NAME],
        output_names=list(outputs),
        dynamo=False,
        opset_version=17,
    )
    return onnx.ModelProto.FromString(file.getvalue())


def feeds(inputs: Sequence[Array], name: str = INPUT_NAME) -> list[Feed]:
    """Samples of a model with one input."""
    return [{name: array} for array in inputs]


def right_class(labels: Sequence[int] | Array) -> Callable[[int, Array, Array], Score]:
    """The score of a classifier: whether the best class is the sample's."""
    return lambda number, _, found: (float(found.argmax() == labels[number]), 1.0)


def characters_right(
    texts: Sequence[str], known: Sequence[str]
) -> Callable[[int, Array, Array], Score]:
    """The score of a reader of lines: characters less edit distance, of characters.

    known: what the classes mean, the first being the blank of CTC.
    """

    def score(number: int, _: Array, found: Array) -> Score:
        text = texts[number]
        errors = ppocr.character_errors(text, ppocr.decode(found, known))
        return float(len(text) - errors), float(len(text))

    return score
