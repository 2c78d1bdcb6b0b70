"""Which function imports which ATen operator. The operator families' files fill the table."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from hbir.frontends.torch.node_import import NodeImport
    from hbir.frontends.torch.values import Value

Results: TypeAlias = "Value | Sequence[Value]"
ImportFunction: TypeAlias = "Callable[[NodeImport], Results]"

_FUNCTIONS: dict[str, ImportFunction] = {}

FAMILIES = (
    "activation",
    "argmax",
    "attention",
    "cast",
    "comparison",
    "conv",
    "einsum",
    "elementwise",
    "grid_sample",
    "index",
    "layernorm",
    "linear",
    "move",
    "norm",
    "pool",
    "recurrent",
    "reduce",
    "resize",
    "scatter",
    "topk",
    "unary",
)


def imports(*overloads: str) -> Callable[[ImportFunction], ImportFunction]:
    """Register the decorated function for ATen overloads (`conv2d.default`).

    It returns the node's one result, or a list of all; it raises NoBpuForm with the constraint that
    the node breaks. Operators without a function are decomposed by torch.
    """

    def register(function: ImportFunction) -> ImportFunction:
        for overload in overloads:
            if overload in _FUNCTIONS:
                raise ValueError(f"{overload} is imported twice")
            _FUNCTIONS[overload] = function
        return function

    return register


@lru_cache(maxsize=1)
def import_functions() -> dict[str, ImportFunction]:
    """Overload → function."""
    package = __name__.rpartition(".")[0]
    for family in FAMILIES:
        importlib.import_module(f"{package}.{family}")
    return dict(sorted(_FUNCTIONS.items()))
