"""The µs that a march is predicted to need for each layer of a quantized module, by itself."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.func import FuncOp

from hbir.backend.march import Machine, load_march
from hbir.backend.tiling import choose_tiling, estimate
from hbir.dialects.layers import body_ops, layer_of
from hbir.errors import HbirError
from hbir.ir.origin import name_of
from hbir.module import Module

SEARCHED = 1
"""The optimization level whose tiles are taken: each layer's own best."""

_NS_PER_US = 1000.0


def layer_times(quantized: Module) -> dict[str, float]:
    """Tensor → µs of the layers that compute it; layers on the CPU count as nothing.

    quantized: a module that was converted for a march. What groups of layers save together isn't
    in it, so it is for comparing types, not a prediction of the whole. A layer that no tile fits,
    which compiling would refuse, counts as nothing.
    """
    machine = load_march(quantized.march) if quantized.march is not None else None
    if machine is None:
        raise HbirError("the module says no march; convert it for one")
    times: dict[str, float] = {}
    for function in quantized.functions:
        _add_times(function.op, machine, times)
    return times


def _add_times(function: FuncOp, machine: Machine, times: dict[str, float]) -> None:
    for body_op in body_ops(function):
        if not body_op.is_layer:
            continue
        name = name_of(body_op.op.results[0], "?")
        layer = layer_of(body_op.op)
        try:
            cycles = estimate(machine, layer, choose_tiling(machine, layer, SEARCHED)).cycles
        except HbirError:
            continue
        times[name] = times.get(name, 0.0) + cycles / (machine.clock_ghz * _NS_PER_US)


def total_time(quantized: Module) -> float:
    """The sum of `layer_times`, µs."""
    return sum(layer_times(quantized).values())


def added_time(narrow: Mapping[str, float], wide: Mapping[str, float], tensor: str) -> float:
    """The µs by which the layers of one tensor take longer in a wider module, at least 0."""
    return max(wide.get(tensor, 0.0) - narrow.get(tensor, 0.0), 0.0)
