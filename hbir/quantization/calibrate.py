"""`calibrate`: run a float network on real data, and place fake-quants from what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.errors import HbirError
from hbir.ir.function import body_of, input_names
from hbir.ir.origin import Origin, origin_of_op, set_origin
from hbir.ir.types import Array
from hbir.module import Function, Module, bind_inputs
from hbir.passes.dtypes import Widths, write_widths
from hbir.passes.gemm import as_gemm
from hbir.passes.groups import is_inside_group
from hbir.passes.observed import Means, Ranges, write_input_means, write_observed
from hbir.passes.pipelines import CALIBRATE, OPTIMIZE, run_pipeline
from hbir.quantization.convert import convert_module
from hbir.quantization.dtypes import Dtypes, node_names, widths_of
from hbir.quantization.observers import ChannelMean, Observer, observer_factory
from hbir.quantization.sensitivity import choose_widths

BATCHES_KEPT = 8
"""Batches in memory on which the choice of int16 is judged."""

JUDGED_ON = "nash-e"
"""March whose integers judge that choice; all have the same arithmetic."""


def calibrate(
    module: Module,
    batches: Iterable[Mapping[str, Any]],
    method: str = "max",
    *,
    asymmetric: bool = True,
    bias_correction: bool = True,
    dtype: Dtypes | None = None,
    target_cosine: float | None = None,
    **options: float,
) -> Module:
    """A new module at the qat level: optimized, observed on `batches`, with fake-quants.

    batches: each a mapping from input names to arrays of the inputs' shapes, read once, one at a
    time; memory doesn't grow with their number. method: `max`, or `percentile` with the option
    `percentile` (default 99.99: the range holds that share of the magnitudes).
    asymmetric: ranges needn't be centred on 0, which spends no integers on signs that a tensor
    doesn't have. bias_correction: observe the mean of every convolution's input too, from which
    convert adds to the bias what rounding the weights takes away on average. Both cost the machine
    nothing, and are on because together they bring every network we measured closer to float
    (docs/user-guide.md).
    dtype: "int16" for everything, or by source node: `{"Conv_0": "int16", "Add_1": {"output":
    "int16"}}` (quantization/dtypes.py); what isn't named is int8. target_cosine: widens, beyond
    `dtype`, the tensors and weights whose rounding costs most, until the outputs have this cosine
    to float on the first 8 batches, which are kept for it (quantization/sensitivity.py).
    `module` itself isn't changed. Raises HbirError for a module that isn't float, for no batches,
    and for a batch with wrong names, shapes or dtypes, or with nan or inf.
    """
    if target_cosine is not None and not 0 < target_cosine < 1:
        raise HbirError(f"target_cosine must be above 0 and below 1, got {target_cosine}")
    if module.level != "float":
        raise HbirError(
            f"calibrate takes a float module, this one is {module.level}; calibrate it before"
            " anything else, or convert it as it is"
        )
    make_observer = observer_factory(method, **options)
    calibrated = module.clone()
    named = {name for function in module.functions for name in node_names(function.op)}
    run_pipeline(calibrated.context, calibrated.op, OPTIMIZE)
    functions = calibrated.functions
    if len(functions) != 1:
        raise HbirError(f"calibrate takes a module of one function, this one has {len(functions)}")
    function = functions[0].op

    def given(function: FuncOp) -> Widths:
        return widths_of(function, dtype or {}, named)

    given(function)  # wrong names are known before the work begins
    kept: list[list[Array]] = []
    keep = 0 if target_cosine is None else BATCHES_KEPT
    seen = _observe(calibrated, functions[0], batches, make_observer, bias_correction, kept, keep)
    write_observed(function, seen.ranges(), seen.extremes())
    write_input_means(function, seen.means(), calibrated.weights)

    def place(widths: Widths, observed: Module) -> Module:
        write_widths(observed.functions[0].op, widths)
        placement = {"place-fake-quants": {"asymmetric": asymmetric}}
        run_pipeline(observed.context, observed.op, CALIBRATE, options=placement)
        observed.level = "qat"
        return observed

    choice = given
    if target_cosine is not None:
        choice = choose_widths(
            calibrated,
            kept,
            lambda widths, clone: convert_module(place(widths, clone), JUDGED_ON),
            target_cosine,
            given=given,
            asymmetric=asymmetric,
        )
    return place(choice(function), calibrated)


def _observe(
    module: Module,
    function: Function,
    batches: Iterable[Any],
    make_observer: Callable[[], Observer],
    with_means: bool,
    kept: list[list[Array]],
    keep: int,
) -> _Values:
    """Observe every float argument and op result outside constants and fusion groups.

    with_means: the channel means of what convolutions and linear layers read, too. kept: gets the
    first `keep` batches.
    """
    from hbir.runtime.interpreter import Plan

    _name_all(function.op)
    values = _Values(function.op, make_observer, with_means)
    plan = Plan(function.op, module.weights)
    count = 0
    for count, batch in enumerate(batches, start=1):
        if not isinstance(batch, Mapping):
            raise HbirError(
                f"calibration batch {count} is a {type(batch).__name__}; expected a mapping from"
                f" input names ({', '.join(input_names(function.op))}) to arrays"
            )
        what = f"calibration batch {count}"
        arrays = bind_inputs(what, function.flatten_inputs, cast(Mapping[str, Any], batch))
        _check_finite(what, function, arrays)
        if len(kept) < keep:
            kept.append([array.copy() for array in arrays])
        plan.run(arrays, values.listen)
    if count == 0:
        raise HbirError("calibrate got no batches; give at least one mapping of inputs to arrays")
    return values


def _check_finite(what: str, function: Function, arrays: list[Array]) -> None:
    for port, array in zip(function.flatten_inputs, arrays, strict=True):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise HbirError(f"{what}: input {port.name!r} holds nan or inf")


def _name_all(function: FuncOp) -> None:
    """Give ops without an origin one, for the interpreter reports named tensors only."""
    for index, op in enumerate(body_of(function).ops):
        if op.results and op.name != "hbir.constant" and origin_of_op(op) is None:
            set_origin(op, Origin(f"_tensor_{index}"))


class _Values:
    """The observers of a function's values, fed by the interpreter's listener."""

    def __init__(
        self, function: FuncOp, make_observer: Callable[[], Observer], with_means: bool
    ) -> None:
        arguments = body_of(function).args
        self._names = dict(zip(input_names(function), arguments, strict=True))
        self._make = make_observer
        self._observers: dict[SSAValue, Observer] = {}
        self._ignored = {
            op for op in body_of(function).ops if op.name == "hbir.constant" or is_inside_group(op)
        }
        self._seen: dict[Operation, int] = {}
        gemms = filter(None, map(as_gemm, body_of(function).ops))
        self._means = {gemm.x: ChannelMean() for gemm in gemms} if with_means else {}

    def listen(self, name: str, array: Array, op: Operation | None) -> None:
        """One tensor of one run; the results of an op come in order."""
        if op is None:
            self._observe(self._names[name], array, name)
        elif op not in self._ignored:
            index = self._seen.get(op, 0) % len(op.results)
            self._seen[op] = index + 1
            self._observe(op.results[index], array, name)

    def _observe(self, value: SSAValue, array: Array, name: str) -> None:
        if array.dtype.kind != "f":
            return
        if not np.isfinite(array).all():
            raise HbirError(
                f'tensor "{name}" becomes nan or inf on the calibration data; check the'
                " preprocessing of the inputs and the model's weights"
            )
        if value not in self._observers:
            self._observers[value] = self._make()
        self._observers[value].observe(array)
        if value in self._means:
            self._means[value].observe(array)

    def means(self) -> Means:
        """The channel means of the inputs of convolutions and linear layers."""
        return {value: mean.mean() for value, mean in self._means.items()}

    def ranges(self) -> Ranges:
        """What the method keeps of each value; results of other types count as (0, 0)."""
        return self._of_all({value: o.range() for value, o in self._observers.items()})

    def extremes(self) -> Ranges:
        """Everything seen of each value."""
        return self._of_all({value: o.extremes() for value, o in self._observers.items()})

    def _of_all(self, found: Ranges) -> Ranges:
        for op in self._seen:
            if any(result in found for result in op.results):
                for result in op.results:
                    found.setdefault(result, (0.0, 0.0))
        return found
