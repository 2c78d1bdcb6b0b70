"""Which function imports which ATen operator. The operator families' files fill the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from hbir.ir.function_table import FunctionTable

if TYPE_CHECKING:
    from hbir.frontends.torch.node_import import NodeImport
    from hbir.frontends.torch.values import Value

Results: TypeAlias = "Value | Sequence[Value]"
ImportFunction: TypeAlias = "Callable[[NodeImport], Results]"

_TABLE: FunctionTable[ImportFunction] = FunctionTable(__name__.rpartition(".")[0], "imports")


def imports(*overloads: str) -> Callable[[ImportFunction], ImportFunction]:
    """Register the decorated function for ATen overloads (`conv2d.default`).

    It returns the node's one result, or a list of all; it raises NoBpuForm with the constraint that
    the node breaks. Operators without a function are decomposed by torch.
    """

    return _TABLE.register(overloads)


def import_functions() -> dict[str, ImportFunction]:
    """Overload → function."""
    return _TABLE.functions()
