"""LSTM, GRU and RNN: one op per direction, of which all three results are parts.

Axes in ONNX: T steps, N batch, D directions, H hidden units; `layout` 1 puts N first. Weights are
(D, gates·H, inputs) with the gates in the order that the float ops have, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import Value
from hbir.ir.types import Array, shape_of

_DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


@dataclass(frozen=True)
class _Layer:
    """What the three operators have in common."""

    node: NodeImport
    hidden: int
    reversed_: tuple[bool, ...]
    batch_first: bool

    @property
    def steps_and_batch(self) -> tuple[int, int]:
        """T and N."""
        first, second, _ = self.node.shape(0)
        return (second, first) if self.batch_first else (first, second)

    def inputs(self) -> SSAValue:
        """X as (T, N, I)."""
        x = self.node.value(0)
        dims = (1, 0, 2) if self.batch_first else (0, 1, 2)
        return self.node.transpose(x, dims, self.node.step("time_first"))

    def weight(self, index: int, direction: int) -> SSAValue:
        """W or R of a direction, (inputs, gates·H)."""
        array = self.node.constant(index, f"its weight {'WR'[index - 1]}")[direction].T
        return self.constant(index, direction, array)

    def constant(self, index: int, direction: int, array: Array) -> SSAValue:
        """A part of a constant input."""
        return self.node.constant_value(array, f"{self.node.node.inputs[index]}#{direction}")

    def biases(self, direction: int, gates: int) -> tuple[Array, Array]:
        """Both biases of a direction, (gates·H) each; zeros where the node has none."""
        if not self.node.has(3):
            zeros = np.zeros(gates * self.hidden, np.float32)
            return zeros, zeros
        first, second = np.split(self.node.constant(3, "its bias B")[direction], 2)
        return first, second

    def bias(self, direction: int, gates: int) -> SSAValue:
        """The sum of both biases."""
        array = np.add(*self.biases(direction, gates))
        return self.node.constant_value(array, f"{self.node.node.name}#bias{direction}")

    def state(self, index: int, direction: int) -> SSAValue:
        """The initial state (N, H) of a direction; zeros where the node has none."""
        batch = self.steps_and_batch[1]
        if not self.node.has(index):
            name = f"{self.node.node.name}#initial{index}"
            return self.node.constant_value(np.zeros((batch, self.hidden), np.float32), name)
        axis = 1 if self.batch_first else 0
        state = _part(self.node, self.node.value(index), axis, direction)
        return self.node.reshape(state, (batch, self.hidden))

    def sequence(self, parts: Sequence[SSAValue]) -> SSAValue:
        """Y from the (T, N, H) of each direction."""
        (steps, batch), axis = self.steps_and_batch, 2 if self.batch_first else 1
        if self.batch_first:
            parts = [self.node.transpose(part, (1, 0, 2)) for part in parts]
            shape = (batch, steps, 1, self.hidden)
        else:
            shape = (steps, 1, batch, self.hidden)
        return self._joined([self.node.reshape(part, shape) for part in parts], axis, 0)

    def last(self, parts: Sequence[SSAValue], output: int) -> SSAValue:
        """Y_h or Y_c from the (T, N, H) of each direction."""
        steps, batch = self.steps_and_batch
        axis = 1 if self.batch_first else 0
        shape = (batch, 1, self.hidden) if self.batch_first else (1, batch, self.hidden)
        ends = [
            self.node.reshape(_part(self.node, part, 0, 0 if backward else steps - 1), shape)
            for part, backward in zip(parts, self.reversed_, strict=True)
        ]
        return self._joined(ends, axis, output)

    def _joined(self, parts: Sequence[SSAValue], axis: int, output: int) -> SSAValue:
        if len(parts) == 1:
            return self.node.result(
                "reshape", *parts, output=output, shape=list(shape_of(parts[0]))
            )
        return self.node.result("concat", *parts, output=output, dim=axis)

    def results(self, hidden: Sequence[SSAValue], cells: Sequence[SSAValue] = ()) -> list[Value]:
        """The node's results; any value holds the place of one that isn't read."""
        makers: list[Callable[[], SSAValue]] = [
            lambda: self.sequence(hidden),
            lambda: self.last(hidden, 1),
            lambda: self.last(cells, 2),
        ]
        named = zip(self.node.node.outputs, makers, strict=False)
        return [make() if name else self.node.raw(0) for name, make in named]


def _part(node: NodeImport, value: SSAValue, axis: int, begin: int, size: int = 1) -> SSAValue:
    """`size` elements of one axis, from `begin` on."""
    shape = shape_of(value)
    if shape[axis] == size:
        return value
    first, last = [0] * len(shape), list(shape)
    first[axis], last[axis] = begin, begin + size
    return node.emit("slice", value, begin=first, end=last)


def _read(node: NodeImport, activations: Sequence[Sequence[str]]) -> _Layer:
    """The layer, whose activations of one direction must be one of `activations`."""
    direction = node.str_("direction", "forward")
    if direction not in _DIRECTIONS:
        raise NoBpuForm(f"direction must be one of {', '.join(_DIRECTIONS)}, got {direction!r}")
    if len(node.shape(0)) != 3:
        raise NoBpuForm(f"X must have rank 3, it has {len(node.shape(0))}")
    layer = _Layer(node, node.shape(2)[-1], _DIRECTIONS[direction], bool(node.int_("layout", 0)))
    if node.has(4):
        steps, _ = layer.steps_and_batch
        lengths = node.constant_ints(4, "sequence_lens")
        if set(lengths) != {steps}:
            raise NoBpuForm(f"sequence_lens must be {steps} for all, got {lengths}")
    for key in ("clip", "input_forget", "activation_alpha", "activation_beta"):
        if node.attribute(key):
            raise NoBpuForm(f"{key} must not be used")
    if _activations(node, len(layer.reversed_), activations[0]) not in activations:
        wanted = " or ".join(", ".join(names) for names in activations)
        given = ", ".join(node.node.attributes["activations"])
        raise NoBpuForm(f"activations must be {wanted} in each direction, got {given}")
    return layer


def _activations(node: NodeImport, directions: int, default: Sequence[str]) -> Sequence[str] | None:
    """The activations of each direction, lower-case; None when they differ."""
    names = [str(name).lower() for name in node.attribute("activations") or ()]
    if not names:
        return default
    size = len(default)
    parts = {tuple(names[start : start + size]) for start in range(0, size * directions, size)}
    return parts.pop() if len(parts) == 1 else None


@imports("LSTM")
def lstm(node: NodeImport) -> list[Value]:
    """LSTM → lstm per direction. Without peepholes; weights must be constant."""
    if node.has(7):
        raise NoBpuForm("peepholes P must not be used")
    layer = _read(node, [("sigmoid", "tanh", "tanh")])
    x = layer.inputs()
    both = [
        node.emit(
            "lstm",
            x,
            layer.weight(1, number),
            layer.weight(2, number),
            layer.bias(number, 4),
            layer.state(5, number),
            layer.state(6, number),
            reverse=backward,
        )
        for number, backward in enumerate(layer.reversed_)
    ]
    hidden = [_part(node, value, 2, 0, layer.hidden) for value in both]
    cells = [_part(node, value, 2, layer.hidden, layer.hidden) for value in both]
    return layer.results(hidden, cells)


@imports("GRU")
def gru(node: NodeImport) -> list[Value]:
    """GRU → gru per direction. Weights must be constant."""
    layer = _read(node, [("sigmoid", "tanh")])
    x = layer.inputs()
    hidden: list[SSAValue] = []
    for number, backward in enumerate(layer.reversed_):
        biases = layer.biases(number, 3)
        hidden.append(
            node.emit(
                "gru",
                x,
                layer.weight(1, number),
                layer.weight(2, number),
                node.constant_value(biases[0], f"{node.node.name}#bias{number}"),
                node.constant_value(biases[1], f"{node.node.name}#recurrent_bias{number}"),
                layer.state(5, number),
                linear_before_reset=bool(node.int_("linear_before_reset", 0)),
                reverse=backward,
            )
        )
    return layer.results(hidden)


@imports("RNN")
def rnn(node: NodeImport) -> list[Value]:
    """RNN → rnn per direction. Weights must be constant, the activation Tanh or Relu."""
    layer = _read(node, [("tanh",), ("relu",)])
    activation = _activations(node, len(layer.reversed_), ("tanh",)) or ("tanh",)
    x = layer.inputs()
    hidden = [
        node.emit(
            "rnn",
            x,
            layer.weight(1, number),
            layer.weight(2, number),
            layer.bias(number, 1),
            layer.state(5, number),
            activation=activation[0],
            reverse=backward,
        )
        for number, backward in enumerate(layer.reversed_)
    ]
    return layer.results(hidden)
