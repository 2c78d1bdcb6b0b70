"""hbir's dialects. Each is loaded when a text or a builder first names one of its ops.

A dialect's module has `dialect()`, which makes it. A package dialect has one file per op family,
and its ops are collected from those files: adding an op or a family needs no list to be edited.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import cast

from xdsl.ir import Attribute, Dialect, Operation

_MODULES = {
    "bpu": "hbir.dialects.bpu",
    "hbir": "hbir.dialects.hbir",
    "hbtl": "hbir.dialects.hbtl",
    "isa": "hbir.dialects.isa",
    "qnt": "hbir.dialects.qnt",
}


def all_dialects() -> dict[str, Callable[[], Dialect]]:
    """Factories of all of hbir's dialects by name; nothing is imported until one is called."""
    return {name: partial(_make, module) for name, module in _MODULES.items()}


def _make(module: str) -> Dialect:
    return importlib.import_module(module).dialect()


@cache
def op_of_own_file(name: str) -> type[Operation] | None:
    """The op `dialect.op` where its dialect is a package with a file `op`; None otherwise."""
    dialect, _, rest = name.partition(".")
    module_name = f"{_MODULES.get(dialect, '')}.{rest}"
    if dialect not in _MODULES or not rest.isidentifier():
        return None
    package = importlib.import_module(_MODULES[dialect])
    if not hasattr(package, "__path__") or importlib.util.find_spec(module_name) is None:
        return None
    for value in vars(importlib.import_module(module_name)).values():
        if inspect.isclass(value) and getattr(value, "name", "") == name:
            return cast("type[Operation]", value)
    return None


def collect_dialect(name: str, package: str, attributes: Sequence[type[Attribute]] = ()) -> Dialect:
    """The dialect `name` of the ops that `package` (a module or a package of family files) defines.

    `attributes` are the dialect's attributes that live elsewhere; those defined in the package are
    found like its ops.
    """
    ops: list[type[Operation]] = []
    found = list(attributes)
    for module_name in _module_names(package):
        for value in vars(importlib.import_module(module_name)).values():
            if not inspect.isclass(value) or value.__module__ != module_name:
                continue
            if not str(getattr(value, "name", "")).startswith(f"{name}."):
                continue
            if issubclass(value, Operation):
                ops.append(value)
            elif issubclass(value, Attribute):
                found.append(value)
    return Dialect(name, ops, found)


def _module_names(package: str) -> list[str]:
    path = getattr(importlib.import_module(package), "__path__", None)
    families = [] if path is None else sorted(info.name for info in pkgutil.iter_modules(path))
    return [package, *(f"{package}.{family}" for family in families)]
