"""A scheduled module as instructions: reads every decision from the IR and makes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, Operation, OpResult, SSAValue

from hbir.backend.codegen.graph import CpuStep, GraphEmitter, GroupStep, Step
from hbir.backend.codegen.layer_run import Placement, ScheduledLayer
from hbir.backend.codegen.tensors import Buffer, Constant, MemoryTensor, Source
from hbir.backend.isa.builder import GraphBuilder, ProgramBuilder
from hbir.backend.isa.descriptor import dense_strides, padded_strides, row_padded_strides
from hbir.backend.isa.enums import DType, Space
from hbir.backend.isa.program import Program, Tensor, Value
from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine
from hbir.backend.tiling import areas, choose_tiling, stack_areas
from hbir.dialects.layers import (
    CONSTANT,
    COPY,
    CPU_CALL,
    VIEW,
    allocs_of,
    areas_of,
    body_ops,
    call_of,
    core_axis_of,
    is_layer,
    layer_of,
    onchip_of,
    schedule_of,
    tiling_of,
    view_source,
)
from hbir.dialects.places import Place, places_in
from hbir.ir.function import body_of, input_names, output_names, return_of
from hbir.ir.origin import name_of, nodes_of, origin_of
from hbir.ir.types import Array, byte_size, dtype_of, open_axes, shape_of
from hbir.ir.weights import WeightStore
from hbir.module import Function, Module
from hbir.overlay.remove import input_quantization
from hbir.passes.schedule.allocate_workspace import output_roots
from hbir.runtime.interpreter import kernel_params, result_names

RESIZER = "bpu.roi_resize"


@dataclass(frozen=True)
class DensePorts:
    """Whether inputs, and whether outputs, lie dense in DDR."""

    inputs: bool = False
    outputs: bool = False


def build_program(
    module: Module,
    machine: Machine,
    opt: int = 2,
    desc: str = "",
    constants: dict[SSAValue, Constant] | None = None,
    options: Mapping[str, Any] | None = None,
    cores: int = 1,
    dense: DensePorts = DensePorts(),
) -> Program:
    """The instructions of a scheduled module. Raises HbirError when a decision is missing.

    constants: filled with the constants met, so that building again needn't look them up.
    dense: whose rows aren't padded to the machine's stride.
    """
    from hbir import __version__

    information: dict[str, Any] = {
        "version": __version__,
        "options": {"opt": opt, **(options or {})},
    }
    if desc:
        information["desc"] = desc
    program = ProgramBuilder(
        machine.name,
        cores=cores,
        l1_bytes=machine.memory.l1_bytes,
        l2_bytes=machine.memory.l2_bytes,
        information=information,
    )
    for function in module.functions:
        _GraphCompiler(machine, program, function, module.weights, constants, dense).run()
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
        dense: DensePorts,
    ) -> None:
        self.machine = machine
        self.dense = dense
        self.program = program
        self.function: FuncOp = function.op
        self.weights = weights
        self.graph: GraphBuilder = program.graph(function.name, function.desc)
        self.buffers: dict[SSAValue, Buffer] = {}
        self.places: dict[SSAValue, Place] = places_in(self.function)
        self.arrays = {} if constants is None else constants
        self.workspace_bytes = 0
        self.outputs = output_roots(self.function)
        self.strides: dict[SSAValue, tuple[int, ...]] = {}
        """Of inputs and outputs whose rows are padded."""
        self.values: dict[SSAValue, int] = {}
        """Numbers in the debug table; inputs come first."""
        self.views: dict[Value, int] = {}
        """Those that are another one under another shape; a copy's view is the copied one's."""

    def run(self) -> None:
        self._interface()
        steps: list[Step] = []
        group: list[Operation] = []
        for body_op in body_ops(self.function):
            op = body_op.op
            self._number(op)
            if op.name == VIEW:
                continue
            self._results(op.results, op)
            if group and (body_op.is_call or not _together(group[-1], op)):
                steps.append(self._group(group))
                group = []
            if body_op.is_call:
                steps.append(self._call(op))
            else:
                group.append(op)
        if group:
            steps.append(self._group(group))
        steps += self._copies()
        GraphEmitter(self.machine, self.program, self.graph, self.program.cores).emit(steps)
        self.graph.workspace_bytes = self.workspace_bytes

    def _number(self, op: Operation) -> None:
        """Make an op's results values of the debug table; a copy is what it is a copy of."""
        source = self.values.get(op.operands[0]) if op.name in (COPY, VIEW) else None
        if op.name == COPY and source is not None:
            self.values[op.results[0]] = source
            return
        if op.name == VIEW and source is None:
            return  # of a constant
        for name, result in zip(result_names(op), op.results, strict=True):
            value = _value(name, result, source)
            known = self.views.get(value) if source is not None else None
            self.values[result] = self.graph.value(value) if known is None else known
            if source is not None:
                self.views[value] = self.values[result]

    def _group(self, ops: Sequence[Operation]) -> GroupStep:
        numbers: dict[SSAValue, int] = {op.results[0]: n for n, op in enumerate(ops)}
        return GroupStep(tuple(self._layer(op, numbers) for op in ops), call_of(ops[0]))

    def _interface(self) -> None:
        arguments = body_of(self.function).args
        returned = self._returned()
        for name, value in zip(input_names(self.function), arguments, strict=True):
            # Cameras write images at the stride whatever is asked of other inputs.
            dense = self.dense.inputs and dtype_of(value) != np.uint8
            if _is_read_by_resizer(value):
                dense = True  # the strides of planes are each run's; a roi is published as dense
            if not dense and value not in returned and _is_read_by_rows(value):
                self._pad_rows(value)
            tensor = self._port(name, value)
            port = self.values[value] = self.graph.input(tensor)
            self.buffers[value] = Buffer(Space.INPUT, 0, max(1, tensor.buffer_bytes), port)
        for position, (name, value) in enumerate(
            zip(output_names(self.function), returned, strict=True)
        ):
            in_place = self.outputs.get(value) == position
            if not self.dense.outputs and in_place and _is_read_by_rows(value):
                self._pad_rows(value)
            self.graph.output(self._port(name, value))

    def _pad_rows(self, value: SSAValue) -> None:
        """Rows of an input or output start at the machine's stride."""
        shape, itemsize = shape_of(value), dtype_of(value).itemsize
        strides = row_padded_strides(shape, itemsize, self.machine.ddr.io_stride_bytes)
        if strides != dense_strides(shape, itemsize):
            self.strides[value] = strides

    def _port(self, name: str, value: SSAValue) -> Tensor:
        axes = open_axes(value)
        if axes:
            dtype = DType.of(dtype_of(value))
            align = self.machine.ddr.io_stride_bytes
            return Tensor.open(name, dtype, shape_of(value), axes, align)
        tensor = _port(name, value, self.weights)
        return replace(tensor, strides=self.strides.get(value, tensor.strides))

    def _returned(self) -> Sequence[SSAValue]:
        return return_of(self.function).operands

    def _results(self, results: Sequence[OpResult], op: Operation) -> None:
        for result, alloc in zip(results, allocs_of(op), strict=True):
            if result in self.buffers:
                continue  # a part of it came before
            space = Space[alloc.space.data.name]
            start, size = alloc.offset.data, alloc.bytes.data
            if space is Space.WORKSPACE:
                self.workspace_bytes = max(self.workspace_bytes, start + size)
            port = self.outputs[result] if space is Space.OUTPUT else 0
            if result in self.strides:
                size = shape_of(result)[0] * self.strides[result][0]
            self.buffers[result] = Buffer(space, start, size, port, alloc.rows.data)

    def _tensor(self, value: SSAValue) -> MemoryTensor:
        return replace(self._placed(value), value=self.values.get(value))

    def _placed(self, value: SSAValue) -> MemoryTensor:
        root = view_source(value)
        is_view = root is not value
        shape, dtype = shape_of(value), dtype_of(value)
        if root in self.places:
            return self._onchip_tensor(root, shape, dtype, is_view)
        buffer = self.buffers[root]
        if root in self.strides:
            outer = self.strides[root][:2] if is_view else self.strides[root]
            strides = (*outer, *dense_strides(shape[len(outer) :], dtype.itemsize))
            return MemoryTensor(buffer, shape, dtype, strides, (0,) * len(shape), is_view=is_view)
        return MemoryTensor.dense(buffer, shape, dtype, is_view)

    def _onchip_tensor(
        self, value: SSAValue, shape: tuple[int, ...], dtype: np.dtype[Any], is_view: bool
    ) -> MemoryTensor:
        lanes = self.machine.memory.channel_align_bytes
        place = self.places[value]
        buffer = self._buffer(place.root)
        owner = shape_of(place.root)
        if buffer.ring_rows:
            owner = (owner[0], buffer.ring_rows, *owner[2:])
        padding = 0
        if owner and place.origin[-1] + shape_of(value)[-1] == owner[-1]:
            padding = -owner[-1] * dtype.itemsize % lanes
        strides = padded_strides(shape if is_view else owner, dtype.itemsize, lanes)
        origin = (0,) * len(shape) if is_view else place.origin
        return MemoryTensor(buffer, shape, dtype, strides, origin, padding, is_view)

    def _buffer(self, root: SSAValue) -> Buffer:
        """The buffer of a tensor that may be computed later than its parts are."""
        if root not in self.buffers:
            assert isinstance(root, OpResult)  # arguments are in DDR
            self._results(root.op.results, root.op)
        return self.buffers[root]

    def _source(self, value: SSAValue) -> Source:
        root = view_source(value)
        if not (isinstance(root, OpResult) and root.op.name == CONSTANT):
            return self._tensor(value)
        if value not in self.arrays:
            array = self.weights.array(root.op.properties["values"])
            self.arrays[value] = Constant(array.reshape(shape_of(value)))
        return self.arrays[value]

    def _layer(self, op: Operation, numbers: Mapping[SSAValue, int]) -> ScheduledLayer:
        layer = layer_of(op)
        tiling = tiling_of(op, layer)
        needed = areas_of(op, self.machine)
        placements = tuple(
            Placement(area.operand, area.bytes_per_buffer, offsets)
            for area, offsets in zip(needed, onchip_of(op, needed), strict=True)
        )
        output = self._tensor(op.results[0])
        return ScheduledLayer(
            layer,
            tiling,
            placements,
            tuple(self._source(value) for value in op.operands),
            replace(output, value=None) if op.name == COPY else output,
            self._debug(op, layer),
            tuple(numbers.get(view_source(value)) for value in op.operands),
            core_axis_of(op),
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
        return self.graph.layer(
            name_of(op.results[0], op.name),
            kind=layer.kind,
            operations=2 * layer.macs,
            mac_type=_mac_type(layer),
            origin_ops=[node.name for node in nodes_of(op)],
        )

    def _copies(self) -> list[Step]:
        """Outputs that no op computes in place: inputs, constants, values returned twice."""
        steps: list[Step] = []
        for position, value in enumerate(self._returned()):
            if self.outputs.get(view_source(value)) == position:
                continue
            size = max(1, byte_size(value))
            buffer = Buffer(Space.OUTPUT, 0, size, position)
            steps.append(GroupStep((self._copy(value, buffer),), self._last_call()))
        return steps

    def _last_call(self) -> int:
        ops = [b.op for b in body_ops(self.function) if b.is_layer]
        return call_of(ops[-1]) if ops else 0

    def _copy(self, value: SSAValue, buffer: Buffer) -> ScheduledLayer:
        source = self._source(value)
        flat, dtype = (byte_size(value),), np.dtype(np.int8)
        spec = TensorSpec(flat, dtype)
        name = output_names(self.function)[buffer.port]
        layer = Layer("copy", (spec,), spec, {}, f"output {name}")
        tiling = choose_tiling(self.machine, layer, 0)
        needed = areas(self.machine, layer, tiling.tile, tiling.buffers)
        offsets = stack_areas(layer, needed)
        if isinstance(source, Constant):
            flat_source: Source = Constant(
                np.ascontiguousarray(source.array).reshape(-1).view(np.int8)
            )
        else:
            flat_source = MemoryTensor.dense(source.buffer, flat, dtype, is_view=True)
        return ScheduledLayer(
            layer,
            tiling,
            tuple(
                Placement(area.operand, area.bytes_per_buffer, places)
                for area, places in zip(needed, offsets, strict=True)
            ),
            (flat_source,),
            MemoryTensor.dense(buffer, flat, dtype),
            self.graph.layer(name, "copy"),
        )


def _together(first: Operation, second: Operation) -> bool:
    """Whether two neighbouring ops are of one group and one function call."""
    same_group = schedule_of(first).group.data == schedule_of(second).group.data
    return same_group and call_of(first) == call_of(second)


def _is_read_by_resizer(value: SSAValue) -> bool:
    """Whether it is a plane or a roi of the resizer, or one once it is on chip."""
    return any(
        op.name == RESIZER or (op.name == COPY and _is_read_by_resizer(op.results[0]))
        for op in (use.operation for use in value.uses)
    )


def _is_read_by_rows(value: SSAValue) -> bool:
    """Whether only layers touch a value, no CPU call, and none cuts its rows differently."""
    users = [use.operation for use in value.uses]
    if isinstance(value, OpResult):
        users.append(value.op)
    names = [op.name for op in users if not (op.name == VIEW and _keeps_rows(op))]
    flat = names.count("func.return") > 1  # returned twice: copied as bytes
    return not flat and VIEW not in names and CPU_CALL not in names


def _keeps_rows(view: Operation) -> bool:
    """Whether a view of (N, H, W, C) only shares out W and C differently, for layers to read."""
    before, after = shape_of(view.operands[0]), shape_of(view.results[0])
    kept = len(before) == len(after) == 4 and before[:2] == after[:2]
    readers = [use.operation for use in view.results[0].uses]
    return kept and all(is_layer(reader) for reader in readers)


def _port(name: str, value: SSAValue, weights: WeightStore) -> Tensor:
    tensor = Tensor.dense(name, DType.of(dtype_of(value)), shape_of(value))
    origin = origin_of(value)
    if origin is not None and isinstance(origin.scale, Attribute):
        return _scaled_by_channel(tensor, weights.array(origin.scale))
    if isinstance(value, BlockArgument):
        scale, zero_point = input_quantization(value)
    elif origin is not None and isinstance(origin.scale, float):
        scale, zero_point = origin.scale, origin.zero_point
    else:
        return tensor
    if scale is None or dtype_of(value).kind != "i":
        return tensor
    return replace(tensor, scales=(scale,), zero_points=(zero_point,))


def _scaled_by_channel(tensor: Tensor, scales: Array) -> Tensor:
    """An accumulator, whose last axis has a scale per channel; none where it has another shape."""
    count = scales.size
    if tensor.dtype.numpy.kind != "i" or tensor.shape[-1:] != (count,):
        return tensor
    numbers = tuple(map(float, scales.reshape(-1)))
    axis = len(tensor.shape) - 1
    return replace(tensor, scales=numbers, zero_points=(0,) * count, channel_axis=axis)


def _value(name: str, result: SSAValue, view_of: int | None) -> Value:
    origin = origin_of(result)
    value = Value(name, DType.of(dtype_of(result)), shape_of(result), view_of=view_of)
    if origin is None:
        return value
    # A reshape's result has no axes of the source tensor, whatever its origin says.
    perm = origin.perm if sorted(origin.perm) == list(range(len(value.shape))) else ()
    if not isinstance(origin.scale, float) or dtype_of(result).kind not in "iu":
        return replace(value, perm=perm)
    return replace(value, perm=perm, scale=origin.scale, zero_point=origin.zero_point)


def _mac_type(layer: Layer) -> str:
    if layer.kind != "conv2d":
        return ""
    feature, weight = (8 * spec.itemsize for spec in layer.inputs[:2])
    return f"int{feature}" if feature == weight else f"int{feature} x int{weight}"
