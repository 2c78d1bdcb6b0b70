"""Unroll recurrent layers into products, sigmoids, tanhs and sums, step by step.

What doesn't depend on the state, the product of the inputs with their weights, is one linear layer
over all steps; each step adds its part to the product with the state, which the BPU does in the
convolution's accumulator. Gates that go through a sigmoid and those that go through a tanh come
from different products, so that each gets its own scale. A state that is constant 0 costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ReluOp, SigmoidOp, TanhOp
from hbir.dialects.hbir.elementwise import AddOp, MulOp, SubOp
from hbir.dialects.hbir.linear import LinearOp
from hbir.dialects.hbir.move import ConcatOp, ReshapeOp, SliceOp
from hbir.dialects.hbir.recurrent import GruOp, LstmOp, RecurrentOp, RnnOp
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin, origin_of_op
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.passes.graph import derive_origin, splat


class DecomposeRecurrentPass(ModulePass):
    """lstm, gru and rnn become linear, add, sigmoid, tanh, mul, slice and concat.

    Weights and biases must be constants; a layer with others stays, and goes to the CPU.
    """

    name = "decompose-recurrent"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(
            ctx, op, {LstmOp: decompose_lstm, GruOp: decompose_gru, RnnOp: decompose_rnn}
        )


class _Unrolling:
    """One layer being unrolled: its new ops go before it and are named after its result."""

    def __init__(self, op: RecurrentOp, rewrite: Rewrite) -> None:
        self.op = op
        self._rewrite = rewrite
        self.length, self.batch, _ = shape_of(op.operands[0])
        self.hidden = shape_of(op.operands[-1])[1]

    @property
    def steps(self) -> Sequence[int]:
        """The steps in the order in which the layer takes them."""
        steps = range(self.length)
        return steps[::-1] if self.op.params()["reverse"] else steps

    def array(self, value: SSAValue) -> Array | None:
        """The array of a constant operand."""
        return self._rewrite.constant_value(value)

    def constant(self, array: Array, name: str) -> SSAValue:
        """A part of the weights."""
        origin = origin_of_op(self.op)
        named = None if origin is None else Origin(f"{origin.tensor}/{name}")
        return self._rewrite.constant(np.ascontiguousarray(array), before=self.op, origin=named)

    def add(self, made: TensorOp, name: str) -> SSAValue:
        """A new op's result."""
        self._rewrite.insert(made, before=self.op)
        derive_origin(made, self.op, name)
        return made.output

    def state(self, value: SSAValue) -> SSAValue | None:
        """An initial state as (1, N, H); None when it is constant 0."""
        if splat(self.array(value)) == 0:
            return None
        shape = [1, self.batch, self.hidden]
        return self.add(ReshapeOp.make(value, shape=shape), "initial")

    def part(self, value: SSAValue, axis: int, begin: int, end: int, name: str) -> SSAValue:
        """The elements begin … end − 1 of one axis."""
        first, last = [0, 0, 0], list(shape_of(value))
        first[axis], last[axis] = begin, end
        return self.add(SliceOp.make(value, begin=first, end=last), name)

    def gates(self, value: SSAValue, count: int, name: str) -> list[SSAValue]:
        """(1, N, count·H) as `count` tensors (1, N, H)."""
        bounds = range(0, count * self.hidden + 1, self.hidden)
        return [
            self.part(value, 2, bounds[i], bounds[i + 1], f"{name}/gate{i}") for i in range(count)
        ]

    def product(self, x: SSAValue, w: Array, bias: Array | None, name: str) -> SSAValue:
        """x · w + bias."""
        constants = [self.constant(w, f"{name}/weights")]
        if bias is not None:
            constants.append(self.constant(bias, f"{name}/bias"))
        return self.add(LinearOp.make(x, *constants), name)

    def summed(
        self, h: SSAValue | None, weights: SSAValue, inputs: SSAValue, step: int, name: str
    ) -> SSAValue:
        """h · weights + the step's part of `inputs`."""
        read = self.part(inputs, 0, step, step + 1, f"{name}/input")
        if h is None:
            return read
        product = self.add(LinearOp.make(h, weights), f"{name}/product")
        return self.add(AddOp.make(product, read), f"{name}/sum")

    def sequence(self, states: dict[int, SSAValue], name: str) -> SSAValue:
        """(T, N, H) of the state after each step."""
        return self.add(ConcatOp.make(*(states[t] for t in range(self.length)), dim=0), name)

    def finish(self, value: SSAValue) -> None:
        """Put `value` in the layer's place."""
        self._rewrite.replace(self.op, value)


