"""The tensors of a run by the names and in the layouts of the user's model, at any level.

That is what makes levels comparable: integers are dequantized by their origin's scale, channel-last
arrays turned back, whatever a pass has done in between.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation

from hbir.backend.isa.program import Value
from hbir.hbm import Graph
from hbir.interface import bind_inputs
from hbir.ir.function import output_names
from hbir.ir.origin import origin_of_op
from hbir.ir.types import Array
from hbir.module import Module
from hbir.runtime.interpreter import Listener, Plan

FloatArray = npt.NDArray[np.float32]
Sink = Callable[[str, FloatArray], None]

SourceRunner: TypeAlias = Callable[[Mapping[str, Any], Sink], dict[str, Array]]
"""Runs a network on inputs by name, shows its tensors, and gives its outputs by name."""


def run_source_tensors(module: Module, inputs: Mapping[str, Any], sink: Sink) -> dict[str, Array]:
    """Run the module's first function; `sink` gets (name, float32 array in the source's layout) of
    every named tensor that has one scale, not to be changed. Returns the outputs.

    A name may come several times, quantized and not; the last is what later ops read.
    """
    return module.functions[0].feed(inputs, _listener(sink))


def source_runner(module: Module, names: Container[str]) -> SourceRunner:
    """`run_source_tensors` of a module, float to quantized, for several runs. names: of the tensors
    that are shown."""
    function = module.functions[0]
    plan, ports = Plan(function.op, module.weights), function.flatten_inputs
    outputs = output_names(function.op)

    def run_once(inputs: Mapping[str, Any], sink: Sink) -> dict[str, Array]:
        arrays = bind_inputs(f"function {function.name!r}", ports, inputs)
        found = plan.run(arrays, _listener(sink, names))
        return dict(zip(outputs, found, strict=True))

    return run_once


def _listener(sink: Sink, names: Container[str] | None = None) -> Listener:
    def listen(name: str, array: Array, op: Operation | None) -> None:
        value = source_tensor(array, op) if names is None or name in names else None
        if value is not None:
            sink(name, value)

    return listen


def source_tensor(array: Array, op: Operation | None) -> FloatArray | None:
    """An op's result as float32 in its source tensor's layout; None for integers without a scale
    for all (accumulators, indices)."""
    origin = origin_of_op(op) if op is not None else None
    if origin is None:
        return array.astype(np.float32, copy=False)
    scale = origin.scale if isinstance(origin.scale, float) else None
    return in_source_terms(array, origin.perm, scale, origin.zero_point)


def in_source_terms(
    array: Array, perm: Sequence[int], scale: float | None, zero_point: int
) -> FloatArray | None:
    """An array as float32 in the layout before `perm` (which may be that of other axes, before a
    reshape: then as it is); None for integers without a scale."""
    if array.dtype.kind in "fb":
        value = array.astype(np.float32, copy=False)
    elif scale is not None:
        value = (array.astype(np.float32) - zero_point) * np.float32(scale)
    else:
        return None
    return value.transpose(np.argsort(perm)) if sorted(perm) == list(range(value.ndim)) else value


def run_compiled_tensors(graph: Graph, inputs: Mapping[str, Any], sink: Sink) -> dict[str, Array]:
    """The same as `run_source_tensors` of a compiled graph in the simulator."""

    def listen(name: str, array: Array, value: Value | None) -> None:
        if value is None:
            sink(name, array.astype(np.float32))
            return
        found = in_source_terms(array, value.perm, value.scale, value.zero_point)
        if found is not None:
            sink(name, found)

    return graph.feed(inputs, listen)
