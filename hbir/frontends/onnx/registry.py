"""Which function imports which operator. The operator families' files fill the table."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from xdsl.ir import SSAValue

if TYPE_CHECKING:
    from hbir.frontends.onnx.node_import import NodeImport
    from hbir.frontends.onnx.values import Value

Results: TypeAlias = "SSAValue | Sequence[Value]"
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
    "quantize",
    "recurrent",
    "reduce",
    "resize",
    "scatter",
    "topk",
    "unary",
)


def imports(*op_types: str) -> Callable[[ImportFunction], ImportFunction]:
    """Register the decorated function for operators of the standard domain.

    It returns the node's one result, or all of them; it raises NoBpuForm with the constraint that
    the node breaks, whereupon the node becomes a CPU op.
    """

    def register(function: ImportFunction) -> ImportFunction:
        for op_type in op_types:
            if op_type in _FUNCTIONS:
                raise ValueError(f"{op_type} is imported twice")
            _FUNCTIONS[op_type] = function
        return function

    return register


@lru_cache(maxsize=1)
def import_functions() -> dict[str, ImportFunction]:
    """Operator type → function."""
    package = __name__.rpartition(".")[0]
    for family in FAMILIES:
        importlib.import_module(f"{package}.{family}")
    return dict(sorted(_FUNCTIONS.items()))
