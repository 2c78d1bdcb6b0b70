"""The one table from op names to their NumPy meaning.

Every level's interpreter, constant folding, the scheduled interpreter (per tile) and the simulator
(per instruction) evaluate ops through `execute`, so that an op has a single definition. A kernel's
keyword arguments are the snake_case property names of the op of the same name.

The files with the kernels of a dialect are imported when the first of its ops is evaluated.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TypeVar

import numpy as np

from hbir.errors import HbirError, did_you_mean
from hbir.kernels.types import Array, Kernel, Params

_KernelT = TypeVar("_KernelT", bound=Kernel)

_HOMES = {
    "hbir": ("hbir.kernels.float",),
    "bpu": ("hbir.kernels.integer", "hbir.kernels.float16"),
    "qnt": ("hbir.kernels.quantize",),
    "hbtl": ("hbir.kernels.hbtl",),
}
"""Dialect → the modules, or the packages of family files, that hold its kernels."""

_kernels: dict[str, Kernel] = {}
_loaded: set[str] = set()


def kernel(name: str) -> Callable[[_KernelT], _KernelT]:
    """Register the decorated function as the meaning of the op `name` ("bpu.conv2d").

    Raises ValueError when the name already has a kernel.
    """

    def register(function: _KernelT) -> _KernelT:
        if name in _kernels:
            other = _kernels[name]
            raise ValueError(f"{name} has a kernel already: {other.__module__}.{other.__name__}")
        _kernels[name] = function
        return function

    return register


def find_kernel(name: str) -> Kernel:
    """The kernel of the op `name`. Raises HbirError when no op of that name can be evaluated."""
    function = _kernels.get(name)
    if function is not None:
        return function
    dialect = name.partition(".")[0]
    _load(dialect)
    function = _kernels.get(name)
    if function is None:
        raise HbirError(_unknown(name, dialect))
    return function


def has_kernel(name: str) -> bool:
    """Whether the op `name` can be evaluated."""
    _load(name.partition(".")[0])
    return name in _kernels


def kernel_names(dialect: str) -> list[str]:
    """The names of a dialect's ops that can be evaluated, sorted."""
    _load(dialect)
    return sorted(name for name in _kernels if name.partition(".")[0] == dialect)


def execute(name: str, arrays: Sequence[Array], params: Params) -> Array:
    """The one result of the op `name` on `arrays`.

    Raises HbirError when the op is unknown or has several results (see `execute_all`).
    """
    result = find_kernel(name)(*arrays, **params)
    if not isinstance(result, tuple):
        return np.asarray(result)  # NumPy gives scalars for arrays of rank 0
    if len(result) != 1:
        raise HbirError(f"{name} gives {len(result)} results where one is expected")
    return np.asarray(result[0])


def execute_all(name: str, arrays: Sequence[Array], params: Params) -> tuple[Array, ...]:
    """All results of the op `name` on `arrays`. Raises HbirError when the op is unknown."""
    result = find_kernel(name)(*arrays, **params)
    return tuple(map(np.asarray, result if isinstance(result, tuple) else (result,)))


def _load(dialect: str) -> None:
    if dialect not in _HOMES or dialect in _loaded:
        return
    for name in _HOMES[dialect]:
        for family in _families(importlib.import_module(name)):
            importlib.import_module(f"{name}.{family}")
    _loaded.add(dialect)


def _families(module: ModuleType) -> list[str]:
    """The names of a package's files; none for a plain module."""
    path = getattr(module, "__path__", None)
    if path is None:
        return []
    return sorted(info.name for info in pkgutil.iter_modules(path))


def _unknown(name: str, dialect: str) -> str:
    if dialect not in _HOMES:
        return f"{name} can't be evaluated: only ops of {', '.join(_HOMES)} have kernels"
    hint = did_you_mean(name, kernel_names(dialect), most=3)
    return f"{name} can't be evaluated: it has no kernel in {' or '.join(_HOMES[dialect])}{hint}"
