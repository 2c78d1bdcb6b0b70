"""Which function exports which op, by the op's name. The op families' files fill the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from hbir.ir.function_table import FunctionTable

if TYPE_CHECKING:
    from hbir.exporters.onnx.node_export import NodeExport

ExportFunction: TypeAlias = "Callable[[NodeExport], None]"

_TABLE: FunctionTable[ExportFunction] = FunctionTable(__name__.rpartition(".")[0], "exports")


def exports(*names: str) -> Callable[[ExportFunction], ExportFunction]:
    """Register the decorated function for ops of these names (`hbir.conv2d`).

    It emits ONNX nodes through the `NodeExport` that it is given, the last of them by `finish`. It
    raises HbirError for what has no ONNX form.
    """

    return _TABLE.register(names)


def export_functions() -> dict[str, ExportFunction]:
    """Op name → function."""
    return _TABLE.functions()
