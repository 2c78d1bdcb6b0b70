"""From a quantized module to a `.hbm`: the schedule pipeline, code generation, the writer.

`schedule_module` writes every decision into the IR; `build_program` only reads them. Compiling at
O2 tries the schedules of all three levels and keeps the one that the timeline finds fastest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.codegen.emit_layer import Placement, ScheduledLayer
from hbir.backend.codegen.graph import CpuStep, GraphEmitter, Step
from hbir.backend.codegen.tensors import Constant, DdrBuffer, DdrTensor, Source
from hbir.backend.isa.builder import GraphBuilder, ProgramBuilder
from hbir.backend.isa.enums import DType, Space
from hbir.backend.isa.program import Program, Tensor
from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine, load_march
from hbir.backend.tiling import areas, choose_tiling, estimate, place_areas
from hbir.dialects.layers import (
    CONSTANT,
    VIEW,
    allocs_of,
    body_ops,
    layer_of,
    onchip_of,
    tiling_of,
    view_source,
)
from hbir.errors import HbirError
from hbir.ir.function import body_of, input_names, output_names, return_of
from hbir.ir.origin import name_of, origin_of, origin_of_op
from hbir.ir.types import byte_size, dtype_of, shape_of
from hbir.ir.verify import describe_op
from hbir.ir.weights import WeightStore
from hbir.module import Function, Module
from hbir.passes.manager import PassListener, PassManager
from hbir.passes.schedule.allocate_onchip import AllocateOnchipPass
from hbir.passes.schedule.allocate_workspace import AllocateWorkspacePass, output_roots
from hbir.passes.schedule.partition_segments import PartitionSegmentsPass
from hbir.passes.schedule.tile_layers import TileLayersPass
from hbir.passes.verify.verify_scheduled import VerifyScheduledPass
from hbir.runtime.interpreter import kernel_params

if TYPE_CHECKING:
    from hbir.backend.march import March
    from hbir.hbm import Hbm

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
    return [
        PartitionSegmentsPass(),
        TileLayersPass(march, opt),
        AllocateOnchipPass(march, opt),
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
    for level in _promising_levels(scheduled, machine, opt):
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


def _promising_levels(module: Module, machine: Machine, opt: int) -> list[int]:
    """`opt`, and the levels below whose bound isn't beyond what the timeline could make up for."""
    layers = [
        layer_of(body_op.op)
        for function in module.functions
        for body_op in body_ops(function.op)
        if body_op.is_layer
    ]
    bounds = {
        level: sum(
            estimate(machine, layer, choose_tiling(machine, layer, level)).cycles
            for layer in layers
        )
        for level in range(opt, -1, -1)
    }
    least = min(bounds.values())
    return [n for n, cycles in bounds.items() if n == opt or cycles <= BOUND_TOLERANCE * least]


def predicted_cycles(machine: Machine, program: Program) -> float:
    """The cycles that all graphs take, by the timeline."""
    from hbir.backend.timeline import play

    return sum(play(machine, program, graph).cycles for graph in program.graphs)


def build_program(
    module: Module,
    machine: Machine,
    opt: int = 2,
    desc: str = "",
    constants: dict[SSAValue, Constant] | None = None,
) -> Program:
    """The instructions of a scheduled module. Raises HbirError when a decision is missing.

    constants: filled with the constants met, so that building again needn't look them up.
    """
    from hbir import __version__

    information: dict[str, Any] = {"version": __version__, "options": {"opt": opt}}
    if desc:
        information["desc"] = desc
    program = ProgramBuilder(
        machine.name,
        cores=1,
        l1_bytes=machine.memory.l1_bytes,
        l2_bytes=machine.memory.l2_bytes,
        information=information,
    )
    for function in module.functions:
        _GraphCompiler(machine, program, function, module.weights, constants).run()
    return program.finish()


