"""From a quantized module to a `.hbm`: the schedule pipeline, code generation, the writer.

`schedule_module` writes every decision into the IR; `build_program` only reads them. Compiling at
O2 tries the schedules of all three levels and keeps the one that the timeline finds fastest.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.backend.codegen.tensors import Constant
from hbir.backend.isa.program import Program
from hbir.backend.layer import Layer
from hbir.backend.march import Machine, load_march
from hbir.backend.plan.network import whole_cycles
from hbir.backend.tiling import choose_tiling, estimate
from hbir.backend.timeline import Timeline, play
from hbir.compiler.build import build_program
from hbir.compiler.cache import cached_file, copy_cached
from hbir.compiler.options import CompileOptions, compile_options
from hbir.dialects.layers import COPY, body_ops, layer_of
from hbir.errors import HbirError
from hbir.ir.origin import name_of
from hbir.ir.types import F16, element_of
from hbir.module import Module
from hbir.passes.manager import PassListener, PassManager
from hbir.passes.schedule.allocate_onchip import AllocateOnchipPass
from hbir.passes.schedule.allocate_workspace import AllocateWorkspacePass
from hbir.passes.schedule.group_layers import GroupLayersPass
from hbir.passes.schedule.partition_segments import PartitionSegmentsPass
from hbir.passes.schedule.split_calls import SplitCallsPass
from hbir.passes.schedule.tile_layers import TileLayersPass
from hbir.passes.verify.verify_scheduled import VerifyScheduledPass

if TYPE_CHECKING:
    from hbir.backend.march import March
    from hbir.hbm import Hbm

__all__ = [
    "ScheduleOptions",
    "best_schedule",
    "build_program",
    "compile_module",
    "compile_program",
    "predicted_cycles",
    "schedule_module",
    "schedule_passes",
]

OPTIMIZATION_LEVELS = (0, 1, 2)


@dataclass(frozen=True)
class ScheduleOptions:
    """What shapes one schedule. opt as in `compile`; cores: that share each layer; call_cycles:
    most cycles of a function call, 0 for no limit; l2_bytes: L2 to be used; patient: tensors wait
    on chip however long, so that the fewest bytes move."""

    opt: int = 2
    cores: int = 1
    call_cycles: int = 0
    l2_bytes: int = 0
    patient: bool = False


def schedule_passes(march: str | None, options: ScheduleOptions) -> list[ModulePass]:
    """The schedule passes, in order. march: None for the module's own."""
    tiles: list[ModulePass] = [
        TileLayersPass(march, options.opt, options.cores),
        AllocateOnchipPass(march),
    ]
    grouped = options.opt >= 2 and options.cores == 1
    return [
        PartitionSegmentsPass(),
        SplitCallsPass(march, options.call_cycles),
        *([GroupLayersPass(march, options.patient)] if grouped else tiles),
        AllocateWorkspacePass(march, options.l2_bytes),
        VerifyScheduledPass(march),
    ]


def schedule_module(
    module: Module,
    march: March | str | None = None,
    opt: int = 2,
    *,
    listeners: Sequence[PassListener] = (),
) -> Module:
    """The scheduled module; a new one. march: default, the one that `module` was converted for.

    opt: 0 no search, 1 a search per layer, 2 prefetch across layers too.
    Raises HbirError for a module that isn't quantized, and for a layer that no tiling fits.
    """
    name = _checked(module, march, opt)
    result = module.clone()
    _run_schedule(result, name, ScheduleOptions(opt), listeners)
    return result


def _checked(module: Module, march: March | str | None, opt: int) -> str:
    """The march's name or path. Raises HbirError for what can't be scheduled so."""
    if opt not in OPTIMIZATION_LEVELS:
        raise HbirError(f"opt is {opt!r}; optimization levels are 0, 1 and 2")
    if module.level not in ("quantized", "scheduled"):
        raise HbirError(f"a module of level {module.level} can't be scheduled; convert it first")
    if march is None and module.march is None:
        raise HbirError("the module says no march; convert it for one, or give march")
    name = os.fspath(march) if march is not None else str(module.march)
    machine = load_march(name)
    if not machine.has_float16 and module.march is not None and module.march.value != machine.name:
        _expect_no_float16(module, machine)
    return name


def _expect_no_float16(module: Module, machine: Machine) -> None:
    """What was converted for a march that has float16 may need it. Raises HbirError."""
    for op in module.op.walk():
        for result in op.results:
            if isinstance(result.type, TensorType) and element_of(result) == F16:
                raise HbirError(
                    f'tensor "{name_of(result, op.name)}" is float16, which {machine.name} doesn\'t'
                    f" have: the module was converted for {module.march}; convert it for"
                    f" {machine.name}"
                )


