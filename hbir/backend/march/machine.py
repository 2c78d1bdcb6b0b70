"""The modelled machine: its engines, memories and clock, with where each number is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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


class MarchError(HbirError):
    """A march that doesn't exist, or a march file that can't be read."""


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
