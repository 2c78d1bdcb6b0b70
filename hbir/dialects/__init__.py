"""hbir's dialects. Each is loaded when a text or a builder first names one of its ops.

A dialect's module has `dialect()`, which makes it. A package dialect has one file per op family,
and its ops are collected from those files: adding an op or a family needs no list to be edited.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
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


_OP_NAME = re.compile(r'^    name = "(\w+\.\w+)"', re.MULTILINE)


@cache
def op_of_its_file(name: str) -> type[Operation] | None:
    """The op `dialect.op` by importing no more than the file that defines it.

    None where its dialect is not a package, or no file of it says `name = "dialect.op"`.
    """
    module_name = _files_of_ops(name.partition(".")[0]).get(name)
    if module_name is None:
        return None
    for value in vars(importlib.import_module(module_name)).values():
        if inspect.isclass(value) and getattr(value, "name", "") == name:
            return cast("type[Operation]", value)
    return None


@cache
def _files_of_ops(dialect: str) -> dict[str, str]:
    """Op name → module, as the sources of a dialect's package say."""
    if dialect not in _MODULES:
        return {}
    package = importlib.import_module(_MODULES[dialect])
    return {
        op: f"{package.__name__}.{path.stem}"
        for folder in getattr(package, "__path__", ())
        for path in sorted(Path(folder).glob("*.py"))
        for op in _OP_NAME.findall(path.read_text(encoding="utf-8"))
    }


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
