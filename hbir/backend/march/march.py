"""Marches: the names users write, and the machine that a march file describes.

A march is a TOML file beside this module (or anywhere: `--march` takes a path too). Every number
in it is a table `{value, origin, source}`, where origin says how far to trust it: `published`
(a document says so), `fitted` (solved from measurements) or `assumed` (our choice). A file may
`extend` another march and give only what differs.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, cast

from typing_extensions import override

from hbir.errors import HbirError

ENGINES = ("LOAD", "STORE", "TAE", "VAE", "AAE", "TRANS", "VPU", "SPU")
"""Every engine a core may have, in the order of their queues. LOAD and STORE always exist."""

DEFAULT_ENGINES: dict[str, str] = {
    "load": "LOAD",
    "store": "STORE",
    "conv2d": "TAE",
    "matmul": "TAE",
    "add": "VAE",
    "mul": "VAE",
    "max": "VAE",
    "min": "VAE",
    "rescale": "VAE",
    "lut": "VAE",
    "prelu": "VAE",
    "softmax": "VAE",
    "layernorm": "VAE",
    "max_pool": "AAE",
    "avg_pool": "AAE",
    "reduce_mean": "AAE",
    "reduce_sum": "AAE",
    "reduce_max": "AAE",
    "reduce_min": "AAE",
    "compare": "VAE",
    "where": "VAE",
    "tile": "TRANS",
    "resize2d": "AAE",
    "grid_sample": "AAE",
    "roi_resize": "LOAD",
    "reduce_argmax": "AAE",
    "reduce_argmin": "AAE",
    "index": "TRANS",
    "gather_elements": "TRANS",
    "topk": "SPU",
    "permute": "TRANS",
    "copy": "TRANS",
    "fill": "TRANS",
    "quantize": "VPU",
    "dequantize": "VPU",
}
"""Opcode → engine where a march's `[opcodes]` table says nothing else."""

FLOAT16_OPCODES = (
    "float_add",
    "float_sub",
    "float_mul",
    "float_compare",
    "float_prelu",
    "float_softmax",
    "float_layernorm",
    "float_reduce_sum",
    "float_reduce_mean",
    "float_reduce_max",
    "float_reduce_min",
    "float_max_pool",
    "float_avg_pool",
    "float_resize2d",
    "float_grid_sample",
)
"""Opcodes of the vector engine of marches that have float16: published is that E/M have no float
there and P/H and B do, and of no other engine that it has."""

FLOAT16_ENGINE = "VAE"

ORIGINS = ("published", "fitted", "assumed")


class MarchError(HbirError):
    """A march that doesn't exist, or a march file that can't be read."""


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


@dataclass(frozen=True)
class Provenance:
    """How far a number can be trusted: `published`, `fitted` or `assumed`, and on what it rests."""

    origin: str
    source: str


@dataclass(frozen=True)
class TensorEngine:
    """The matrix engine: one pass computes `unroll_h·unroll_w·unroll_cin·unroll_cout` MACs.

    Each extent is padded to its unroll. Groups share passes: one takes
    `unroll_cout // cout_per_group` groups, at least one, each with its own input channels.
    """

    unroll_h: int
    unroll_w: int
    unroll_cin: int
    unroll_cout: int
    passes_int8_int8: float
    """Cycles per pass, int8 feature × int8 weight; the others likewise (feature first)."""
    passes_int16_int8: float
    passes_int8_int16: float
    passes_int16_int16: float
    startup_cycles: int

    @property
    def macs_per_pass(self) -> int:
        """Multiply-accumulates of one pass with every lane filled."""
        return self.unroll_h * self.unroll_w * self.unroll_cin * self.unroll_cout


@dataclass(frozen=True)
class VectorEngine:
    """An engine that works through bytes: `bytes_per_cycle` of operand type per pass."""

    bytes_per_cycle: float
    startup_cycles: int
    float16_bytes_per_cycle: float = 0.0
    """The same for float16; 0 where the engine has none."""


@dataclass(frozen=True)
class Memory:
    """On-chip memories of one core, in bytes. `channel_align_bytes`: C is padded to it on chip."""

    l1_bytes: int
    l2_bytes: int
    l2_bytes_per_cycle: int
    """What one core's LOAD or STORE moves between L1 and L2; 0 where there is no L2."""
    channel_align_bytes: int
    base_align_bytes: int


