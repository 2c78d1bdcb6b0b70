"""A table from operator names to functions, filled by the files of op families: `FunctionTable`.

Frontends import by such tables and exporters export by them: a family is a file beside its
registry, which decorates its functions with the table's `register`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


class FunctionTable(Generic[FunctionT]):
    """Operator name → function. `families` are modules of `package`, imported at the first look."""

    def __init__(self, package: str, families: Sequence[str]) -> None:
        self._package = package
        self._waiting = list(families)
        self._functions: dict[str, FunctionT] = {}

    def register(self, names: Sequence[str]) -> Callable[[FunctionT], FunctionT]:
        """A decorator that enters a function under `names`. Raises ValueError for a name twice."""

        def enter(function: FunctionT) -> FunctionT:
            for name in names:
                if name in self._functions:
                    raise ValueError(f"{name} is in the table of {self._package} twice")
                self._functions[name] = function
            return function

        return enter

    def functions(self) -> dict[str, FunctionT]:
        """All of it, sorted by name."""
        while self._waiting:
            importlib.import_module(f"{self._package}.{self._waiting.pop(0)}")
        return dict(sorted(self._functions.items()))
