"""Cycles of instructions: the one function that the tiling search and the timeline share.

Everything works on arrays: the search evaluates all candidate tiles of a layer at once, the
timeline all instructions of one opcode at once. Formulas are padded-unroll counts with the numbers
of the march file; which of those are assumed is marked there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hbir.backend.march import FLOAT16_OPCODES, Machine
from hbir.errors import HbirError

Cycles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64] | int

POOLS = frozenset({"max_pool", "avg_pool", "float_max_pool", "float_avg_pool"})
SAMPLERS = frozenset({"resize2d", "grid_sample", "float_resize2d", "float_grid_sample"})
"""Opcodes whose work is output elements times taps; for the others it is the larger of input and
output."""

VECTOR_PASSES: dict[str, float] = {
    "add": 2.0,
    "mul": 2.0,
    "max": 2.0,
    "min": 2.0,
    "prelu": 2.0,
    "softmax": 3.0,
    "layernorm": 16.0,
    "float_add": 2.0,
    "float_sub": 2.0,
    "float_mul": 2.0,
    "float_compare": 2.0,
    "float_prelu": 2.0,
    "float_softmax": 3.0,
    "float_layernorm": 8.0,
    "topk": 4.0,
}
"""Passes over the data where it isn't one: what reads two operands takes two. Softmax takes its
maximum, then the exponentials and their sum, then divides; YOLO12 on all three boards asks for it.
Layer norm is what a public S100 log says of it: mean, subtract, square, mean, times the reciprocal
root, times the scale plus the offset; eight passes, most of them in int16, which count twice. Top-k
keeps a heap, whose depth is assumed to be about four comparisons per element."""

BILINEAR_TAPS = 4


@dataclass(frozen=True)
class Work:
    """What instructions of one opcode do. Fields are integers or arrays that broadcast together.

    elements: with the last axis padded to the machine's `channel_align_bytes`; see
    `padded_elements`. taps: window elements per output of a pool or resize.
    """

    output_elements: Counts = 0
    input_elements: Counts = 0
    output_itemsize: Counts = 1
    input_itemsize: Counts = 1
    taps: Counts = 1


@dataclass(frozen=True)
class ConvWork:
    """What convolution instructions do: output N, H, W, Cout and weights KH, KW, Cin per group."""

    n: Counts
    h: Counts
    w: Counts
    cout: Counts
    kernel_h: Counts
    kernel_w: Counts
    cin_per_group: Counts
    groups: Counts = 1
    input_itemsize: Counts = 1
    weight_itemsize: Counts = 1


@dataclass(frozen=True)
class MatmulWork:
    """What matmul instructions do: (batch, M, K) by (batch, N, K). rows: M, and one more where the
    left side's zero point asks for the sums of the right side's rows."""

    batch: Counts
    rows: Counts
    columns: Counts
    terms: Counts
    lhs_itemsize: Counts = 1
    rhs_itemsize: Counts = 1


def matmul_cycles(machine: Machine, work: MatmulWork) -> Cycles:
    """Cycles of matrix products of activations: a 1x1 convolution per batch element.

    Its rows fill W, and H stays a single row, padded like any other: YOLO12's and SigLIP's rates on
    S100 and S100P can't be reached otherwise (a linear layer's tokens lie along W too). The batch
    is N.
    """
    tae = machine.tae
    passes = (
        np.asarray(work.batch)
        * ceil_div(work.rows, tae.unroll_w)
        * ceil_div(work.columns, tae.unroll_cout)
        * ceil_div(work.terms, tae.unroll_cin)
    )
    rate = cycles_per_pass(machine, work.lhs_itemsize, work.rhs_itemsize)
    return np.asarray(passes * rate + float(tae.startup_cycles), np.float64)


def conv_cycles(machine: Machine, work: ConvWork) -> Cycles:
    """Cycles of convolutions: every extent padded to its unroll, once per kernel position."""
    groups = np.asarray(work.groups)
    passes = (
        np.asarray(work.n)
        * ceil_div(work.h, machine.tae.unroll_h)
        * ceil_div(work.w, machine.tae.unroll_w)
        * output_channel_passes(machine, work.cout, work.cin_per_group, groups)
        * ceil_div(work.cin_per_group, machine.tae.unroll_cin)
        * np.asarray(work.kernel_h)
        * np.asarray(work.kernel_w)
    )
    rate = cycles_per_pass(machine, work.input_itemsize, work.weight_itemsize)
    return np.asarray(passes * rate + float(machine.tae.startup_cycles), np.float64)


def output_channel_passes(
    machine: Machine, cout: Counts, cin_per_group: Counts, groups: Counts
) -> Counts:
    """Passes over the output channels of `groups` groups, `cout` in all.

    A pass takes as many groups as its output channels hold, each of which reads the inputs of its
    own group, padded to the unroll: depthwise convolutions lose the Cin unroll, no more.
    (MobileNetV2 and EfficientNet-Lite on S100 leave no time for packing by the Cin unroll too.)
    """
    del cin_per_group
    unroll = machine.tae.unroll_cout
    per_group = np.maximum(1, np.asarray(cout) // groups)
    packed = np.maximum(1, unroll // per_group)
    return ceil_div(groups, packed) * ceil_div(per_group, unroll)


def cycles_per_pass(machine: Machine, input_itemsize: Counts, weight_itemsize: Counts) -> Cycles:
    """Cycles of one pass by the element sizes of feature and weight."""
    tae = machine.tae
    wide_input, wide_weight = np.asarray(input_itemsize) > 1, np.asarray(weight_itemsize) > 1
    narrow = np.where(wide_input, tae.passes_int16_int8, tae.passes_int8_int8)
    wide = np.where(wide_input, tae.passes_int16_int16, tae.passes_int8_int16)
    return np.where(wide_weight, wide, narrow).astype(np.float64)


def vector_cycles(machine: Machine, opcode: str, work: Work) -> Cycles:
    """Cycles of everything that is neither a convolution nor a transfer, on its engine.

    Raises HbirError when the machine has no engine for the opcode.
    """
    engine = machine.vector.get(machine.engine_of(opcode))
    if engine is None:
        raise HbirError(f"march {machine.name}: {opcode} is not the work of a vector engine")
    output_bytes = np.asarray(work.output_elements) * np.asarray(work.output_itemsize)
    input_bytes = np.asarray(work.input_elements) * np.asarray(work.input_itemsize)
    if opcode in POOLS | SAMPLERS:
        touched = output_bytes * np.asarray(work.taps)
    else:
        touched = np.maximum(output_bytes, input_bytes)
    is_float = opcode in FLOAT16_OPCODES
    rate = engine.float16_bytes_per_cycle if is_float else engine.bytes_per_cycle
    beats = np.ceil(touched / rate)
    return beats * VECTOR_PASSES.get(opcode, 1.0) + float(engine.startup_cycles)


def resizer_bytes(
    machine: Machine, rows: Counts, columns: Counts, channels: Counts
) -> npt.NDArray[np.int64]:
    """DDR bytes that the resizer reads for a result: those of a roi as large as it is (assumed:
    each run gives its own). Of three channels two are interleaved in half as many rows."""
    chroma = np.where(np.asarray(channels) > 1, ceil_div(rows, 2), 0)
    return burst_bytes(machine, rows + chroma, columns)


def resizer_fixed_cycles(machine: Machine, result_bytes: Counts) -> Cycles:
    """Cycles of the resizer beside those in which the DDR's bytes move: a transfer's latency, and
    four taps per element at the rate of the engine that pools and resizes (assumed; none is
    published)."""
    engine = machine.vector["AAE"]
    filtered = np.ceil(np.asarray(result_bytes) * BILINEAR_TAPS / engine.bytes_per_cycle)
    return filtered + float(machine.ddr.transfer_latency_cycles)


def burst_bytes(machine: Machine, runs: Counts, run_bytes: Counts) -> npt.NDArray[np.int64]:
    """DDR bytes of `runs` contiguous runs of `run_bytes` each: whole bursts."""
    burst = machine.ddr.burst_bytes
    return np.asarray(runs) * (ceil_div(run_bytes, burst) * burst)


def transfer_cycles(machine: Machine, runs: Counts, run_bytes: Counts) -> Cycles:
    """Cycles of LOADs and STOREs that have the DDR to themselves."""
    moved = burst_bytes(machine, runs, run_bytes)
    return moved / machine.ddr_bytes_per_cycle + float(machine.ddr.transfer_latency_cycles)


def padded_elements(machine: Machine, shape: npt.NDArray[np.int64], itemsize: int) -> Counts:
    """Elements of on-chip tensors of `shape` (..., rank), the last axis padded to the lanes."""
    if shape.shape[-1] == 0:
        return np.ones(shape.shape[:-1], np.int64)
    lanes = max(1, machine.memory.channel_align_bytes // itemsize)
    return np.prod(shape[..., :-1], axis=-1) * (ceil_div(shape[..., -1], lanes) * lanes)


def ceil_div(value: Counts, divisor: Counts) -> npt.NDArray[np.int64]:
    """⌈value / divisor⌉, element-wise."""
    return -(-np.asarray(value) // np.asarray(divisor))