def decompose_lstm(op: LstmOp, rewrite: Rewrite) -> None:
    """Per step two products, a sigmoid of three gates, two tanhs, three products of states."""
    unrolling = _Unrolling(op, rewrite)
    w, r, bias = (unrolling.array(value) for value in (op.w, op.r, op.bias))
    if w is None or r is None or bias is None:
        return
    split = 3 * unrolling.hidden
    add, part = unrolling.add, (slice(None, split), slice(split, None))
    for_gates = unrolling.product(op.x, w[:, part[0]], bias[part[0]], "gate_inputs")
    for_cells = unrolling.product(op.x, w[:, part[1]], bias[part[1]], "cell_inputs")
    gate_weights = unrolling.constant(r[:, part[0]], "gate_weights")
    cell_weights = unrolling.constant(r[:, part[1]], "cell_weights")
    h, c = unrolling.state(op.h0), unrolling.state(op.c0)
    hidden: dict[int, SSAValue] = {}
    cells: dict[int, SSAValue] = {}
    for t in unrolling.steps:
        gates = unrolling.summed(h, gate_weights, for_gates, t, f"gates{t}")
        gates = add(SigmoidOp.make(gates), f"gates{t}")
        i, o, f = unrolling.gates(gates, 3, f"gates{t}")
        candidate = unrolling.summed(h, cell_weights, for_cells, t, f"candidate{t}")
        candidate = add(TanhOp.make(candidate), f"candidate{t}")
        new = add(MulOp.make(i, candidate), f"new{t}")
        if c is not None:
            kept = add(MulOp.make(f, c), f"kept{t}")
            new = add(AddOp.make(kept, new), f"c{t}")
        c = cells[t] = new
        h = hidden[t] = add(MulOp.make(o, add(TanhOp.make(c), f"tanh{t}")), f"h{t}")
    both = [unrolling.sequence(hidden, "h"), unrolling.sequence(cells, "c")]
    unrolling.finish(add(ConcatOp.make(*both, dim=2), "h_and_c"))


def decompose_gru(op: GruOp, rewrite: Rewrite) -> None:
    """Per step two or three products, a sigmoid of two gates, a tanh, and h + z∘(h' − h)."""
    unrolling = _Unrolling(op, rewrite)
    w, r, bias, more = (unrolling.array(v) for v in (op.w, op.r, op.bias, op.recurrent_bias))
    if w is None or r is None or bias is None or more is None:
        return
    split = 2 * unrolling.hidden
    before: bool = op.params()["linear_before_reset"]
    bias = bias + np.where(np.arange(bias.size) < (split if before else bias.size), more, 0)
    add, part = unrolling.add, (slice(None, split), slice(split, None))
    for_gates = unrolling.product(op.x, w[:, part[0]], bias[part[0]], "gate_inputs")
    for_states = unrolling.product(op.x, w[:, part[1]], bias[part[1]], "state_inputs")
    gate_weights = unrolling.constant(r[:, part[0]], "gate_weights")
    state_weights = unrolling.constant(r[:, part[1]], "state_weights")
    state_bias = unrolling.constant(more[part[1]], "state_bias")
    h = unrolling.state(op.h0)
    hidden: dict[int, SSAValue] = {}
    for t in unrolling.steps:
        gates = unrolling.summed(h, gate_weights, for_gates, t, f"gates{t}")
        gates = add(SigmoidOp.make(gates), f"gates{t}")
        update, reset = unrolling.gates(gates, 2, f"gates{t}")
        name = f"candidate{t}"
        if not before:
            held = None if h is None else add(MulOp.make(reset, h), f"held{t}")
            candidate = unrolling.summed(held, state_weights, for_states, t, name)
        else:
            shown = state_bias
            if h is not None:
                shown = add(LinearOp.make(h, state_weights, state_bias), f"shown{t}")
            shown = add(MulOp.make(reset, shown), f"{name}/product")
            read = unrolling.part(for_states, 0, t, t + 1, f"{name}/input")
            candidate = add(AddOp.make(shown, read), f"{name}/sum")
        candidate = add(TanhOp.make(candidate), name)
        if h is None:
            change = add(MulOp.make(update, candidate), f"change{t}")
            h = add(SubOp.make(candidate, change), f"h{t}")
        else:
            change = add(SubOp.make(h, candidate), f"difference{t}")
            change = add(MulOp.make(update, change), f"change{t}")
            h = add(AddOp.make(candidate, change), f"h{t}")
        hidden[t] = h
    unrolling.finish(unrolling.sequence(hidden, "h"))


def decompose_rnn(op: RnnOp, rewrite: Rewrite) -> None:
    """Per step a product and a tanh or relu."""
    unrolling = _Unrolling(op, rewrite)
    w, r, bias = (unrolling.array(value) for value in (op.w, op.r, op.bias))
    if w is None or r is None or bias is None:
        return
    activation = TanhOp if op.params()["activation"] == "tanh" else ReluOp
    inputs = unrolling.product(op.x, w, bias, "inputs")
    weights = unrolling.constant(r, "weights")
    h = unrolling.state(op.h0)
    hidden: dict[int, SSAValue] = {}
    for t in unrolling.steps:
        total = unrolling.summed(h, weights, inputs, t, f"h{t}")
        h = hidden[t] = unrolling.add(activation.make(total), f"h{t}")
    unrolling.finish(unrolling.sequence(hidden, "h"))
