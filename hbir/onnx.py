"""`hbir.onnx.export`: an ONNX model as a module, float or qat; `hbir.onnx.statistics`."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from hbir.frontends.errors import UnsupportedError
from hbir.frontends.onnx.graph import read_graph
from hbir.frontends.onnx.importer import import_model
from hbir.frontends.onnx.shapes import InputShapes
from hbir.module import Module
from hbir.passes.optimize.cancel_transposes import CancelTransposes

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["UnsupportedError", "export", "statistics"]


def export(
    proto: ModelProto | str | os.PathLike[str],
    name: str | None = None,
    input_shapes: InputShapes = None,
) -> Module:
    """The float-level module of an ONNX model, opset 9 to the newest; of a QDQ model the qat level.

    proto: a model, or the path of an .onnx file. name: the function's; the graph's by default.
    input_shapes: shapes for inputs that the file leaves open, by name, or one shape for a model
    with one input.

    Inputs and outputs keep their names, shapes and layouts; inside, tensors are channel-last.
    A node without BPU form becomes an `hbtl.call` that says why. Raises HbirError for a broken
    model or a shape that isn't given, UnsupportedError for a node that can't be run at all.
    """
    module = import_model(proto, name, input_shapes)
    CancelTransposes().apply(module.context, module.op)
    module.verify()
    return module


def statistics(proto: ModelProto | str | os.PathLike[str]) -> dict[str, int]:
    """Operator type → count of the model's nodes, sorted by type."""
    counts = Counter(node.type for node in read_graph(proto).nodes)
    return dict(sorted(counts.items()))
