"""From a quantized module to a `.hbm`: the schedule pipeline, code generation, the writer.

`schedule_module` writes every decision into the IR; `build_program` only reads them. Compiling at
O2 tries the schedules of all three levels and keeps the one that the timeline finds fastest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.backend.codegen.tensors import Constant
from hbir.backend.isa.program import Program
from hbir.backend.layer import Layer
from hbir.backend.march import Machine, load_march
from hbir.backend.plan.network import whole_cycles
from hbir.backend.tiling import choose_tiling, estimate
from hbir.compiler.build import build_program
from hbir.dialects.layers import COPY, body_ops, layer_of
from hbir.errors import HbirError
from hbir.module import Module
from hbir.passes.manager import PassListener, PassManager
from hbir.passes.schedule.allocate_onchip import AllocateOnchipPass
from hbir.passes.schedule.allocate_workspace import AllocateWorkspacePass
from hbir.passes.schedule.group_layers import GroupLayersPass
from hbir.passes.schedule.partition_segments import PartitionSegmentsPass
from hbir.passes.schedule.tile_layers import TileLayersPass
from hbir.passes.verify.verify_scheduled import VerifyScheduledPass

if TYPE_CHECKING:
    from hbir.backend.march import March
    from hbir.hbm import Hbm

__all__ = [
    "build_program",
    "compile_module",
    "compile_program",
    "predicted_cycles",
    "schedule_module",
]

OPTIMIZATION_LEVELS = (0, 1, 2)

NEUTRAL_OPTIONS = (
    "jobs",
    "debug",
    "progress_bar",
    "advice",
    "input_no_padding",
    "output_no_padding",
)
"""Published options of `compile` that are taken and change nothing: one thread is enough, the debug
table is always there, and inputs and outputs lie dense."""

LATER_OPTIONS: dict[str, Any] = {
    "max_time_per_fc": 0.0,
    "balance": 100,
    "cache_mode": "disable",
    "cache_path": "",
    "max_l2m_size": 0,
    "core_num": 1,
}
"""Published options of `compile` of which only this value, the default, is supported yet."""


def schedule_passes(march: str | None, opt: int) -> list[ModulePass]:
    """The schedule passes, in order. march: None for the module's own."""
    tiles: list[ModulePass] = [TileLayersPass(march, opt), AllocateOnchipPass(march)]
    return [
        PartitionSegmentsPass(),
        *([GroupLayersPass(march)] if opt >= 2 else tiles),
        AllocateWorkspacePass(march),
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
    _run_schedule(result, name, opt, listeners)
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
    load_march(name)
    return name


def _run_schedule(
    module: Module, march: str, opt: int, listeners: Sequence[PassListener] = ()
) -> None:
    """Write the schedule of a level into `module`, over one that may be there.

    The passes only write attributes, which verify-scheduled checks; the ops need no second look.
    """
    manager = PassManager(schedule_passes(march, opt), listeners=listeners, verify=False)
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

    options: those of the published `compile`; see NEUTRAL_OPTIONS and LATER_OPTIONS. The file
    appears whole or not at all. Raises HbirError as `schedule_module` does, for a path that doesn't
    end in .hbm, and for an option that isn't there (yet).
    """
    from hbir.hbm import Hbm
    from hbir.hbm.hbm import SUFFIX
    from hbir.hbm.writer import write_program

    _check_options(options)
    if not os.fspath(path).endswith(SUFFIX):
        raise HbirError(f"{path}: a compiled model's file must end with {SUFFIX}")
    write_program(compile_program(module, march, opt, listeners=listeners, desc=desc), path)
    return Hbm(path)


def _check_options(options: Mapping[str, Any]) -> None:
    known = (*NEUTRAL_OPTIONS, *LATER_OPTIONS)
    for name, value in options.items():
        if name not in known:
            raise HbirError(f"compile has no option {name!r}; it takes {', '.join(sorted(known))}")
        if name in LATER_OPTIONS and value != LATER_OPTIONS[name]:
            raise HbirError(
                f"compile option {name} = {value!r} is not supported yet, only"
                f" {LATER_OPTIONS[name]!r}; leave it out"
            )


def compile_program(
    module: Module,
    march: March | str | None = None,
    opt: int = 2,
    *,
    listeners: Sequence[PassListener] = (),
    desc: str = "",
) -> Program:
    """The program of a quantized or scheduled module, in memory."""
    name = _checked(module, march, opt)
    machine = load_march(name)
    if module.level == "scheduled":
        return build_program(module, machine, opt, desc)
    scheduled = module.clone()
    best: tuple[float, Program] | None = None
    constants: dict[SSAValue, Constant] = {}
    for level in range(opt, -1, -1):
        if best is not None and best[0] <= least_cycles_apart(scheduled, machine):
            break  # no schedule of the levels below can be faster
        if best is not None and not _promising(scheduled, machine, level, opt):
            continue
        _run_schedule(scheduled, name, level, listeners)
        program = build_program(scheduled, machine, opt, desc, constants)
        cycles = predicted_cycles(machine, program) if opt else 0.0
        if best is None or cycles < best[0]:
            best = (cycles, program)
    assert best is not None
    return best[1]


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


def least_cycles_apart(module: Module, machine: Machine) -> float:
    """Cycles that layers can't do without which take their operands from DDR and store their
    results there, as those of O0 and O1 do."""
    total = 0.0
    for layer in _layers(module):
        moved = sum(spec.byte_size for spec in layer.inputs) + layer.output.byte_size
        total += max(whole_cycles(machine, layer), moved / machine.ddr_bytes_per_cycle)
    return total


def _promising(module: Module, machine: Machine, level: int, opt: int) -> bool:
    """Whether a level's bound isn't beyond what the timeline could make up for."""
    layers = _layers(module)
    bounds = [
        sum(
            estimate(machine, layer, choose_tiling(machine, layer, tried)).cycles
            for layer in layers
        )
        for tried in (level, min(opt, 1))
    ]
    return bounds[0] <= BOUND_TOLERANCE * min(bounds)


def predicted_cycles(machine: Machine, program: Program) -> float:
    """The cycles that all graphs take, by the timeline."""
    from hbir.backend.timeline import play

    return sum(play(machine, program, graph).cycles for graph in program.graphs)
