"""Reads a march file: TOML tables, over those of the march it extends, to a `Machine`.

Every number is a table `{value, origin, source}`, where origin says how far to trust it:
`published` (a document says so), `fitted` (solved from measurements) or `assumed` (our choice).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from hbir.backend.march.machine import (
    DEFAULT_ENGINES,
    ENGINES,
    FLOAT16_ENGINE,
    FLOAT16_OPCODES,
    Ddr,
    Machine,
    MarchError,
    Memory,
    Provenance,
    TensorEngine,
    VectorEngine,
)

ORIGINS = ("published", "fitted", "assumed")


def read_machine(path: Path, base_file: Callable[[str], Path]) -> Machine:
    """The machine of a march file. base_file: where the march of a name is that a file extends.

    Raises MarchError for a missing file, or one with a missing, unknown or badly marked number.
    """
    tables, provenance = _read(path, base_file, ())
    reader = _Reader(path, tables, provenance)
    machine = reader.machine()
    reader.refuse_unknown()
    return machine


def _read(
    path: Path, base_file: Callable[[str], Path], seen: tuple[Path, ...]
) -> tuple[dict[str, dict[str, Any]], dict[str, Provenance]]:
    """The values of a march file over those of the march it extends, and their provenance."""
    if path in seen:
        raise MarchError(f"{path.name}: extends itself")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MarchError(f"march file {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MarchError(f"march file {path.name}: {error}") from error
    tables: dict[str, dict[str, Any]] = {}
    provenance: dict[str, Provenance] = {}
    base = raw.pop("extends", None)
    if base is not None:
        base_path = path.parent / base if str(base).endswith(".toml") else base_file(str(base))
        tables, provenance = _read(base_path, base_file, (*seen, path))
    for section, body in raw.items():
        if not isinstance(body, dict):
            tables.setdefault("", {})[section] = body
            continue
        for key, entry in cast(dict[str, Any], body).items():
            value, origin = _number(path, f"{section}.{key}", section, entry)
            tables.setdefault(section, {})[key] = value
            if origin is not None:
                provenance[f"{section}.{key}"] = origin
    return tables, provenance


_PLAIN_SECTIONS = ("opcodes",)
"""Sections whose entries are names, not numbers."""


def _number(path: Path, key: str, section: str, entry: Any) -> tuple[Any, Provenance | None]:
    if section in _PLAIN_SECTIONS:
        return entry, None
    fields = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
    if set(fields) != {"value", "origin", "source"} or fields["origin"] not in ORIGINS:
        raise MarchError(
            f"march file {path.name}: {key} must be {{value, origin, source}} with origin one of"
            f" {', '.join(ORIGINS)}"
        )
    return fields["value"], Provenance(str(fields["origin"]), str(fields["source"]))


class _Reader:
    """Takes the known keys out of a march file's tables, with their types checked."""

    def __init__(
        self,
        path: Path,
        tables: dict[str, dict[str, Any]],
        provenance: dict[str, Provenance],
    ) -> None:
        self._path = path
        self._tables = tables
        self._provenance = provenance
        self._known: set[tuple[str, str]] = set()

    def machine(self) -> Machine:
        vector_engines = [e for e in ENGINES[3:] if e.lower() in self._tables]
        engines = ("LOAD", "STORE", "TAE", *vector_engines)
        return Machine(
            name=str(self._take("", "name", str)),
            description=str(self._take("", "description", str)),
            fitted_with=str(self._take("", "fitted_with", str)),
            cores=self._integer("chip", "cores"),
            clock_ghz=self._real("chip", "clock_ghz"),
            launch_overhead_us=self._real("chip", "launch_overhead_us", zero=True),
            launch_gb_per_s=self._real("chip", "launch_gb_per_s"),
            call_overhead_us=self._real("chip", "call_overhead_us", zero=True),
            tae=self._tensor_engine(),
            vector={name: self._vector_engine(name.lower()) for name in vector_engines},
            memory=Memory(
                l1_bytes=self._integer("memory", "l1_bytes"),
                l2_bytes=self._integer("memory", "l2_bytes", zero=True),
                l2_bytes_per_cycle=self._l2_bytes_per_cycle(),
                channel_align_bytes=self._integer("memory", "channel_align_bytes"),
                base_align_bytes=self._integer("memory", "base_align_bytes"),
            ),
            ddr=Ddr(
                bandwidth_gb_per_s=self._real("ddr", "bandwidth_gb_per_s"),
                core_bandwidth_gb_per_s=self._core_bandwidth(),
                burst_bytes=self._integer("ddr", "burst_bytes"),
                transfer_latency_cycles=self._integer("ddr", "transfer_latency_cycles", zero=True),
                io_stride_bytes=self._integer("ddr", "io_stride_bytes"),
                min_tensor_bytes=self._integer("ddr", "min_tensor_bytes"),
            ),
            exclusive=self._exclusive(engines),
            engines=engines,
            opcode_engines=self._opcode_engines(engines),
            provenance=dict(self._provenance),
        )

    def refuse_unknown(self) -> None:
        """Raise MarchError for a key that no one reads: most likely a spelling mistake."""
        for section, body in self._tables.items():
            for key in body:
                if section not in _PLAIN_SECTIONS and (section, key) not in self._known:
                    raise self._error(f"key {section}.{key} is unknown")

    def _tensor_engine(self) -> TensorEngine:
        return TensorEngine(
            unroll_h=self._integer("tae", "unroll_h"),
            unroll_w=self._integer("tae", "unroll_w"),
            unroll_cin=self._integer("tae", "unroll_cin"),
            unroll_cout=self._integer("tae", "unroll_cout"),
            passes_int8_int8=self._real("tae", "passes_int8_int8"),
            passes_int16_int8=self._real("tae", "passes_int16_int8"),
            passes_int8_int16=self._real("tae", "passes_int8_int16"),
            passes_int16_int16=self._real("tae", "passes_int16_int16"),
            startup_cycles=self._integer("tae", "startup_cycles", zero=True),
        )

    def _l2_bytes_per_cycle(self) -> int:
        if not self._integer("memory", "l2_bytes", zero=True):
            return 0
        return self._integer("memory", "l2_bytes_per_cycle")

    def _core_bandwidth(self) -> float:
        """GB/s of one core: the width of its port, at most the whole DDR."""
        port = self._real("ddr", "core_bytes_per_cycle") * self._real("chip", "clock_ghz")
        return min(port, self._real("ddr", "bandwidth_gb_per_s"))

    def _vector_engine(self, section: str) -> VectorEngine:
        return VectorEngine(
            bytes_per_cycle=self._real(section, "bytes_per_cycle"),
            startup_cycles=self._integer(section, "startup_cycles", zero=True),
            float16_bytes_per_cycle=self._float16_bytes_per_cycle(section),
        )

    def _float16_bytes_per_cycle(self, section: str) -> float:
        key = "float16_bytes_per_cycle"
        return self._real(section, key) if key in self._tables[section] else 0.0

    def _exclusive(self, engines: tuple[str, ...]) -> tuple[frozenset[str], ...]:
        sets = self._take("chip", "exclusive", list)
        known = {str(name) for group in sets for name in group}
        if not known <= set(engines):
            raise self._error(f"chip.exclusive names engines that are absent: {sorted(known)}")
        return tuple(frozenset(str(name) for name in group) for group in sets)

    def _opcode_engines(self, engines: tuple[str, ...]) -> dict[str, str]:
        table = {op: engine for op, engine in DEFAULT_ENGINES.items() if engine in engines}
        if self._float16_bytes_per_cycle(FLOAT16_ENGINE.lower()):
            table.update(dict.fromkeys(FLOAT16_OPCODES, FLOAT16_ENGINE))
        for opcode, engine in self._tables.get("opcodes", {}).items():
            if opcode not in DEFAULT_ENGINES or engine not in engines:
                raise self._error(f"opcodes.{opcode} = {engine!r}: no such opcode or engine here")
            table[opcode] = engine
        return table

    def _integer(self, section: str, key: str, zero: bool = False) -> int:
        value = self._take(section, key, int)
        if value < 0 or (value == 0 and not zero):
            raise self._error(f"{section}.{key} is {value}, expected a positive integer")
        return value

    def _real(self, section: str, key: str, zero: bool = False) -> float:
        value = float(self._take(section, key, (int, float)))
        if value < 0 or (value == 0 and not zero):
            raise self._error(f"{section}.{key} is {value}, expected a positive number")
        return value

    def _take(self, section: str, key: str, kind: Any) -> Any:
        self._known.add((section, key))
        body = self._tables.get(section, {})
        dotted = f"{section}.{key}".strip(".")
        if key not in body:
            raise self._error(f"{dotted} is missing")
        value = body[key]
        if isinstance(value, bool) or not isinstance(value, kind):
            raise self._error(f"{dotted} is {value!r}, which has the wrong type")
        return value

    def _error(self, what: str) -> MarchError:
        return MarchError(f"march file {self._path.name}: {what}")
