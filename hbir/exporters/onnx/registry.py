"""Which function exports which op, by the op's name. The op families' files fill the table."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from hbir.exporters.onnx.node_export import NodeExport

ExportFunction: TypeAlias = "Callable[[NodeExport], None]"

_FUNCTIONS: dict[str, ExportFunction] = {}

FAMILIES = (
    "activation",
    "argmax",
    "attention",
    "cast",
    "comparison",
    "conv",
    "elementwise",
    "grid_sample",
    "hbtl",
    "image",
    "index",
    "layernorm",
    "linear",
    "move",
    "norm",
    "pool",
    "quantize",
    "recurrent",
    "reduce",
    "resize",
    "scatter",
    "topk",
    "unary",
)


def exports(*names: str) -> Callable[[ExportFunction], ExportFunction]:
    """Register the decorated function for ops of these names (`hbir.conv2d`).

    It emits ONNX nodes through the `NodeExport` that it is given, the last of them by `finish`. It
    raises HbirError for what has no ONNX form.
    """

    def register(function: ExportFunction) -> ExportFunction:
        for name in names:
            if name in _FUNCTIONS:
                raise ValueError(f"{name} is exported twice")
            _FUNCTIONS[name] = function
        return function

    return register


@lru_cache(maxsize=1)
def export_functions() -> dict[str, ExportFunction]:
    """Op name → function."""
    package = __name__.rpartition(".")[0]
    for family in FAMILIES:
        importlib.import_module(f"{package}.{family}")
    return dict(sorted(_FUNCTIONS.items()))
