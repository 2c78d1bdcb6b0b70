"""The wider types that bring a network to its target for the least time: `choose_widths`.

Candidates are the tensors and weights that int8 rounds, each with what its rounding alone costs the
outputs (`sensitivity`) and what widening it is predicted to take (`predicted_time`). They are
widened in the order of gain per µs, as many as the target needs; how many that is, the integer
network itself decides by a bisection, for small errors add up. Nothing else is tried on the
samples: taking single ones back where the target held without them was held so by the samples
alone (PP-OCR v5 recognition fell from 0.997 to 0.990 on lines that it hadn't seen). Everything is a
function of the samples.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from hbir.ir.function import body_of
from hbir.ir.origin import name_of
from hbir.ir.types import Array
from hbir.module import Module
from hbir.passes.dtypes import Widths
from hbir.passes.groups import group_ending_at, is_inside_group
from hbir.passes.ties import scale_sources
from hbir.quantization.candidates import Candidate, Place, candidates_of, widened
from hbir.quantization.dtypes import DTYPE_BITS
from hbir.quantization.predicted_time import added_time, layer_times
from hbir.quantization.sensitivity import losses_of
from hbir.quantization.similarity import Similarity
from hbir.runtime.interpreter import Plan

log = logging.getLogger("hbir.calibrate")

SAMPLES_MEASURED = 1
"""Batches on which single errors are measured, for they only give an order; the choice as a whole
is judged on all kept."""

Judge = Callable[[Widths, Module], Module]
"""Widths and the copy of the float module they belong to → the integer module."""

Score = Callable[[Sequence[Sequence[Array]], Sequence[Sequence[Array]]], float]
"""(outputs of float, outputs of integers), per batch → how good; more is better."""


@dataclass(frozen=True)
class Chosen:
    """One candidate that is widened: what its rounding alone cost, and the µs it is to take."""

    candidate: Candidate
    loss: float
    added_us: float


@dataclass(frozen=True)
class Choice:
    """What is widened in all, in the order in which it was chosen."""

    chosen: tuple[Chosen, ...]
    wide: str
    score_before: float
    score: float
    us_before: float
    us: float
    """Sums of what layers take by themselves."""
    worst: tuple[tuple[str, float], ...] = ()
    """Names and losses of the worst candidates, widened or not."""

    def widths(self, function: FuncOp, given: Widths) -> Widths:
        """`given` and the choice, for a copy of the float module."""
        bits = DTYPE_BITS[self.wide]
        return widened([chosen.candidate for chosen in self.chosen], function, given, bits)

    def node_config(self) -> dict[str, dict[str, str]]:
        """The choice as the `node_config` of a quant_config."""
        config: dict[str, dict[str, str]] = {}
        for chosen in self.chosen:
            wide = "int16" if chosen.candidate.is_weights else self.wide
            config.setdefault(chosen.candidate.name, {})[chosen.candidate.key] = wide
        return config


def least_cosine(wanted: Sequence[Sequence[Array]], found: Sequence[Sequence[Array]]) -> float:
    """The score where no metric is given: the least cosine of an output over all batches."""
    similarity = Similarity()
    for outputs, others in zip(wanted, found, strict=True):
        similarity.add(outputs, others)
    return similarity.least()


def choose_widths(
    observed: Module,
    samples: Sequence[Sequence[Array]],
    judge: Judge,
    target: float,
    *,
    given: Callable[[FuncOp], Widths],
    asymmetric: bool,
    wide: str = "int16",
    score: Score = least_cosine,
    executor: Executor | None = None,
) -> Choice:
    """The tensors and weights whose wider type brings the outputs' score to `target`.

    observed: a float module with everything that placement needs, which isn't changed. samples:
    inputs of some batches. given: what the user chose himself, by the function of a copy, which
    stays. wide: the type of tensors; weights become int16. Logs what it chose and why; warns where
    the target is out of reach, and then widens everything.
    """
    trial = _Trial(observed, samples, judge, given, wide, score)
    narrow = trial.module(())
    before = trial.score(narrow)
    us_before = sum(layer_times(narrow).values())
    if before >= target:
        log.info("%.5f with int8 as it is: nothing needs %s for %.5f", before, wide, target)
        return Choice((), wide, before, before, us_before, us_before)
    candidates = candidates_of(observed, asymmetric=asymmetric)
    losses = losses_of(observed, candidates, samples[:SAMPLES_MEASURED], executor)
    added = _added_times(observed, candidates, narrow, trial.module(candidates))
    ranked = by_gain(list(map(Chosen, candidates, losses, added)))

    @cache
    def score_of_first(count: int) -> float:
        return trial.score(trial.module([item.candidate for item in ranked[:count]]))

    count = fewest(score_of_first, [item.loss for item in ranked], target)
    chosen = ranked[:count]
    reached = score_of_first(count)
    final = trial.module([item.candidate for item in chosen])
    worst = sorted(ranked, key=lambda item: -item.loss)[:10]
    choice = Choice(
        tuple(chosen),
        wide,
        before,
        reached,
        us_before,
        sum(layer_times(final).values()),
        tuple((item.candidate.name, item.loss) for item in worst),
    )
    _report(choice, target)
    return choice


class _Trial:
    """Converts a choice to integers and scores it."""

    def __init__(
        self,
        observed: Module,
        samples: Sequence[Sequence[Array]],
        judge: Judge,
        given: Callable[[FuncOp], Widths],
        wide: str,
        score: Score,
    ) -> None:
        plan = Plan(observed.functions[0].op, observed.weights)
        self._wanted = [plan.run(inputs) for inputs in samples]
        self._observed, self._samples, self._judge = observed, samples, judge
        self._given, self._bits, self._score = given, DTYPE_BITS[wide], score

    def module(self, chosen: Sequence[Candidate]) -> Module:
        """The integer module with these candidates widened."""
        clone = self._observed.clone()
        function = clone.functions[0].op
        return self._judge(widened(chosen, function, self._given(function), self._bits), clone)

    def score(self, module: Module) -> float:
        """How good an integer module is."""
        plan = Plan(module.functions[0].op, module.weights)
        return self._score(self._wanted, [plan.run(inputs) for inputs in self._samples])


def by_gain(items: Sequence[Chosen]) -> list[Chosen]:
    """What takes back the most loss per added µs first.

    What is predicted to cost nothing still counts as one more, by what is typical: its gain is an
    estimate, too.
    """
    typical_us = sum(max(item.added_us, 0.0) for item in items) / max(len(items), 1) or 1.0
    return sorted(items, key=lambda item: -item.loss / (max(item.added_us, 0.0) + typical_us))


def fewest(score: Callable[[int], float], losses: Sequence[float], target: float) -> int:
    """The least count with which the target is reached, all where it never is.

    Looks first where the sum of the remaining losses says, then a quarter beside it, then halves.
    """
    below, enough = 0, len(losses)
    remaining = np.cumsum(np.asarray(losses, np.float64)[::-1])[::-1]
    guess = int(np.searchsorted(-remaining, target - 1.0))
    beside = True
    while enough - below > 1:
        guess = min(max(guess, below + 1), enough - 1)
        reached = score(guess) >= target
        below, enough = (below, guess) if reached else (guess, enough)
        nearby = guess * 3 // 4 if reached else guess + guess // 4 + 1
        guess = nearby if beside else (below + enough) // 2
        beside = False
    return enough


def _added_times(
    observed: Module, candidates: Sequence[Candidate], narrow: Module, wide: Module
) -> list[float]:
    """The µs that each candidate is predicted to add, alone.

    What a layer takes longer with everything wide is shared by the candidates it reads.
    """
    before, after = layer_times(narrow), layer_times(wide)
    function = observed.functions[0].op
    at_places: dict[Place, list[int]] = {}
    for index, candidate in enumerate(candidates):
        for place in candidate.places:
            at_places.setdefault((place[0] + ("w" if candidate.is_weights else ""), place[1]), []
                                 ).append(index)  # fmt: skip
    added = [0.0] * len(candidates)
    for layer, readers in _reads(function).items():
        causes = sorted({index for place in readers for index in at_places.get(place, ())})
        for index in causes:
            added[index] += added_time(before, after, layer) / len(causes)
    return added


def _reads(function: FuncOp) -> Mapping[str, set[Place]]:
    """The tensor that a layer computes → the places of what it reads, weights at `("opw", i)`."""
    block = body_of(function)
    places: dict[object, set[Place]] = {a: {("argument", i)} for i, a in enumerate(block.args)}
    found: dict[str, set[Place]] = {}
    for index, op in enumerate(block.ops):
        read = _read_by(op, places)
        group = group_ending_at(op)
        if group is not None:
            read |= _read_by(group.gemm, places)
            if group.residual is not None:
                read |= places.get(group.residual, set())
        if is_inside_group(op):
            weights = {("opw", index)}
            places.update(dict.fromkeys(op.results, read | weights))
            continue
        moved = bool(scale_sources(op))
        for result in op.results:
            own = {("op", index)}
            places[result] = own | (read if moved else set())
            name = name_of(result, "")
            if name:
                found.setdefault(name, set()).update(read | {("opw", index)})
    return found


def _read_by(op: Operation, places: Mapping[object, set[Place]]) -> set[Place]:
    return {place for value in op.operands for place in places.get(value, ())}


def _report(choice: Choice, target: float) -> None:
    if choice.score < target:
        log.warning(
            "%.5f with %s everywhere, %.5f without: %.5f is out of reach", choice.score,
            choice.wide, choice.score_before, target,
        )  # fmt: skip
        return
    log.info(
        "cosine %.5f with int8, %.5f with %s for %d, as dtype = {", choice.score_before,
        choice.score, choice.wide, len(choice.chosen),
    )  # fmt: skip
    for item in choice.chosen:
        log.info(
            '  "%s": {"%s": "%s"},  # cost %.5f, %.2f µs', item.candidate.name, item.candidate.key,
            choice.wide, item.loss, item.added_us,
        )  # fmt: skip
    log.info("}  # %.1f µs of layers instead of %.1f", choice.us, choice.us_before)
