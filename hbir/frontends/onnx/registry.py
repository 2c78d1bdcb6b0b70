"""Which function imports which operator. The operator families' files fill the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from xdsl.ir import SSAValue

from hbir.ir.function_table import FunctionTable

if TYPE_CHECKING:
    from hbir.frontends.onnx.node_import import NodeImport
    from hbir.frontends.onnx.values import Value

Results: TypeAlias = "SSAValue | Sequence[Value]"
ImportFunction: TypeAlias = "Callable[[NodeImport], Results]"

_TABLE: FunctionTable[ImportFunction] = FunctionTable(__name__.rpartition(".")[0], "imports")


def imports(*op_types: str) -> Callable[[ImportFunction], ImportFunction]:
    """Register the decorated function for operators of the standard domain.

    It returns the node's one result, or all of them; it raises NoBpuForm with the constraint that
    the node breaks, whereupon the node becomes a CPU op.
    """

    return _TABLE.register(op_types)


def import_functions() -> dict[str, ImportFunction]:
    """Operator type → function."""
    return _TABLE.functions()
