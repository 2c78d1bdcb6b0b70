"""lstm, gru, rnn: one op per layer and direction.

PyTorch's axes: T steps, N batch (in the other order with batch_first), L layers, D directions, H
hidden units. Weights are (gates·H, inputs) with the gates in an order of their own; those of the
float ops are ONNX's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Operand, Value
from hbir.ir.types import Array, shape_of

_GATES: dict[str, tuple[int, ...]] = {
    "lstm": (0, 3, 1, 2),  # i f c o → i o f c
    "gru": (1, 0, 2),  # r z h → z r h
    "rnn_tanh": (0,),
    "rnn_relu": (0,),
}
"""For each gate of the float op, which of PyTorch's it is."""


@dataclass(frozen=True)
class _Direction:
    """The weights of one layer's direction, gates reordered: (I, gates·H), (H, gates·H), biases."""

    number: int
    backward: bool
    weight: Array
    recurrent: Array
    biases: tuple[Array, Array]


_Emit: TypeAlias = Callable[[SSAValue, _Direction, SSAValue], SSAValue]
"""Makes the op of a direction from its input, its weights and its initial state."""


@imports("lstm.input")
def lstm(node: NodeImport) -> list[Value]:
    """lstm → lstm per layer and direction. Without projections; weights must be constant."""
    hidden, cell = node.operands("hx")
    size = hidden.shape[-1]
    both: list[list[SSAValue]] = []
    x = _time_first(node)
    for layer in _layers(node, size):
        parts = [
            node.emit(
                "lstm",
                x,
                *_weights(node, part),
                _constant(node, np.add(*part.biases), f"bias{part.number}"),
                _state(node, hidden, part.number),
                _state(node, cell, part.number),
                reverse=part.backward,
            )
            for part in layer
        ]
        both.append(parts)
        x = _joined(node, [_columns(node, part, 0, size) for part in parts], 2)
    states = [_ends(node, both, begin, size) for begin in (0, size)]
    return [_result(node, x), *states]


@imports("gru.input")
def gru(node: NodeImport) -> list[Value]:
    """gru → gru per layer and direction. Weights must be constant."""

    def emit(x: SSAValue, part: _Direction, state: SSAValue) -> SSAValue:
        biases = [_constant(node, b, f"bias{part.number}.{i}") for i, b in enumerate(part.biases)]
        operands = [x, *_weights(node, part), *biases, state]
        return node.emit("gru", *operands, linear_before_reset=True, reverse=part.backward)

    return _plain(node, emit)


@imports("rnn_tanh.input", "rnn_relu.input")
def rnn(node: NodeImport) -> list[Value]:
    """rnn → rnn per layer and direction. Weights must be constant."""

    def emit(x: SSAValue, part: _Direction, state: SSAValue) -> SSAValue:
        bias = _constant(node, np.add(*part.biases), f"bias{part.number}")
        operands = [x, *_weights(node, part), bias, state]
        activation = node.kind.removeprefix("rnn_")
        return node.emit("rnn", *operands, activation=activation, reverse=part.backward)

    return _plain(node, emit)


def _plain(node: NodeImport, emit: _Emit) -> list[Value]:
    """The results of a layer whose only state is its output."""
    state = node.operand("hx")
    size = state.shape[-1]
    outputs: list[list[SSAValue]] = []
    x = _time_first(node)
    for layer in _layers(node, size):
        parts = [emit(x, part, _state(node, state, part.number)) for part in layer]
        outputs.append(parts)
        x = _joined(node, parts, 2)
    return [_result(node, x), _ends(node, outputs, 0, size)]


def _layers(node: NodeImport, size: int) -> list[list[_Direction]]:
    """The weights, layer by layer."""
    if node.bool_("train") and node.float_("dropout") != 0:
        raise NoBpuForm("dropout must not be in training mode; call module.eval()")
    arrays = [operand.known for operand in node.operands("params")]
    known = [array for array in arrays if array is not None]
    if len(known) != len(arrays):
        raise NoBpuForm("its weights must be constant")
    each = 4 if node.bool_("has_biases") else 2
    directions = 2 if node.bool_("bidirectional") else 1
    layers = node.int_("num_layers")
    if len(known) != layers * directions * each:
        raise NoBpuForm("projections (proj_size) have no BPU form")
    return [
        [
            _direction(node.kind, first + side, side == 1, known, each, size)
            for side in range(directions)
        ]
        for first in range(0, layers * directions, directions)
    ]


def _direction(
    kind: str, number: int, backward: bool, arrays: Sequence[Array], each: int, size: int
) -> _Direction:
    """number: counts layers and directions together; `each` arrays belong to one direction."""
    weight, recurrent, *biases = (
        np.concatenate([np.split(array, len(_GATES[kind]))[gate] for gate in _GATES[kind]])
        for array in arrays[number * each : (number + 1) * each]
    )
    zeros = np.zeros(len(_GATES[kind]) * size, np.float32)
    first, second = biases or (zeros, zeros)
    return _Direction(number, backward, weight.T, recurrent.T, (first, second))


def _constant(node: NodeImport, array: Array, what: str) -> SSAValue:
    return node.constant_value(array, f"{node.origin().tensor}#{what}")


def _weights(node: NodeImport, part: _Direction) -> list[SSAValue]:
    return [
        _constant(node, part.weight, f"weight{part.number}"),
        _constant(node, part.recurrent, f"recurrent_weight{part.number}"),
    ]


def _time_first(node: NodeImport) -> SSAValue:
    """The input as (T, N, I)."""
    shape = node.shape("input")
    if len(shape) != 3:
        raise NoBpuForm(f"its input must have rank 3, it has shape {list(shape)}")
    dims = (1, 0, 2) if node.bool_("batch_first") else (0, 1, 2)
    return node.transpose(node.value("input"), dims, node.step("time_first"))


def _result(node: NodeImport, x: SSAValue) -> SSAValue:
    """The sequence from its (T, N, D·H)."""
    dims = (1, 0, 2) if node.bool_("batch_first") else (0, 1, 2)
    return node.transpose(x, dims, node.origin())


def _state(node: NodeImport, states: Operand, number: int) -> SSAValue:
    """The initial state (N, H) of a direction, from (L·D, N, H)."""
    array = states.known
    if array is not None:
        return node.constant_value(array[number], f"{states.name}#{number}")
    value = _part(node, node.materialized(states), 0, number, 1)
    return node.reshape(value, states.shape[1:])


def _ends(
    node: NodeImport, layers: Sequence[Sequence[SSAValue]], begin: int, size: int
) -> SSAValue:
    """The last states (L·D, N, H), from `size` columns of each direction's (T, N, columns)."""
    ends: list[SSAValue] = []
    for directions in layers:
        for side, value in enumerate(directions):
            last = 0 if side else shape_of(value)[0] - 1
            ends.append(_columns(node, _part(node, value, 0, last, 1), begin, size))
    return _joined(node, ends, 0)


def _columns(node: NodeImport, value: SSAValue, begin: int, size: int) -> SSAValue:
    return _part(node, value, 2, begin, size)


def _part(node: NodeImport, value: SSAValue, axis: int, begin: int, size: int) -> SSAValue:
    """`size` elements of one axis, from `begin` on."""
    shape = shape_of(value)
    if shape[axis] == size:
        return value
    first, last = [0] * len(shape), list(shape)
    first[axis], last[axis] = begin, begin + size
    return node.emit("slice", value, begin=first, end=last)


def _joined(node: NodeImport, parts: Sequence[SSAValue], axis: int) -> SSAValue:
    return parts[0] if len(parts) == 1 else node.emit("concat", *parts, dim=axis)