@dataclass(frozen=True)
class Ddr:
    """The DDR that all cores' LOAD and STORE share."""

    bandwidth_gb_per_s: float
    core_bandwidth_gb_per_s: float
    """What the transfers of one core can draw."""
    burst_bytes: int
    """A contiguous run costs whole bursts."""
    transfer_latency_cycles: int
    """Fixed cost of one LOAD or STORE instruction."""
    io_stride_bytes: int
    min_tensor_bytes: int


@dataclass(frozen=True)
class Machine:
    """A march as the backend sees it. Times are cycles of `clock_ghz`, sizes bytes."""

    name: str
    description: str
    fitted_with: str
    """The compiler version that the fitted numbers were made with: they hold for its schedules."""
    cores: int
    clock_ghz: float
    launch_overhead_us: float
    """What the host adds to a frame's latency; frames in flight hide it from the rate."""
    launch_gb_per_s: float
    """What the host hands a frame's inputs and outputs over at, besides."""
    call_overhead_us: float
    """What starting a function call costs the cores, however busy they are kept."""
    tae: TensorEngine
    vector: Mapping[str, VectorEngine]
    """VAE, AAE, TRANS, VPU, SPU: those that exist."""
    memory: Memory
    ddr: Ddr
    exclusive: tuple[frozenset[str], ...]
    """Sets of engines of a core of which one runs at a time."""
    engines: tuple[str, ...]
    opcode_engines: Mapping[str, str]
    provenance: Mapping[str, Provenance] = field(default_factory=dict[str, Provenance])
    """`section.key` → where the number comes from."""

    @override
    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def identity(self) -> str:
        """All that it is as text, the same in every process, though sets have no order."""
        return repr((replace(self, exclusive=()), [sorted(e) for e in self.exclusive]))

    @property
    def ddr_bytes_per_cycle(self) -> float:
        """DDR bytes per clock cycle of the BPU that a core can draw when it is alone."""
        return self.ddr.core_bandwidth_gb_per_s / self.clock_ghz

    @property
    def has_float16(self) -> bool:
        """Whether it computes in float16."""
        engine = self.vector.get(FLOAT16_ENGINE)
        return engine is not None and engine.float16_bytes_per_cycle > 0

    def engine_of(self, opcode: str) -> str:
        """The engine that runs an opcode. Raises MarchError when this march has none for it."""
        engine = self.opcode_engines.get(opcode)
        if engine is None:
            raise MarchError(f"march {self.name} has no engine for {opcode}")
        return engine

    def launch_us(self, io_bytes: int) -> float:
        """What the host adds to the latency of a frame with `io_bytes` of inputs and outputs."""
        return self.launch_overhead_us + io_bytes / (self.launch_gb_per_s * 1e3)

    def microseconds(self, cycles: float) -> float:
        """Cycles of this march as microseconds."""
        return cycles / (self.clock_ghz * 1000.0)


def load_march(march: March | str | os.PathLike[str]) -> Machine:
    """The machine of a march name, a member of `March`, or the path of a march file (`.toml`).

    Raises MarchError for an unknown name, a missing file, or a file with a missing, unknown or
    badly marked number.
    """
    if isinstance(march, March):
        return _load_file(_file_of(march.value))
    text = os.fspath(march)
    if text.endswith(".toml"):
        return _load_file(Path(text).absolute())
    return _load_file(_file_of(March.get(text).value))


def forget_marches() -> None:
    """Read march files anew when they are asked for again: they were changed."""
    _load_file.cache_clear()


def _file_of(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.toml")


def _unknown_march(name: str) -> str:
    names = [member.value for member in March]
    close = difflib.get_close_matches(name.lower().replace("_", "-"), names, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return (
        f"march {name!r} is unknown{hint}; use one of {', '.join(names)}, or a path ending in .toml"
    )


@lru_cache(maxsize=64)
def _load_file(path: Path) -> Machine:
    tables, provenance = _read(path, ())
    reader = _Reader(path, tables, provenance)
    machine = reader.machine()
    reader.refuse_unknown()
    return machine


def _read(
    path: Path, seen: tuple[Path, ...]
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
        base_path = (
            path.parent / base
            if str(base).endswith(".toml")
            else _file_of(March.get(str(base)).value)
        )
        tables, provenance = _read(base_path, (*seen, path))
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
