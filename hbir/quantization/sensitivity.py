"""Which tensors and weights need 16 bits for the outputs to stay close to float: `choose_widths`.

Every error counts once: the float network runs with one tensor (or one layer's weights) rounded to
8 bits at a time, from the op where that happens on. What it does is measured before a last softmax
or argmax, behind which nothing shows until a class changes. Small errors add up, so the worst are
widened first, as many as the target needs; how many that is, the integer network itself decides by
a bisection. Everything is a function of the batches, so the same data give the same choice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.ir.function import body_of, return_of
from hbir.ir.origin import name_of
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.ir.weights import WeightStore
from hbir.kernels.quantize import const_fake_quant
from hbir.module import Module
from hbir.passes.calibrate.place_fake_quants import scale_sets
from hbir.passes.convert.lower_to_bpu.gemm import as_filters, lost_on_average
from hbir.passes.dtypes import Widths
from hbir.passes.gemm import GemmOp, as_gemm, weight_range
from hbir.quantization.dtypes import node_name
from hbir.quantization.similarity import Similarity
from hbir.runtime.interpreter import Plan, Values

log = logging.getLogger("hbir.calibrate")

SAMPLES_MEASURED = 1
"""Batches on which single errors are measured, for they only give an order; the choice as a whole
is judged on all kept."""

WEIGHTS_OPERAND = 1

CLASS_OPS = ("hbir.softmax", "hbir.argmax")

Place = tuple[str, int]
"""("argument", its index) or ("op", its index in the body): the same in every clone."""


@dataclass(frozen=True)
class Candidate:
    """What is widened together: tensors of one scale, or the weights of one op."""

    name: str
    places: tuple[Place, ...]
    is_weights: bool
    narrow: tuple[float, float] = (0.0, 0.0)
    """The 8-bit range of tensors."""


def choose_widths(
    observed: Module,
    samples: Sequence[Sequence[Array]],
    judge: Callable[[Widths, Module], Module],
    target: float,
    *,
    given: Callable[[FuncOp], Widths],
    asymmetric: bool,
) -> Callable[[FuncOp], Widths]:
    """The fewest worst tensors and weights whose 16 bits bring the outputs' cosine to `target`.

    observed: a float module with everything that placement needs, which isn't changed. samples:
    inputs of some batches. judge: widths and a clone of `observed` they belong to → the integer
    module. given: what the user chose himself, by the function of a clone. Returns the whole
    choice, by the function of a clone. Logs what it chose and why; warns where even 16 bits
    everywhere fall short.
    """
    function = observed.functions[0].op
    plan = Plan(function, observed.weights)
    wanted = [plan.run(inputs) for inputs in samples]

    def widths(chosen: Sequence[Candidate], clone: FuncOp) -> Widths:
        return _widths(chosen, clone, given(clone))

    def cosine(chosen: Sequence[Candidate]) -> float:
        clone = observed.clone()
        module = judge(widths(chosen, clone.functions[0].op), clone)
        integer = Plan(module.functions[0].op, module.weights)
        similarity = Similarity()
        for inputs, outputs in zip(samples, wanted, strict=True):
            similarity.add(outputs, integer.run(inputs))
        return similarity.least()

    before = cosine([])
    if before >= target:
        log.info("cosine %.5f with int8 as it is: no op needs int16 for %.5f", before, target)
        return given
    candidates = _candidates(observed, asymmetric=asymmetric)
    losses = _losses(observed, plan, candidates, samples[:SAMPLES_MEASURED])
    order = sorted(range(len(candidates)), key=lambda index: (-losses[index], index))
    ranked = [candidates[index] for index in order]
    ranked_losses = [losses[index] for index in order]

    @cache
    def cosine_of_first(count: int) -> float:
        return cosine(ranked[:count])

    count = fewest(cosine_of_first, ranked_losses, target)
    chosen = ranked[:count]
    _report(chosen, ranked_losses, before, cosine_of_first(count), target)
    return partial(widths, chosen)


def fewest(cosine: Callable[[int], float], losses: Sequence[float], target: float) -> int:
    """The least count with which the target is reached, all where it never is.

    Looks first where the sum of the remaining losses says, then a quarter beside it, then halves.
    """
    below, enough = 0, len(losses)
    remaining = np.cumsum(np.asarray(losses, np.float64)[::-1])[::-1]
    guess = int(np.searchsorted(-remaining, target - 1.0))
    beside = True
    while enough - below > 1:
        guess = min(max(guess, below + 1), enough - 1)
        reached = cosine(guess) >= target
        below, enough = (below, guess) if reached else (guess, enough)
        nearby = guess * 3 // 4 if reached else guess + guess // 4 + 1
        guess = nearby if beside else (below + enough) // 2
        beside = False
    return enough


def _report(
    chosen: Sequence[Candidate],
    losses: Sequence[float],
    before: float,
    after: float,
    target: float,
) -> None:
    if after < target:
        log.warning(
            "cosine %.5f with int16 everywhere, %.5f without: %.5f is out of reach", after, before,
            target,
        )  # fmt: skip
        return
    log.info(
        "cosine %.5f with int8, %.5f with int16 for %d, as dtype = {", before, after, len(chosen)
    )
    for candidate, loss in zip(chosen, losses, strict=False):
        key = "input1" if candidate.is_weights else "output"
        log.info('  "%s": {"%s": "int16"},  # cost %.5f', candidate.name, key, loss)
    log.info("}")


def best_of(
    observed: Sequence[Module], samples: Sequence[Sequence[Array]], *, asymmetric: bool
) -> dict[int, int]:
    """Which of several ways to choose ranges costs the outputs least, tensor by tensor.

    observed: the same float module with the ranges of each way, which aren't changed. samples:
    inputs. Returns the place in `observed` by a value's number (its arguments, then the ops'
    results); values that get no range of their own are left out. The first of equals is taken.
    """
    first = observed[0]
    function = first.functions[0].op
    plan = Plan(function, first.weights)
    numbers = _numbers_by_place(function)
    best: dict[tuple[Place, ...], tuple[float, int]] = {}
    for way, module in enumerate(observed):
        tensors = [c for c in _candidates(module, asymmetric=asymmetric) if not c.is_weights]
        losses = _losses(first, plan, tensors, samples)
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


# --------------------------------------------------------------------------- candidates


def _candidates(observed: Module, *, asymmetric: bool) -> list[Candidate]:
    clone = observed.clone()
    function = clone.functions[0].op
    places = _places(function)
    rewrite = Rewrite(clone.context)
    found = [
        Candidate(
            _chosen_by(group.sources[0]),
            tuple(places[value] for value in group.sources),
            False,
            group.narrow,
        )
        for group in scale_sets(function, rewrite, asymmetric=asymmetric)
    ]
    for op in body_of(function).ops:
        gemm = as_gemm(op)
        if gemm is not None and rewrite.constant_value(gemm.w) is not None:
            found.append(Candidate(_chosen_by(gemm.output), (places[gemm.output],), True))
    return found


def _chosen_by(value: SSAValue) -> str:
    """The name by which `dtype` knows the op or input that gives a value."""
    owner = value.owner
    node = node_name(owner) if isinstance(owner, Operation) else None
    return node or name_of(value, "?")


def _places(function: FuncOp) -> dict[SSAValue, Place]:
    block = body_of(function)
    places: dict[SSAValue, Place] = {
        argument: ("argument", index) for index, argument in enumerate(block.args)
    }
    for index, op in enumerate(block.ops):
        places.update(dict.fromkeys(op.results, ("op", index)))
    return places


def _widths(chosen: Sequence[Candidate], function: FuncOp, given: Widths) -> Widths:
    """`given` and the choice, as widths of this clone; what was given stays."""
    block = body_of(function)
    ops = list(block.ops)
    for candidate in chosen:
        for kind, index in candidate.places:
            if candidate.is_weights:
                given.operands.setdefault((ops[index], WEIGHTS_OPERAND), 16)
                continue
            results = ops[index].results if kind == "op" else [block.args[index]]
            for value in results:
                given.values.setdefault(value, 16)
    return given


# --------------------------------------------------------------------------- single errors


def _losses(
    observed: Module,
    plan: Plan,
    candidates: Sequence[Candidate],
    samples: Sequence[Sequence[Array]],
) -> list[float]:
    """For each candidate, 1 − the cosine with it alone rounded to 8 bits."""
    function = observed.functions[0].op
    ops = list(body_of(function).ops)
    steps = {op: number for number, op in enumerate(plan.ops)}
    measured = _measured_slots(function, steps, plan)
    edits = [_edit(candidate, ops, steps, plan, observed.weights) for candidate in candidates]
    similarities = [Similarity() for _ in candidates]
    by_step: dict[int, list[int]] = {}
    for index, edit in enumerate(edits):
        by_step.setdefault(edit.first, []).append(index)
    for inputs in samples:
        wanted = _run_edited(plan, plan.start(inputs), 0, _NO_EDIT, measured)
        values = plan.start(inputs)
        for number in range(-1, max(measured, default=-1) + 1):
            for index in by_step.get(number, []):
                found = _run_edited(plan, values, number, edits[index], measured)
                similarities[index].add(wanted, found)
            if number >= 0:
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
) -> list[Array]:
    """What a run that goes on from the values before step `first` has in the measured slots."""
    values = list(before)
    found: list[Array] = []
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
                found.append(array)
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
    difference = as_filters(gemm, weights.astype(np.float64) - rounded)
    correction = lost_on_average(gemm, difference, store)
    addend = np.zeros(1) if correction is None else correction
    return _Edit(
        {operands[WEIGHTS_OPERAND]: rounded},
        {},
        (0.0, 0.0),
        {step: (result, addend.astype(np.float32))},
    )
