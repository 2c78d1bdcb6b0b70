"""Marches: the names users write, and the machines they stand for.

A march is a TOML file beside this module (or anywhere: `--march` takes a path too); `march_file`
reads it.
"""

from __future__ import annotations

import os
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Self

from hbir.backend.march.machine import Machine, MarchError
from hbir.backend.march.march_file import read_machine
from hbir.errors import did_you_mean


class March(StrEnum):
    """A march name. `March.nash_e`, `March.NASH_E` and `"nash-e"` are the same."""

    nash_e = "nash-e"
    nash_m = "nash-m"
    nash_p = "nash-p"
    nash_h = "nash-h"
    nash_b = "nash-b"
    bayes = "bayes"
    bayes_e = "bayes-e"
    bernoulli2 = "bernoulli2"
    NASH_E = "nash-e"
    NASH_M = "nash-m"
    NASH_P = "nash-p"
    NASH_H = "nash-h"
    NASH_B = "nash-b"
    BAYES = "bayes"
    BAYES_E = "bayes-e"
    BERNOULLI2 = "bernoulli2"

    @classmethod
    def get(cls, name: str) -> Self:
        """The member of a name in any spelling: `nash-e`, `nash_e`, `NASH_E`.

        Raises MarchError for an unknown name.
        """
        spelled = name.lower().replace("_", "-")
        for member in cls:
            if member.value == spelled:
                return member
        raise MarchError(_unknown_march(name))

    @property
    def num_cores(self) -> int:
        """Cores of this march."""
        return load_march(self).cores


def load_march(march: March | str | os.PathLike[str]) -> Machine:
    """The machine of a march name, a member of `March`, or the path of a march file (`.toml`).

    Raises MarchError for an unknown name, a missing file, or a file with a missing, unknown or
    badly marked number.
    """
    if isinstance(march, March):
        return _load_file(_file_of(march))
    text = os.fspath(march)
    if text.endswith(".toml"):
        return _load_file(Path(text).absolute())
    return _load_file(_file_of(text))


def forget_marches() -> None:
    """Read march files anew when they are asked for again: they were changed."""
    _load_file.cache_clear()


def _file_of(name: str) -> Path:
    """Of a march in any spelling. Raises MarchError for an unknown name."""
    return Path(__file__).with_name(f"{March.get(name).value}.toml")


def _unknown_march(name: str) -> str:
    names = [member.value for member in March]
    hint = did_you_mean(name.lower().replace("_", "-"), names)
    known = ", ".join(names)
    return f"march {name!r} is unknown; use one of {known}, or a path ending in .toml{hint}"


@lru_cache(maxsize=64)
def _load_file(path: Path) -> Machine:
    return read_machine(path, _file_of)
