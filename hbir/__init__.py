"""hbir: an open compiler for Horizon-style BPUs.

    from hbir import load, save, calibrate, convert, compile, link, statistics, visualize
    from hbir import hbm_perf, March, Module, Hbm

Everything is imported when first asked for: `import hbir` itself takes milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hbir.api import (
        calibrate,
        compile,
        convert,
        hbm_perf,
        link,
        load,
        save,
        schedule,
        statistics,
        visualize,
    )
    from hbir.backend.march import March
    from hbir.errors import HbirError
    from hbir.hb_runtime import HBRuntime
    from hbir.hbm import Hbm
    from hbir.module import Module

__version__ = "0.1.0"

_HOME = {
    **dict.fromkeys(
        (
            "calibrate",
            "compile",
            "convert",
            "hbm_perf",
            "link",
            "load",
            "save",
            "schedule",
            "statistics",
            "visualize",
        ),
        "hbir.api",
    ),
    "HbirError": "hbir.errors",
    "HBRuntime": "hbir.hb_runtime",
    "Hbm": "hbir.hbm",
    "March": "hbir.backend.march",
    "Module": "hbir.module",
}

__all__ = [
    "HBRuntime",
    "HbirError",
    "Hbm",
    "March",
    "Module",
    "calibrate",
    "compile",
    "convert",
    "hbm_perf",
    "link",
    "load",
    "save",
    "schedule",
    "statistics",
    "visualize",
]


_SUBMODULES = ("onnx", "torch")
"""Modules that users reach as attributes: `hbir.onnx.export(...)` after `import hbir`."""


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"hbir.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'hbir' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_SUBMODULES})
