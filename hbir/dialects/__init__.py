"""hbir's dialects, each imported when a module first uses it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from xdsl.ir import Dialect

_MODULES = {
    "hbir": "hbir.dialects.hbir",
    "qnt": "hbir.dialects.qnt",
    "hbtl": "hbir.dialects.hbtl",
    "bpu": "hbir.dialects.bpu",
    "isa": "hbir.dialects.isa",
}
"""Dialect name → the module whose `DIALECT` it is."""


def _loader(module: str) -> Callable[[], Dialect]:
    def load() -> Dialect:
        return import_module(module).DIALECT

    return load


def all_dialects() -> dict[str, Callable[[], Dialect]]:
    """Dialect name → a function that imports it."""
    return {name: _loader(module) for name, module in _MODULES.items()}
