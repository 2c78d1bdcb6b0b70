"""`search`: try ways to quantize a network until the outputs are close enough to float.

The data passes once, for all methods together; each is judged by the integer network on a few
batches. Scales per channel of activations are the exception: they change the float network
(`equalize-layers`), which is observed again, and so are tried last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from xdsl.dialects.func import FuncOp

from hbir.dialects.hbir.constant import ConstantOp
from hbir.errors import HbirError
from hbir.ir.function import body_of, output_names
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.module import Module
from hbir.passes.calibrate.equalize_layers import range_factors, scalable_tensors, scale_tensor
from hbir.passes.dtypes import Widths
from hbir.passes.pipelines import run_pipeline
from hbir.quantization.calibrate import BATCHES_TO_MIX, place, write_ranges
from hbir.quantization.candidates import Candidate, candidates_of
from hbir.quantization.convert import convert_module
from hbir.quantization.methods.method import MIX
from hbir.quantization.mixed_precision import (
    SAMPLES_MEASURED,
    Choice,
    Score,
    choose_widths,
    least_cosine,
)
from hbir.quantization.observe import (
    Observations,
    RunnerMaker,
    interpreter_runner,
    numbered,
    observe,
)
from hbir.quantization.sensitivity import losses_of, noise_of
from hbir.quantization.settings import Metric, MixedPrecision, Scheme
from hbir.quantization.similarity import Similarity
from hbir.quantization.statistics import Range, Wanted
from hbir.runtime.interpreter import Plan

log = logging.getLogger("hbir.calibrate")

BATCHES_JUDGED = 4
"""Batches on which schemes are compared."""

BEST_JUDGED_AGAIN, BATCHES_OF_THE_BEST = 4, 16
"""Where none of the schemes reaches the threshold, how many of the best are compared on how many
batches: on 4, two differ by chance alone (one of PP-OCR v5 detection has 0.848 on 4, 0.906 on
16)."""

BATCHES_WARNED = 2
"""Batches on which the only scheme there is is judged, to warn of a loss."""

Data = Iterable[Mapping[str, Any]]
"""Batches, input name → array; may be iterated several times."""


@dataclass(frozen=True)
class Trial:
    """One scheme: the float module with its ranges, and its cosine, None where it isn't judged.

    qat, quantized: what was judged.
    """

    scheme: Scheme
    observed: Module
    cosine: float | None = None
    qat: Module | None = None
    quantized: Module | None = None


class Quantizer:
    """What every trial needs: the network, its data, the march, the widths that are given."""

    def __init__(
        self,
        optimized: Module,
        data: Data,
        *,
        march: str,
        widths: Callable[[FuncOp], Widths],
        bias_correction: bool = True,
        keep: int = BATCHES_JUDGED,
        loaded: Mapping[str, Range] | None = None,
        executor: Executor | None = None,
        runner_of: RunnerMaker = interpreter_runner,
    ) -> None:
        """loaded: ranges by tensor, which go before those of the data. runner_of: makes what runs
        a float module on the data."""
        self._runner_of = runner_of
        self._march = march
        self._widths = widths
        self._data = data
        self._bias_correction = bias_correction
        self._keep = keep
        self._loaded = loaded
        self._executor = executor
        self._modules: dict[bool, Module] = {False: optimized}
        self._seen: dict[bool, Observations] = {}
        self._wanted: list[list[Array]] = []

    def search(self, schemes: Sequence[Scheme], threshold: float) -> tuple[Trial, list[Trial]]:
        """The first scheme whose cosine reaches the threshold, else the best; and all tried.

        The best are found on a few batches, and the best of them on more. A lone scheme isn't
        judged.
        """
        if not schemes:
            raise HbirError("a search needs at least one way to quantize")
        if len(schemes) > 1:
            self._keep = max(self._keep, BATCHES_OF_THE_BEST)
        tried: list[Trial] = []
        for scheme in schemes:
            trial = self._observed(scheme, schemes)
            if len(schemes) > 1:
                trial = self.judged(trial)
                log.info("%s: cosine %.6f", scheme.label, trial.cosine)
            tried.append(trial)
            if trial.cosine is not None and trial.cosine >= threshold:
                return trial, tried
        return self._best_of(tried), tried

    def _best_of(self, tried: Sequence[Trial]) -> Trial:
        """The best of those that fall short."""
        best = sorted(tried, key=lambda trial: -(trial.cosine or 0.0))[:BEST_JUDGED_AGAIN]
        count = min(BATCHES_OF_THE_BEST, len(self.samples))
        if len(best) == 1 or count <= BATCHES_JUDGED:
            return best[0]
        again: list[Trial] = []
        for trial in best:
            assert trial.quantized is not None, "trials of a search are judged"
            cosine = self.cosine(trial.quantized, count)
            log.info("%s: cosine %.6f on %d batches", trial.scheme.label, cosine, count)
            again.append(replace(trial, cosine=cosine))
        return max(again, key=lambda trial: trial.cosine or 0.0)

    def judged(self, trial: Trial, batches: int = BATCHES_JUDGED) -> Trial:
        """The trial with its cosine to float, by the integer network on some batches."""
        qat = self.placed(trial)
        quantized = convert_module(qat, self._march, is_optimized=True)
        cosine = self.cosine(quantized, batches)
        return replace(trial, cosine=cosine, qat=qat, quantized=quantized)

    def placed(self, trial: Trial, widths: Callable[[FuncOp], Widths] | None = None) -> Module:
        """The qat module of a trial with widths, by default those that are given."""
        clone = trial.observed.clone()
        chosen = (widths or self._widths)(clone.functions[0].op)
        return place(clone, chosen, asymmetric=trial.scheme.method.asymmetric)

    @property
    def samples(self) -> list[list[Array]]:
        """The inputs of the batches on which trials are judged."""
        return self._seen[False].kept

    def cosine(self, quantized: Module, batches: int = BATCHES_JUDGED) -> float:
        """The least cosine of an output to float over the first batches that are kept."""
        samples = self.samples[:batches]
        if not self._wanted:
            self._wanted = self._seen[False].outputs
        if len(self._wanted) < len(samples):
            float_module = self._modules[False]
            plan = Plan(float_module.functions[0].op, float_module.weights)
            self._wanted = [plan.run(inputs) for inputs in samples]
        integer = Plan(quantized.functions[0].op, quantized.weights)
        similarity = Similarity()
        for inputs, outputs in zip(samples, self._wanted, strict=False):
            similarity.add(outputs, integer.run(inputs))
        return similarity.least()

    def widened(self, trial: Trial, mixed: MixedPrecision) -> Choice:
        """The wider types that bring a trial to the target for the least time."""
        asymmetric = trial.scheme.method.asymmetric
        outputs = output_names(trial.observed.functions[0].op)
        return choose_widths(
            trial.observed,
            self.samples[: mixed.batches],
            lambda widths, clone: convert_module(
                place(clone, widths, asymmetric=asymmetric), self._march, is_optimized=True
            ),
            mixed.target,
            given=self._widths,
            asymmetric=asymmetric,
            wide=mixed.wide,
            score=least_cosine if mixed.metric is None else by_name(mixed.metric, outputs),
            executor=self._executor,
        )

    def worst(self, trial: Trial, count: int) -> list[tuple[Candidate, float]]:
        """What int8 rounds with the most noise of its own, and what each alone costs the outputs,
        the worst first. count: of how many that is worked out."""
        candidates = candidates_of(trial.observed, asymmetric=trial.scheme.method.asymmetric)
        noise = noise_of(trial.observed, candidates, self.samples[0])
        order = sorted(range(len(candidates)), key=lambda index: -noise[index])
        noisiest = [candidates[index] for index in order[:count]]
        samples = self.samples[:SAMPLES_MEASURED]
        losses = losses_of(trial.observed, noisiest, samples, self._executor)
        return sorted(zip(noisiest, losses, strict=True), key=lambda pair: -pair[1])

    def _observed(self, scheme: Scheme, schemes: Sequence[Scheme]) -> Trial:
        self._observe(scheme.per_channel, schemes)
        module = self._modules[scheme.per_channel].clone()
        seen = self._seen[scheme.per_channel]
        write_ranges(module, seen, scheme.method, self._executor, self._loaded)
        return Trial(scheme, module)

    def _observe(self, per_channel: bool, schemes: Sequence[Scheme]) -> None:
        """See the data, once for all schemes that agree in `per_channel`."""
        if per_channel in self._seen:
            return
        module = self._modules[False]
        methods = [s.method for s in schemes if s.per_channel == per_channel]
        if per_channel:
            channels = self._run(module, Wanted(channels=True))
            self._seen.setdefault(False, channels)
            module = self._modules[True] = scaled_per_channel(module, channels)
        needs = [method.wanted for method in methods]
        wanted = Wanted(
            any(need.histograms for need in needs),
            max(need.bins for need in needs),
            next((need.averaging for need in needs if need.averaging is not None), None),
        )
        mixed = any(method.name == MIX for method in methods)
        self._seen[per_channel] = self._run(module, wanted, BATCHES_TO_MIX if mixed else 0)

    def _run(self, module: Module, wanted: Wanted, keep: int = 0) -> Observations:
        return observe(
            module,
            self._data,
            wanted,
            means=self._bias_correction,
            keep=max(keep, self._keep),
            executor=self._executor,
            runner_of=self._runner_of,
        )


def by_name(metric: Metric, names: Sequence[str]) -> Score:
    """A user's metric as a score of outputs in order."""

    def score(wanted: Sequence[Sequence[Array]], found: Sequence[Sequence[Array]]) -> float:
        named = [
            [dict(zip(names, outputs, strict=True)) for outputs in batches]
            for batches in (wanted, found)
        ]
        return float(metric(*named))

    return score


def scaled_per_channel(module: Module, seen: Observations) -> Module:
    """A copy of an optimized module in which activations fill their range channel by channel.

    Only what lies between convolutions and linear layers can (`equalize-layers`): the layer before
    gives each channel its scale, the weights behind take it back. Others keep one scale.
    """
    result = module.clone()
    function = result.functions[0].op
    rewrite = Rewrite(result.context)
    numbers = {value: number for number, value in enumerate(numbered(function))}
    tensors = list(scalable_tensors(function, rewrite))
    for tensor in tensors:
        found = seen.tensors.get(numbers[tensor.value])
        if found is not None and found.channels is not None:
            scale_tensor(tensor, range_factors(*found.channels), rewrite)
    quantized = sum(not isinstance(op, ConstantOp) for op in body_of(function).ops)
    log.info("activations per channel: %d tensors of %d ops can", len(tensors), quantized)
    run_pipeline(result.context, result.op, ("dead-code-elimination",))
    return result


def equalized(module: Module) -> Module:
    """A copy of an optimized module with the weights of neighbouring layers evened out."""
    result = module.clone()
    run_pipeline(result.context, result.op, ("equalize-layers", "dead-code-elimination"))
    return result
