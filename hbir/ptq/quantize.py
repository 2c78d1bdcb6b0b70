"""`quantize`: a float network and a user's settings → the qat module, and what to say about it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from hbir.module import Module
from hbir.ptq.float_runner import fastest_runner
from hbir.ptq.loaded_ranges import load_ranges
from hbir.ptq.many_times import many_times
from hbir.ptq.quant_info import quant_info_of
from hbir.ptq.tuning import final_quant_config, tuning_report
from hbir.quantization.calibrate import optimized
from hbir.quantization.convert import convert_module
from hbir.quantization.methods.method import MAX, Method
from hbir.quantization.mixed_precision import Choice
from hbir.quantization.search import BATCHES_JUDGED, BATCHES_WARNED, Quantizer, Trial, equalized
from hbir.quantization.settings import WARN_BELOW, QuantSettings, Scheme
from hbir.quantization.statistics import Range
from hbir.quantization.weight_rounding import rounded_weights
from hbir.quantization.wishes import Wishes

log = logging.getLogger("hbir.calibrate")

ADAROUND = "adaround"
BATCHES_ROUNDED = 8
"""Batches on which roundings of weights are chosen."""

WORST_NAMED = 5
"""How many layers a warning names."""

NOISIEST_MEASURED = 8
"""Of how many layers, those whose own rounding makes most noise, the cost is worked out."""

LEAST_SHARE_NAMED = 0.05
"""Of the loss of the worst layer, what a layer must have to be named."""


@dataclass(frozen=True)
class QuantizationResult:
    """A qat module and how it came to be.

    method: as logs name it. quant_info: tensor → its range, scale, zero point and type, by the
    names of the source model. tried: (method, cosine to float) of a search. config: a quant_config
    that gives the same module again. report: Markdown, empty where nothing was tuned.
    """

    module: Module
    method: str
    quant_info: Mapping[str, Any]
    tried: tuple[tuple[str, float], ...] = ()
    cosine: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    report: str = ""
    choice: Choice | None = None
    """What mixed precision widened."""
    quantized: Module | None = None
    """`module` converted for the settings' march with no other option, where a cosine was asked of
    it."""
    reference: Module | None = None
    """The float network that `module`'s tensors compare with: its channels are scaled as there, by
    equalization or per channel. None where the model brought its own scales."""


def quantize(
    module: Module,
    data: Iterable[Mapping[str, Any]],
    settings: QuantSettings,
    *,
    executor: Executor | None = None,
    ready: Module | None = None,
) -> QuantizationResult:
    """Quantize a float module on `data`, mappings from input names to arrays.

    module: one function, not changed. ready: the same, optimized already. data: iterated several
    times where a search asks for it, a batch at a time; what an iterator gives is kept in a
    temporary folder meanwhile. executor: of `concurrent.futures`, whose
    workers run the network; results don't depend on it. Raises HbirError for nodes that the network
    doesn't have, and as
    `hbir.calibrate` does for bad data.
    """
    with many_times(data) as batches:
        return _quantize(module, batches, settings, executor, ready)


def _quantize(
    module: Module,
    data: Iterable[Mapping[str, Any]],
    settings: QuantSettings,
    executor: Executor | None,
    ready: Module | None,
) -> QuantizationResult:
    for warning in settings.warnings:
        log.warning("%s", warning)
    wishes = Wishes(settings, module)
    clone = optimized(module) if ready is None else ready.clone()
    if settings.equalization:
        clone = equalized(clone)
    wishes.places.mark(clone.functions[0].op)
    mixed = settings.mixed_precision
    schemes = settings.schemes[:1] if settings.made_up_data else settings.schemes
    loaded: Mapping[str, Range] | None = None
    if settings.load is not None:
        loaded, asymmetric = load_ranges(settings.load)
        schemes = (_scheme_with(loaded=asymmetric, said=settings.schemes),)
    rounds = settings.rounding == ADAROUND and not settings.made_up_data
    quantizer = Quantizer(
        clone,
        data,
        march=settings.march,
        widths=wishes.widths,
        bias_correction=settings.bias_correction,
        keep=max(
            BATCHES_JUDGED,
            0 if mixed is None else mixed.batches,
            BATCHES_ROUNDED if rounds else 0,
        ),
        loaded=loaded,
        executor=executor,
        runner_of=fastest_runner,
    )
    best, tried = quantizer.search(schemes, settings.threshold)
    log.info("Select %s method.", best.scheme.label)
    cosines = tuple((t.scheme.label, t.cosine) for t in tried if t.cosine is not None)
    if settings.made_up_data:
        placed = quantizer.placed(best)
        info = quant_info_of(placed)
        return QuantizationResult(placed, best.scheme.label, info, cosines, reference=best.observed)
    choice = None if mixed is None else quantizer.widened(best, mixed)
    if choice is None:
        judged = best if best.cosine is not None else quantizer.judged(best, BATCHES_WARNED)
        placed, cosine, quantized = judged.qat, judged.cosine, judged.quantized
    else:
        judged, cosine, quantized = best, choice.score, None
        placed = quantizer.placed(best, lambda f: choice.widths(f, wishes.widths(f)))
    assert placed is not None, "a judged trial has its module"
    if rounds:
        placed = rounded_weights(placed, quantizer.samples[:BATCHES_ROUNDED])
        quantized = convert_module(placed, settings.march)
        found = quantizer.cosine(quantized)
        log.info("weights rounded by adaround: cosine %.6f", found)
        cosine = found if mixed is None or mixed.metric is None else cosine
    if choice is None and cosine is not None and cosine < WARN_BELOW:
        warn_of_loss(quantizer, judged, cosine)
    report = (
        ""
        if choice is None or mixed is None
        else tuning_report(choice, mixed, best.scheme.label, settings.march)
    )
    return QuantizationResult(
        placed,
        best.scheme.label,
        quant_info_of(placed),
        cosines,
        cosine,
        final_quant_config(settings, best.scheme, choice),
        report,
        choice,
        quantized,
        best.observed,
    )


def _scheme_with(*, loaded: bool, said: Sequence[Scheme]) -> Scheme:
    """How tensors without a loaded range get theirs: as said where that is one way, else by `max`.

    loaded: whether loaded ranges have zero points, which then all have.
    """
    (only, *others) = said
    scheme = Scheme(Method(MAX)) if others else only
    return replace(scheme, method=replace(scheme.method, asymmetric=loaded))


def warn_of_loss(quantizer: Quantizer, trial: Trial, cosine: float) -> None:
    """Say that integers lose accuracy, where most, and what helps."""
    found = quantizer.worst(trial, NOISIEST_MEASURED)
    if not found:
        return
    least = found[0][1] * LEAST_SHARE_NAMED
    worst = [pair for pair in found if pair[1] >= least][:WORST_NAMED]
    log.warning(
        "cosine to float is %.5f on the calibration data, below %.2f: the model will lose accuracy."
        " What the rounding of each alone costs:",
        cosine,
        WARN_BELOW,
    )
    for candidate, loss in worst:
        what = "weights" if candidate.is_weights else "result"
        log.warning("  %s: %s %.5f", candidate.name, what, loss)
    candidate, _ = worst[0]
    log.warning(
        'Give them 16 bits, as node_config {"%s": {"%s": "int16"}, ...}, or let hbir find the'
        ' cheapest choice: model_config {"search": {"mixed_precision": true, "target": 0.995}}',
        candidate.name,
        candidate.key,
    )
