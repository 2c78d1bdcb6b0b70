"""`calibrate`: run a float network on real data, and place fake-quants from what was seen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from xdsl.dialects.func import FuncOp

from hbir.errors import HbirError
from hbir.ir.origin import name_of
from hbir.module import Module
from hbir.passes.dtypes import Widths, write_widths
from hbir.passes.observed import write_input_means, write_observed
from hbir.passes.pipelines import CALIBRATE, OPTIMIZE, run_pipeline
from hbir.quantization.convert import convert_module
from hbir.quantization.dtypes import Dtypes, node_names, widths_of
from hbir.quantization.methods.method import MAX, MIX, Method, method_of
from hbir.quantization.mixed_precision import choose_widths
from hbir.quantization.observe import Observations, numbered, observe
from hbir.quantization.sensitivity import best_of
from hbir.quantization.statistics import Range

log = logging.getLogger("hbir.calibrate")

BATCHES_KEPT = 8
"""Batches in memory on which the choice of int16 is judged."""

BATCHES_TO_MIX = 1
"""Batches on which `mix` compares methods, tensor by tensor."""

JUDGED_ON = "nash-p"
"""March whose integers judge that choice; all have the same arithmetic, and this one float16."""

FOREIGN_RATIO = 8.0
"""How far a loaded range may be from the data's before a warning asks whether it is this one's."""

SEEN_SHARE = 0.9
"""How much of the loss that a target allows may show on the batches that the choice is judged on.
They were calibrated on; on other inputs it is a little more: PP-OCR v5 recognition, chosen for
0.995, had 0.9948."""


def calibrate(
    module: Module,
    batches: Iterable[Mapping[str, Any]],
    method: str = MAX,
    *,
    asymmetric: bool = True,
    bias_correction: bool = True,
    dtype: Dtypes | None = None,
    target_cosine: float | None = None,
    executor: Executor | None = None,
    **options: float,
) -> Module:
    """A new module at the qat level: optimized, observed on `batches`, with fake-quants.

    batches: each a mapping from input names to arrays of the inputs' shapes, read once, one at a
    time; memory doesn't grow with their number. method and its options:

    - `max`: the extremes. averaging: moving averages of each batch's, with this constant.
    - `percentile`: the range that holds `percentile` % of the magnitudes (default 99.99).
    - `kl`: the clip of least Kullback-Leibler divergence, among at least `num_bin` of them.
    - `mse`: the range of least squared error.
    - `mix`: of these, tensor by tensor, the one that costs the outputs least.

    asymmetric: ranges needn't be centred on 0, which spends no integers on signs that a tensor
    doesn't have. bias_correction: observe the mean of every convolution's input too, from which
    convert adds to the bias what rounding the weights takes away on average. Both cost the machine
    nothing, and are on because together they bring every network we measured closer to float
    (docs/user-guide.md).
    dtype: "int16" for everything, or by source node: `{"Conv_0": "int16", "Add_1": {"output":
    "int16"}}` (quantization/dtypes.py); what isn't named is int8. target_cosine: widens, beyond
    `dtype`, the tensors and weights whose rounding costs most, until the outputs have this cosine
    to float on the first 8 batches, which are kept for it (quantization/mixed_precision.py), with
    a tenth of the loss that this allows to spare for other inputs.
    executor: of `concurrent.futures`, whose workers run the network; the result is the same.
    `module` itself isn't changed. Raises HbirError for a module that isn't float, for no batches,
    and for a batch with wrong names, shapes or dtypes, or with nan or inf.
    """
    given_target: object = target_cosine
    if given_target is not None and not (isinstance(given_target, float) and 0 < given_target < 1):
        raise HbirError(f"target_cosine must be above 0 and below 1, got {given_target!r}")
    how = method_of(method, asymmetric=asymmetric, **options)
    named = all_node_names(module)
    calibrated = optimized(module)
    function = calibrated.functions[0].op

    def given(function: FuncOp) -> Widths:
        return widths_of(function, dtype or {}, named)

    given(function)  # wrong names are known before the work begins
    keep = max(
        0 if target_cosine is None else BATCHES_KEPT, BATCHES_TO_MIX if how.name == MIX else 0
    )
    seen = observe(
        calibrated, batches, how.wanted, means=bias_correction, keep=keep, executor=executor
    )
    write_ranges(calibrated, seen, how, executor)
    widths = given(function)
    if target_cosine is not None:
        choice = choose_widths(
            calibrated,
            seen.kept,
            lambda widths, clone: convert_module(
                place(clone, widths, asymmetric=asymmetric), JUDGED_ON
            ),
            1.0 - SEEN_SHARE * (1.0 - target_cosine),
            given=given,
            asymmetric=asymmetric,
            executor=executor,
        )
        widths = choice.widths(function, widths)
    return place(calibrated, widths, asymmetric=asymmetric)


def all_node_names(module: Module) -> set[str]:
    """The source nodes of a module; optimizing may take some out."""
    return {name for function in module.functions for name in node_names(function.op)}


def optimized(module: Module) -> Module:
    """An optimized copy of a float module of one function. Raises HbirError for others."""
    if module.level != "float":
        raise HbirError(
            f"calibrate takes a float module, this one is {module.level}; calibrate it before"
            " anything else, or convert it as it is"
        )
    result = module.clone()
    run_pipeline(result.context, result.op, OPTIMIZE)
    count = len(result.functions)
    if count != 1:
        raise HbirError(f"calibrate takes a module of one function, this one has {count}")
    return result


def write_ranges(
    module: Module,
    seen: Observations,
    method: Method,
    executor: Executor | None = None,
    loaded: Mapping[str, Range] | None = None,
) -> None:
    """Write into an optimized module what `method` makes of observations of it.

    loaded: ranges by tensor, which go before those. Raises HbirError where none is a tensor's.
    """
    function = module.functions[0].op
    extremes = seen.as_ranges(function, seen.extremes())
    known = _by_number(function, loaded or {})
    if loaded and not known:
        raise HbirError("none of the loaded ranges is that of a tensor of this network")
    _warn_of_foreign_ranges(function, known, seen)
    extremes.update(seen.as_ranges(function, known))
    write_input_means(function, seen.channel_means(function), module.weights)
    if method.name != MIX:
        ranges = {number: method.range(found) for number, found in seen.tensors.items()}
        ranges.update(known)
        write_observed(function, seen.as_ranges(function, ranges), extremes)
        return
    candidates: list[Module] = []
    for part in method.parts():
        candidate = module.clone()
        write_ranges(candidate, seen, part)
        candidates.append(candidate)
    chosen = best_of(
        candidates,
        seen.kept[:BATCHES_TO_MIX],
        asymmetric=method.asymmetric,
        executor=executor,
    )
    ranges = _mixed(seen, method.parts(), chosen)
    write_observed(function, seen.as_ranges(function, ranges), extremes)


def _warn_of_foreign_ranges(
    function: FuncOp, loaded: Mapping[int, Range], seen: Observations
) -> None:
    """Ranges that are far from what passes are seldom those of this network."""
    largest = {number: max(map(abs, found)) for number, found in seen.extremes().items()}
    ratios: dict[int, float] = {}
    for number, found in loaded.items():
        given, passes = max(map(abs, found)), largest.get(number, 0.0)
        if given and passes:
            ratios[number] = max(given / passes, passes / given)
    far = sum(ratio > FOREIGN_RATIO for ratio in ratios.values())
    if not far:
        return
    worst = max(ratios, key=lambda number: ratios[number])
    log.warning(
        "%d of %d loaded ranges are more than %g times smaller or larger than what passes, that of"
        " %s the most (%.3g times): were they made of this model, on such data, with the same"
        " equalization?",
        far, len(loaded), FOREIGN_RATIO, name_of(numbered(function)[worst], "?"), ratios[worst],
    )  # fmt: skip


def _by_number(function: FuncOp, loaded: Mapping[str, Range]) -> dict[int, Range]:
    values = enumerate(numbered(function)) if loaded else ()
    names = {number: name_of(value, "") for number, value in values}
    return {number: loaded[name] for number, name in names.items() if name in loaded}


def _mixed(
    seen: Observations, methods: list[Method], chosen: Mapping[int, int]
) -> dict[int, Range]:
    """The range of each value by the method chosen for it, by the first of them where none was."""
    return {
        number: methods[chosen.get(number, 0)].range(found)
        for number, found in seen.tensors.items()
    }


def place(observed: Module, widths: Widths, *, asymmetric: bool) -> Module:
    """Place fake-quants in a module that holds what was observed, which becomes the qat module."""
    write_widths(observed.functions[0].op, widths)
    placement = {"place-fake-quants": {"asymmetric": asymmetric}}
    run_pipeline(observed.context, observed.op, CALIBRATE, options=placement)
    observed.level = "qat"
    return observed
