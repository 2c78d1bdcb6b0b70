"""What the rounding of each tensor, and of each layer's weights, alone costs: `losses_of`.

Every error counts once: the float network runs with one of them rounded to 8 bits at a time, from
the op where that happens on. What it does is measured before a last softmax or argmax, behind which
nothing shows until a class changes. Everything is a function of the samples, so the same data give
the same losses, whoever works them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.ir.function import body_of, return_of
from hbir.ir.types import Array
from hbir.ir.weights import WeightStore
from hbir.kernels.quantize import const_fake_quant
from hbir.module import Module
from hbir.passes.convert.lower_to_bpu.integer_weights import as_filters, lost_on_average
from hbir.passes.gemm import GemmOp, as_gemm, weight_range
from hbir.quantization.candidates import WEIGHTS_OPERAND, Candidate, Place, candidates_of
from hbir.quantization.similarity import Similarity
from hbir.quantization.work import TravellingModule, in_order, travelling
from hbir.runtime.interpreter import Plan, Values

CLASS_OPS = ("hbir.softmax", "hbir.argmax")

_BLOCK_ELEMENTS = 1 << 14

CANDIDATES_PER_ITEM = 16
"""Candidates of one item of work."""


def losses_of(
    observed: Module,
    candidates: Sequence[Candidate],
    samples: Sequence[Sequence[Array]],
    executor: Executor | None = None,
) -> list[float]:
    """For each candidate, 1 − the cosine with it alone rounded to 8 bits.

    observed: the float module that the candidates are of. samples: inputs. executor: who runs the
    network.
    """
    with travelling(observed, executor) as ticket:
        size = CANDIDATES_PER_ITEM if executor is not None else max(len(candidates), 1)
        items = [
            _Item(ticket, tuple(candidates[start : start + size]), samples)
            for start in range(0, len(candidates), size)
        ]
        return [loss for losses in in_order(_losses, items, executor) for loss in losses]


def noise_of(
    observed: Module, candidates: Sequence[Candidate], sample: Sequence[Array]
) -> list[float]:
    """For each candidate, the noise that its own rounding makes, as a share of it: Σ(x − x̂)² / Σx².

    One run of the network tells it of all, so it says in which few a look at the outputs is worth
    the time.
    """
    plan = Plan(observed.functions[0].op, observed.weights)
    ops = list(body_of(observed.functions[0].op).ops)
    steps = {op: number for number, op in enumerate(plan.ops)}
    at_step: dict[int, list[tuple[int, int]]] = {}
    found = [0.0] * len(candidates)
    for index, candidate in enumerate(candidates):
        for kind, place in candidate.places:
            if candidate.is_weights:
                found[index] = _weights_noise(ops[place], observed.weights)
            elif kind == "argument":
                found[index] = _noise(sample[place], candidate)
            else:
                step = steps[ops[place]]
                at_step.setdefault(step, []).append((index, plan.slots(step)[1][0]))
    values = plan.start(sample)
    for number in range(len(plan.ops)):
        plan.advance(values, number)
        for index, slot in at_step.get(number, ()):
            array = values[slot]
            if array is not None and array.dtype.kind == "f":
                found[index] = max(found[index], _noise(array, candidates[index]))
    return found


def _noise(array: Array, candidate: Candidate) -> float:
    low, high = candidate.narrow
    return _share(array, const_fake_quant(array, min=[low], max=[high]))


def _weights_noise(op: Operation, store: WeightStore) -> float:
    gemm = as_gemm(op)
    assert gemm is not None  # only their weights are candidates
    constant = gemm.w.owner
    assert isinstance(constant, ConstantOp)
    weights = store.array(constant.values)
    return _share(weights, const_fake_quant(weights, **weight_range(gemm, weights)))


def _share(wanted: Array, found: Array) -> float:
    signal = _energy(wanted)
    return _energy(wanted - found) / signal if signal > 0 else 0.0


def _energy(array: Array) -> float:
    """Σ x², block by block: a float32 sum of many small squares loses them."""
    numbers = array.ravel(order="K")
    starts = range(0, numbers.size, _BLOCK_ELEMENTS)
    blocks = (numbers[start : start + _BLOCK_ELEMENTS] for start in starts)
    return sum(float(block @ block) for block in blocks)


def best_of(
    observed: Sequence[Module],
    samples: Sequence[Sequence[Array]],
    *,
    asymmetric: bool,
    executor: Executor | None = None,
) -> dict[int, int]:
    """Which of several ways to choose ranges costs the outputs least, tensor by tensor.

    observed: the same float module with the ranges of each way, which aren't changed. samples:
    inputs. Returns the place in `observed` by a value's number (its arguments, then the ops'
    results); values that get no range of their own are left out. The first of equals is taken.
    """
    first = observed[0]
    function = first.functions[0].op
    numbers = _numbers_by_place(function)
    best: dict[tuple[Place, ...], tuple[float, int]] = {}
    for way, module in enumerate(observed):
        tensors = [c for c in candidates_of(module, asymmetric=asymmetric) if not c.is_weights]
        losses = losses_of(first, tensors, samples, executor)
        for candidate, loss in zip(tensors, losses, strict=True):
            known = best.get(candidate.places)
            if known is None or loss < known[0]:
                best[candidate.places] = loss, way
    return {
        number: way
        for places, (_, way) in best.items()
        for place in places
        for number in numbers[place]
    }


def _numbers_by_place(function: FuncOp) -> dict[Place, list[int]]:
    block = body_of(function)
    found: dict[Place, list[int]] = {
        ("argument", index): [index] for index in range(len(block.args))
    }
    number = len(block.args)
    for index, op in enumerate(block.ops):
        found["op", index] = list(range(number, number + len(op.results)))
        number += len(op.results)
    return found


@dataclass(frozen=True)
class _Item:
    """One item of work."""

    module: TravellingModule
    candidates: tuple[Candidate, ...]
    samples: Sequence[Sequence[Array]]


def _losses(item: _Item) -> list[float]:
    observed, candidates = item.module.open(), item.candidates
    plan = Plan(observed.functions[0].op, observed.weights)
    function = observed.functions[0].op
    ops = list(body_of(function).ops)
    steps = {op: number for number, op in enumerate(plan.ops)}
    measured = _measured_slots(function, steps, plan)
    edits = [_edit(candidate, ops, steps, plan, observed.weights) for candidate in candidates]
    similarities = [Similarity() for _ in candidates]
    by_step: dict[int, list[int]] = {}
    for index, edit in enumerate(edits):
        by_step.setdefault(edit.first, []).append(index)
    for inputs in item.samples:
        wanted = _run_edited(plan, plan.start(inputs), 0, _NO_EDIT, measured)
        values = plan.start(inputs)
        last = min(max(by_step, default=-1), max(measured, default=-1))
        for number in range(-1, last + 1):
            for index in by_step.get(number, []):
                found = _run_edited(plan, values, number, edits[index], measured)
                similarities[index].add([wanted[slot] for slot in found], list(found.values()))
            if 0 <= number < last:
                plan.advance(values, number)
    return [1.0 - similarity.least() for similarity in similarities]


def _measured_slots(
    function: FuncOp, steps: Mapping[Operation, int], plan: Plan
) -> dict[int, list[int]]:
    """Step → slots of its results at which errors are measured."""
    found: dict[int, list[int]] = {}
    for value in return_of(function).operands:
        place = _before_classes(value)
        if isinstance(place, OpResult) and place.op in steps:
            step = steps[place.op]
            slots = found.setdefault(step, [])
            slot = plan.slots(step)[1][place.index]
            slots.extend([slot] if slot not in slots else [])
    return found


def _before_classes(value: SSAValue) -> SSAValue:
    """What the last softmax or argmax before an output reads; else the output itself."""
    source = value
    while isinstance(source, OpResult) and isinstance(source.op, ReshapeOp | TransposeOp):
        source = source.op.operands[0]
    if isinstance(source, OpResult) and source.op.name in CLASS_OPS:
        return source.op.operands[0]
    return value


def _run_edited(
    plan: Plan, before: Values, first: int, edit: _Edit, measured: Mapping[int, Sequence[int]]
) -> dict[int, Array]:
    """What a run that goes on from the values before step `first` has in the measured slots.

    Those that are computed before aren't touched by the edit, and left out.
    """
    values = list(before)
    found: dict[int, Array] = {}
    for slot, array in edit.constants.items():
        values[slot] = array
    if first < 0:
        edit.after(values, first)
    for number in range(max(first, 0), max(measured, default=-1) + 1):
        plan.advance(values, number)
        edit.after(values, number)
        for slot in measured.get(number, ()):
            array = values[slot]  # alive: an output, or what the next op reads
            if array is not None:
                found[slot] = array
    return found


@dataclass(frozen=True)
class _Edit:
    """How a run differs from the float one; step −1 is before all others."""

    constants: Mapping[int, Array]
    rounded: Mapping[int, Sequence[int]]
    """Step → slots of which it has just computed what is to be rounded."""
    narrow: tuple[float, float]
    added: Mapping[int, tuple[int, Array]]
    """Step → slot, and what is added to each position of it."""

    @property
    def first(self) -> int:
        """The step from which on the run differs."""
        return min([*self.rounded, *self.added])

    def after(self, values: Values, number: int) -> None:
        """Change what step `number` computed."""
        for slot in self.rounded.get(number, ()):
            array = values[slot]
            if array is not None:
                low, high = self.narrow
                values[slot] = const_fake_quant(array, min=[low], max=[high])
        if number in self.added:
            slot, addend = self.added[number]
            array = values[slot]
            if array is not None:
                values[slot] = array + addend


_NO_EDIT = _Edit({}, {}, (0.0, 0.0), {})


def _edit(
    candidate: Candidate,
    ops: Sequence[Operation],
    steps: Mapping[Operation, int],
    plan: Plan,
    store: WeightStore,
) -> _Edit:
    rounded: dict[int, list[int]] = {}
    for kind, index in candidate.places:
        if kind == "argument":
            rounded.setdefault(-1, []).append(index)
            continue
        step = steps[ops[index]]
        gemm = as_gemm(ops[index])
        if candidate.is_weights and gemm is not None:
            return _weights_edit(gemm, step, plan, store)
        rounded[step] = list(plan.slots(step)[1])
    return _Edit({}, rounded, candidate.narrow, {})


def _weights_edit(gemm: GemmOp, step: int, plan: Plan, store: WeightStore) -> _Edit:
    """int8 weights, and on the result what the corrected bias makes up for."""
    operands, (result,) = plan.slots(step)
    constant = gemm.w.owner
    assert isinstance(constant, ConstantOp)  # only such weights are candidates
    weights = store.array(constant.values)
    rounded = const_fake_quant(weights, **weight_range(gemm, weights))
    correction = lost_on_average(gemm, as_filters(gemm, weights), as_filters(gemm, rounded), store)
    addend = np.zeros(1) if correction is None else correction
    return _Edit(
        {operands[WEIGHTS_OPERAND]: rounded},
        {},
        (0.0, 0.0),
        {step: (result, addend.astype(np.float32))},
    )
