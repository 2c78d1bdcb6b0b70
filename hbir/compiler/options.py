"""The published options of `compile`, checked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hbir.backend.march import Machine
from hbir.compiler.build import DensePorts
from hbir.errors import HbirError

CACHE_MODES = ("disable", "enable", "force_overwrite")
LEAST_CALL_US, MOST_CALL_US = 1000, 10_000_000


@dataclass(frozen=True)
class CompileOptions:
    """What `compile` takes beside march and opt, with the published defaults.

    balance: 0 least DDR traffic, 100 fewest cycles. core_num: cores that share one frame.
    max_time_per_fc: most microseconds of a function call, 0 for one call per segment.
    max_l2m_size: bytes of the shared on-chip memory to use, None for all. cache_mode, cache_path:
    reuse of a file compiled before from the same. input_no_padding, output_no_padding: rows of
    inputs (but images, which are ui8) and of outputs lie dense in DDR instead of at the march's
    stride. The rest is taken and changes nothing: the compiler is one thread, the debug table is
    always there, there is no such unit (enable_hpc) and no older format (hbdk3_compatible_mode).
    """

    balance: int = 100
    core_num: int = 1
    max_time_per_fc: float = 0.0
    max_l2m_size: int | None = 0
    cache_mode: str = "disable"
    cache_path: str = ""
    jobs: int = 4
    debug: bool = False
    progress_bar: bool = False
    advice: float = 0.0
    input_no_padding: bool = False
    output_no_padding: bool = False
    enable_hpc: bool = False
    hbdk3_compatible_mode: bool = False

    @property
    def l2_bytes(self) -> int | None:
        """Bytes of L2 that may be used; None for all."""
        return self.max_l2m_size

    @property
    def dense_ports(self) -> DensePorts:
        """Whose rows aren't padded."""
        return DensePorts(self.input_no_padding, self.output_no_padding)

    def changed(self) -> dict[str, Any]:
        """The options that shape the program and aren't at their defaults."""
        shaping = (
            "balance", "core_num", "max_time_per_fc", "max_l2m_size", "input_no_padding",
            "output_no_padding",
        )  # fmt: skip
        defaults = CompileOptions()
        return {
            name: getattr(self, name)
            for name in shaping
            if getattr(self, name) != getattr(defaults, name)
        }


def compile_options(given: Mapping[str, Any], machine: Machine) -> CompileOptions:
    """The options of a call. Raises HbirError for one that doesn't exist or has a wrong value."""
    known = sorted(f.name for f in fields(CompileOptions))
    for name in given:
        if name not in known:
            raise HbirError(f"compile has no option {name!r}; it takes {', '.join(known)}")
    values = dict(given)
    if values.get("cache_path") and "cache_mode" not in values:
        values["cache_mode"] = "enable"
    options = CompileOptions(**values)
    _check(options, machine)
    return options


def _check(options: CompileOptions, machine: Machine) -> None:
    for name, default in vars(CompileOptions()).items():
        _expect_kind(name, getattr(options, name), default)
    _expect_integer("balance", options.balance, 0, 100)
    _expect_integer("jobs", options.jobs, 0, sys.maxsize)
    _expect_integer("core_num", options.core_num, 1, machine.cores, f" on {machine.name}")
    time = options.max_time_per_fc
    if time and not LEAST_CALL_US <= time <= MOST_CALL_US:
        raise HbirError(
            f"max_time_per_fc is {time!r}; it is 0, or {LEAST_CALL_US} to {MOST_CALL_US}"
            " microseconds"
        )
    if options.max_l2m_size and not machine.memory.l2_bytes:
        raise HbirError(
            f"max_l2m_size is {options.max_l2m_size!r}, but {machine.name} has no L2 memory;"
            " leave it out"
        )
    if options.max_l2m_size is not None:
        _expect_integer("max_l2m_size", options.max_l2m_size, 0, machine.memory.l2_bytes)
    if options.cache_mode not in CACHE_MODES:
        raise HbirError(
            f"cache_mode is {options.cache_mode!r}; it is one of {', '.join(CACHE_MODES)}"
        )
    if options.cache_mode != "disable" and not options.cache_path:
        raise HbirError(f"cache_mode is {options.cache_mode!r}: give cache_path, a folder")


def _expect_kind(name: str, value: Any, default: object) -> None:
    """Raises for a value that isn't of its default's kind; numbers may be whole or not."""
    if type(default) is int:
        return  # said with its limits
    kinds = (int, float) if type(default) is float else (type(default),)
    if type(value) not in kinds:
        raise HbirError(f"{name} is {value!r}, expected a {kinds[-1].__name__}")


def _expect_integer(name: str, value: Any, low: int, high: int, where: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise HbirError(f"{name} is {value!r}; it is a whole number from {low} to {high}{where}")