class _GraphCompiler:
    """Translates one scheduled function into the steps that code generation writes."""

    def __init__(
        self,
        machine: Machine,
        program: ProgramBuilder,
        function: Function,
        weights: WeightStore,
        constants: dict[SSAValue, Constant] | None,
    ) -> None:
        self.machine = machine
        self.program = program
        self.function: FuncOp = function.op
        self.weights = weights
        self.graph: GraphBuilder = program.graph(function.name, function.desc)
        self.buffers: dict[SSAValue, DdrBuffer] = {}
        self.arrays = {} if constants is None else constants
        self.workspace_bytes = 0
        self.outputs = output_roots(self.function)

    def run(self) -> None:
        self._interface()
        steps: list[Step] = []
        for body_op in body_ops(self.function):
            op = body_op.op
            if op.name == VIEW:
                continue
            self._results(op.results, body_op.op)
            steps.append(self._call(op) if body_op.is_call else self._layer(op))
        steps += self._copies()
        GraphEmitter(self.machine, self.program, self.graph).emit(steps)
        self.graph.workspace_bytes = self.workspace_bytes

    def _interface(self) -> None:
        arguments = body_of(self.function).args
        for name, value in zip(input_names(self.function), arguments, strict=True):
            port = self.graph.input(_port(name, value))
            size = max(1, byte_size(value))
            self.buffers[value] = DdrBuffer(Space.INPUT, 0, size, port)
        for name, value in zip(output_names(self.function), self._returned(), strict=True):
            self.graph.output(_port(name, value))

    def _returned(self) -> Sequence[SSAValue]:
        return return_of(self.function).operands

    def _results(self, results: Sequence[OpResult], op: Operation) -> None:
        for result, alloc in zip(results, allocs_of(op), strict=True):
            space = Space[alloc.space.data.name]
            start, size = alloc.offset.data, alloc.bytes.data
            if space is Space.WORKSPACE:
                self.workspace_bytes = max(self.workspace_bytes, start + size)
            port = self.outputs[result] if space is Space.OUTPUT else 0
            self.buffers[result] = DdrBuffer(space, start, size, port)

    def _tensor(self, value: SSAValue) -> DdrTensor:
        return DdrTensor(self.buffers[view_source(value)], shape_of(value), dtype_of(value))

    def _source(self, value: SSAValue) -> Source:
        root = view_source(value)
        if not (isinstance(root, OpResult) and root.op.name == CONSTANT):
            return self._tensor(value)
        if value not in self.arrays:
            array = self.weights.array(root.op.properties["values"])
            self.arrays[value] = Constant(array.reshape(shape_of(value)))
        return self.arrays[value]

    def _layer(self, op: Operation) -> ScheduledLayer:
        layer = layer_of(op)
        tiling = tiling_of(op, layer)
        needed = areas(self.machine, layer, tiling.tile, tiling.buffers)
        placed = onchip_of(op)
        if [area.size_bytes for area in needed] != [alloc.bytes.data for alloc in placed]:
            raise HbirError(f"{describe_op(op)}: onchip doesn't hold what its schedule needs")
        placements = tuple(
            Placement(area.operand, alloc.offset.data, area.bytes_per_buffer, area.buffers)
            for area, alloc in zip(needed, placed, strict=True)
        )
        return ScheduledLayer(
            layer,
            tiling,
            placements,
            tuple(self._source(value) for value in op.operands),
            self._tensor(op.results[0]),
            self._debug(op, layer),
        )

    def _call(self, op: Operation) -> CpuStep:
        params = kernel_params(op, self.weights)
        reason = op.properties.get("reason")
        number = self.graph.layer(name_of(op.results[0], op.name), op.name)
        return CpuStep(
            params["signature"],
            params["parameters"],
            tuple(self._source(value) for value in op.operands),
            tuple(self._tensor(value) for value in op.results),
            number,
            reason.data if isinstance(reason, StringAttr) else "",
        )

    def _debug(self, op: Operation, layer: Layer) -> int:
        origin = origin_of_op(op)
        nodes = origin.nodes if origin is not None else ()
        return self.graph.layer(
            name_of(op.results[0], op.name),
            kind=layer.kind,
            operations=2 * layer.macs,
            mac_type=_mac_type(layer),
            origin_ops=[node.name for node in nodes],
        )

    def _copies(self) -> list[Step]:
        """Outputs that no op computes in place: inputs, constants, values returned twice."""
        steps: list[Step] = []
        for position, value in enumerate(self._returned()):
            if self.outputs.get(view_source(value)) == position:
                continue
            size = max(1, byte_size(value))
            buffer = DdrBuffer(Space.OUTPUT, 0, size, position)
            steps.append(self._copy(value, buffer))
        return steps

    def _copy(self, value: SSAValue, buffer: DdrBuffer) -> ScheduledLayer:
        source = self._source(value)
        flat, dtype = (byte_size(value),), np.dtype(np.int8)
        spec = TensorSpec(flat, dtype)
        name = output_names(self.function)[buffer.port]
        layer = Layer("copy", (spec,), spec, {}, f"output {name}")
        tiling = choose_tiling(self.machine, layer, 0)
        needed = areas(self.machine, layer, tiling.tile, tiling.buffers)
        offsets = place_areas(self.machine, layer, needed, from_top=False)
        if isinstance(source, Constant):
            flat_source: Source = Constant(
                np.ascontiguousarray(source.array).reshape(-1).view(np.int8)
            )
        else:
            flat_source = DdrTensor(source.buffer, flat, dtype)
        return ScheduledLayer(
            layer,
            tiling,
            tuple(
                Placement(area.operand, offset, area.bytes_per_buffer, area.buffers)
                for area, offset in zip(needed, offsets, strict=True)
            ),
            (flat_source,),
            DdrTensor(buffer, flat, dtype),
            self.graph.layer(name, "copy"),
        )


def _port(name: str, value: SSAValue) -> Tensor:
    tensor = Tensor.dense(name, DType.of(dtype_of(value)), shape_of(value))
    origin = origin_of(value)
    if origin is None or not isinstance(origin.scale, float) or dtype_of(value).kind != "i":
        return tensor
    return Tensor(
        tensor.name,
        tensor.dtype,
        tensor.shape,
        tensor.strides,
        scales=(origin.scale,),
        zero_points=(origin.zero_point,),
    )


def _mac_type(layer: Layer) -> str:
    if layer.kind != "conv2d":
        return ""
    feature, weight = (8 * spec.itemsize for spec in layer.inputs[:2])
    return f"int{feature}" if feature == weight else f"int{feature} x int{weight}"