def _run_schedule(
    module: Module,
    march: str,
    options: ScheduleOptions,
    listeners: Sequence[PassListener] = (),
) -> None:
    """Write the schedule of a level into `module`, over one that may be there.

    The passes only write attributes, which verify-scheduled checks; the ops need no second look.
    """
    manager = PassManager(schedule_passes(march, options), listeners=listeners, verify=False)
    manager.run(module.context, module.op)


def compile_module(
    module: Module,
    path: str | os.PathLike[str],
    march: March | str | None = None,
    opt: int = 2,
    *,
    listeners: Sequence[PassListener] = (),
    desc: str = "",
    **options: Any,
) -> Hbm:
    """Compile a quantized (or an already scheduled) module into `path`, and open it.

    options: those of `CompileOptions`. The file appears whole or not at all. Raises HbirError as
    `schedule_module` does, for a path that doesn't end in .hbm, and for a wrong option.
    """
    from hbir.hbm import Hbm
    from hbir.hbm.hbm import SUFFIX
    from hbir.hbm.writer import write_program

    file = os.fspath(path)
    machine = load_march(_checked(module, march, opt))
    checked = compile_options(options, machine)
    if not file.endswith(SUFFIX):
        raise HbirError(f"{path}: a compiled model's file must end with {SUFFIX}")
    kept = cached_file(module, machine, opt, desc, checked)
    if copy_cached(kept, file, checked):
        return Hbm(path)
    program = compile_program(module, march, opt, listeners=listeners, desc=desc, **options)
    write_program(program, path)
    if kept is not None:
        write_program(program, kept)
    return Hbm(path)


def compile_program(
    module: Module,
    march: March | str | None = None,
    opt: int = 2,
    *,
    listeners: Sequence[PassListener] = (),
    desc: str = "",
    **options: Any,
) -> Program:
    """The program of a quantized or scheduled module, in memory."""
    name = _checked(module, march, opt)
    machine = load_march(name)
    checked = compile_options(options, machine)
    if module.level == "scheduled":
        return build_program(
            module, machine, opt, desc, options=checked.changed(), dense=checked.dense_ports
        )
    return _Search(module.clone(), name, machine, checked, listeners).run(opt, desc).program


def best_schedule(
    module: Module, march: March | str | None = None, opt: int = 2, **options: Any
) -> Module:
    """The schedule that `compile_program` chooses, as a scheduled module."""
    name = _checked(module, march, opt)
    machine = load_march(name)
    if module.level == "scheduled":
        return module
    result = module.clone()
    search = _Search(result, name, machine, compile_options(options, machine), ())
    _run_schedule(result, name, search.run(opt, "").options)
    return result


@dataclass(frozen=True)
class _Candidate:
    """A schedule's program and what the timeline says of it."""

    options: ScheduleOptions
    program: Program
    cycles: float
    ddr_bytes: int


