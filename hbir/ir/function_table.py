"""A table from operator names to functions, filled by the files of op families: `FunctionTable`.

Frontends import by such tables and exporters export by them: a family is a file beside its
registry, which decorates its functions with the table's `register`. The folder is read, so adding
a family needs no list to be edited.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


class FunctionTable(Generic[FunctionT]):
    """Operator name → function, from the families of a package, imported at the first look."""

    def __init__(self, package: str, decorator: str) -> None:
        """decorator: what the package calls `register`; the files that use it are the families."""
        self._package = package
        self._decorator = decorator
        self._waiting: list[str] | None = None
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
        if self._waiting is None:
            self._waiting = self.families()
        while self._waiting:
            importlib.import_module(f"{self._package}.{self._waiting.pop(0)}")
        return dict(sorted(self._functions.items()))

    def families(self) -> list[str]:
        """The files that register functions, sorted; imports none of them."""
        uses = re.compile(rf"^@{self._decorator}\(", re.MULTILINE)
        return sorted(
            path.stem
            for folder in importlib.import_module(self._package).__path__
            for path in Path(folder).glob("*.py")
            if uses.search(path.read_text(encoding="utf-8"))
        )
