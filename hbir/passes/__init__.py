"""The passes, and the registry that finds them.

A pass is a file of a phase's folder: `optimize/fold_constants.py` holds the pass `fold-constants`.
A pass with a pattern per op is a folder of that name instead, one file per op family. The registry
is read off the file names, so adding a pass needs no list to be edited, and a pass is imported when
it is first asked for. What several passes share lies beside the phases, in this folder.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path

from xdsl.passes import ModulePass

from hbir.errors import HbirError

PHASES = ("optimize", "calibrate", "convert", "schedule", "verify")
"""The folders of passes, in pipeline order; `verify` has one pass per level of IR."""


@lru_cache(maxsize=1)
def pass_modules() -> dict[str, str]:
    """Pass name → the module that holds it, by phase and then by name; imports none of them."""
    modules: dict[str, str] = {}
    for phase in PHASES:
        folder = str(Path(__file__).parent / phase)
        for info in sorted(pkgutil.iter_modules([folder]), key=lambda info: info.name):
            name = info.name.replace("_", "-")
            module = f"{__name__}.{phase}.{info.name}"
            if name in modules:
                raise ValueError(f"{modules[name]} and {module} are one pass name, {name}")
            modules[name] = module
    return modules


def all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Pass name → a function that imports its class."""
    return {name: partial(load_pass, name) for name in pass_modules()}


@cache
def load_pass(name: str) -> type[ModulePass]:
    """The class of the pass `name`. Raises HbirError when there is no such pass."""
    path = pass_modules().get(name)
    if path is None:
        raise HbirError(f"there is no pass {name!r}; there are {', '.join(pass_modules())}")
    module = importlib.import_module(path)
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, ModulePass) and value.__module__ == path
    ]
    if len(found) != 1 or found[0].name != name:
        raise ValueError(f"{path} must define exactly one pass, named {name}")
    return found[0]