class _Search:
    """Tries schedules of one module and keeps the best by the timeline."""

    def __init__(
        self,
        module: Module,
        march: str,
        machine: Machine,
        options: CompileOptions,
        listeners: Sequence[PassListener],
    ) -> None:
        self.module, self.march, self.machine = module, march, machine
        self.options = options
        self.listeners = listeners
        self.constants: dict[SSAValue, Constant] = {}
        l2 = machine.memory.l2_bytes
        self.l2_bytes = l2 if options.l2_bytes is None else min(options.l2_bytes, l2)

    def run(self, opt: int, desc: str) -> _Candidate:
        """The best of a level. Lower levels, and what else there is to try, only where
        they could be better."""
        candidates: list[_Candidate] = []
        for tried in self._to_try(opt):
            if candidates and not self._promising(tried, opt, candidates):
                continue
            candidates.append(self._candidate(tried, opt, desc))
        least_cycles = max(1.0, min(c.cycles for c in candidates))
        least_bytes = max(1, min(c.ddr_bytes for c in candidates))
        share = self.options.balance / 100

        def cost(candidate: _Candidate) -> tuple[float, float]:
            cycles, moved = candidate.cycles / least_cycles, candidate.ddr_bytes / least_bytes
            return share * cycles + (1 - share) * moved, cycles

        return min(candidates, key=cost)

    def _to_try(self, opt: int) -> list[ScheduleOptions]:
        cores = self.options.core_num
        first = [ScheduleOptions(opt, l2_bytes=self.l2_bytes)]
        if opt >= 2 and self.options.balance < 100:
            first.append(ScheduleOptions(opt, l2_bytes=self.l2_bytes, patient=True))
        if cores > 1:
            first.append(ScheduleOptions(min(opt, 1), cores, l2_bytes=self.l2_bytes))
        lower = [ScheduleOptions(level, l2_bytes=self.l2_bytes) for level in range(opt - 1, -1, -1)]
        return first + lower

    def _promising(
        self, tried: ScheduleOptions, opt: int, candidates: Sequence[_Candidate]
    ) -> bool:
        """Whether a schedule could be better than those that there are."""
        if tried.cores > 1 or tried.opt == opt:
            return True
        layers = _layers(self.module)
        moved = least_bytes_apart(layers)
        rate = self.machine.ddr_bytes_per_cycle
        if any(c.cycles <= moved / rate and c.ddr_bytes <= moved for c in candidates):
            return False
        cycles = least_cycles_apart(layers, self.machine)
        if any(c.cycles <= cycles and c.ddr_bytes <= moved for c in candidates):
            return False
        return _worth(self.module, self.machine, tried.opt)

    def _candidate(self, tried: ScheduleOptions, opt: int, desc: str) -> _Candidate:
        """Schedule and build; with a limit on function calls, until the timeline keeps it."""
        limit = self.options.max_time_per_fc * self.machine.clock_ghz * 1000.0
        call_cycles = int(limit)
        while True:
            options = replace(tried, call_cycles=call_cycles)
            _run_schedule(self.module, self.march, options, self.listeners)
            program = build_program(
                self.module,
                self.machine,
                opt,
                desc,
                self.constants,
                self.options.changed(),
                self.options.core_num,
                self.options.dense_ports,
            )
            played = [play(self.machine, program, graph) for graph in program.graphs]
            longest = max((_longest_call(timeline) for timeline in played), default=0.0)
            if not limit or longest <= limit or call_cycles <= 1:
                break
            call_cycles = max(1, min(int(call_cycles * 0.9 * limit / longest), call_cycles // 2))
        return _Candidate(
            options,
            program,
            sum(timeline.cycles for timeline in played),
            sum(int(timeline.instructions["ddr_bytes"].sum()) for timeline in played),
        )


def _longest_call(timeline: Timeline) -> float:
    """Cycles of the function call that takes longest."""
    rows, starts = timeline.instructions, timeline.call_starts
    if not len(starts):
        return 0.0
    ends = np.maximum.reduceat(rows["end"], starts)
    return float(np.max(ends - np.minimum.reduceat(rows["start"], starts)))


PARTIAL_READERS = ("slice", "index", "gather_elements", "grid_sample")
"""Layers that needn't read all of their operands."""

BOUND_TOLERANCE = 1.15
"""How far the steady-state bound and the timeline may lie apart, with a margin: tests hold the two
within 10 % of each other."""


def _layers(module: Module) -> list[Layer]:
    return [
        layer_of(body_op.op)
        for function in module.functions
        for body_op in body_ops(function.op)
        if body_op.is_layer and body_op.op.name != COPY
    ]


def least_bytes_apart(layers: Sequence[Layer]) -> int:
    """DDR bytes of layers that take their operands from DDR and store their results there, as
    those of O0 and O1 do."""
    total = 0
    for layer in layers:
        read = sum(spec.byte_size for i, spec in enumerate(layer.inputs) if i not in layer.external)
        if layer.kind in PARTIAL_READERS:
            read = min(read, layer.output.byte_size)
        total += read + layer.output.byte_size
    return total


def least_cycles_apart(layers: Sequence[Layer], machine: Machine) -> float:
    """Cycles that such layers can't do without, one after the other."""
    return sum(
        max(whole_cycles(machine, layer), least_bytes_apart((layer,)) / machine.ddr_bytes_per_cycle)
        for layer in layers
    )


def _worth(module: Module, machine: Machine, level: int) -> bool:
    """Whether a level's bound isn't beyond what the timeline could make up for."""
    bounds = [
        sum(
            estimate(machine, layer, choose_tiling(machine, layer, tried)).cycles
            for layer in _layers(module)
        )
        for tried in (level, 1)
    ]
    return bounds[0] <= BOUND_TOLERANCE * bounds[1]


def predicted_cycles(machine: Machine, program: Program) -> float:
    """The cycles that all graphs take, by the timeline."""
    return sum(play(machine, program, graph).cycles for graph in program.graphs)
