"""`observe`: run an optimized float network on batches and remember statistics of its tensors.

The data passes once, a part of some batches at a time; the parts may go to other processes. Values
are known by their number in the function, which is the same in every copy of the module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.errors import HbirError
from hbir.ir.function import body_of, input_names, return_of
from hbir.ir.origin import Origin, origin_of_op, set_origin
from hbir.ir.types import Array
from hbir.module import Function, Module, bind_inputs
from hbir.passes.gemm import as_gemm
from hbir.passes.groups import is_inside_group
from hbir.passes.observed import Means, Ranges
from hbir.quantization.statistics import ChannelMean, Range, TensorStatistics, Wanted
from hbir.quantization.work import TravellingModule, in_order, travelling
from hbir.runtime.interpreter import Listener, Plan

BATCHES_PER_PART = 4
"""Batches of one item of work; means and moving averages depend on it in their last bits."""


Runner = Callable[[Sequence[Sequence[Array]], Listener], object]
"""Runs the function on inputs, batch after batch, and tells the listener of every tensor, as
`Plan.run` does; tensors inside fusion groups may be left out, arrays may be transposed views."""


RunnerMaker = Callable[[Module], Runner]


def interpreter_runner(module: Module) -> Runner:
    """hbir's own interpreter."""
    plan = Plan(module.functions[0].op, module.weights)

    def run(batches: Sequence[Sequence[Array]], listener: Listener) -> None:
        for arrays in batches:
            plan.run(arrays, listener)

    return run


@dataclass
class Observations:
    """What was seen of a function's values, by their number."""

    tensors: dict[int, TensorStatistics] = field(default_factory=dict[int, TensorStatistics])
    means: dict[int, ChannelMean] = field(default_factory=dict[int, ChannelMean])
    """Of what convolutions and linear layers read."""
    kept: list[list[Array]] = field(default_factory=list[list[Array]])
    """The inputs of the first batches, as many as asked for."""
    outputs: list[list[Array]] = field(default_factory=list[list[Array]])
    """The function's outputs of the same batches; fewer where the runner doesn't show them."""
    batches: int = 0

    def merge(self, later: Observations) -> None:
        """Take account of later data."""
        for number, statistics in later.tensors.items():
            mine = self.tensors.setdefault(number, statistics)
            if mine is not statistics:
                mine.merge(statistics)
        for number, mean in later.means.items():
            known = self.means.setdefault(number, mean)
            if known is not mean:
                known.merge(mean)
        self.outputs += later.outputs
        self.batches += later.batches

    def channel_means(self, function: FuncOp) -> Means:
        """The channel means, by the values of a copy of the function."""
        values = numbered(function)
        return {values[number]: mean.mean() for number, mean in self.means.items()}

    def as_ranges(self, function: FuncOp, found: Mapping[int, Range]) -> Ranges:
        """Ranges by number as ranges of a copy of the function.

        Results of other types than float count as (0, 0) beside one that has a range.
        """
        values = numbered(function)
        ranges: Ranges = {values[number]: found_range for number, found_range in found.items()}
        for op in body_of(function).ops:
            if any(result in ranges for result in op.results):
                for result in op.results:
                    ranges.setdefault(result, (0.0, 0.0))
        return ranges

    def extremes(self) -> dict[int, Range]:
        """Everything seen of each value."""
        return {number: s.extremes() for number, s in self.tensors.items()}


def numbered(function: FuncOp) -> list[SSAValue]:
    """The values of a function: its arguments, then every op's results, in order."""
    block = body_of(function)
    return [*block.args, *(result for op in block.ops for result in op.results)]


def observe(
    module: Module,
    batches: Iterable[Mapping[str, Any]],
    wanted: Wanted,
    *,
    means: bool = True,
    keep: int = 0,
    executor: Executor | None = None,
    runner_of: RunnerMaker = interpreter_runner,
) -> Observations:
    """Statistics of every float argument and op result outside constants and fusion groups.

    module: optimized, with one function; its unnamed ops get names. means: remember the channel
    means that bias correction needs. keep: how many batches' inputs to keep. executor: who runs the
    network; the result is the same to the last bit. runner_of: makes what runs it, in each process;
    a function that can be pickled. Raises HbirError for no batches, for a batch with wrong names,
    shapes or dtypes, or with nan or inf, and for a tensor that becomes so.
    """
    function = module.functions[0]
    name_all(function.op)
    result = Observations()
    arrays = _checked(function, batches, result.kept, keep)
    with travelling(module, executor) as ticket:
        parts = (
            _Part(ticket, wanted, means, runner_of, part, keep - index * BATCHES_PER_PART)
            for index, part in enumerate(_parts(arrays))
        )
        for found in in_order(_observe_part, parts, executor):
            result.merge(found)
    _runner.cache_clear()
    if result.batches == 0:
        raise HbirError("calibrate got no batches; give at least one mapping of inputs to arrays")
    return result


def name_all(function: FuncOp) -> None:
    """Give ops without an origin one, for the interpreter reports named tensors only."""
    for index, op in enumerate(body_of(function).ops):
        if op.results and op.name != "hbir.constant" and origin_of_op(op) is None:
            set_origin(op, Origin(f"_tensor_{index}"))


def _checked(
    function: Function, batches: Iterable[Any], kept: list[list[Array]], keep: int
) -> Iterator[list[Array]]:
    for count, batch in enumerate(batches, start=1):
        if not isinstance(batch, Mapping):
            raise HbirError(
                f"calibration batch {count} is a {type(batch).__name__}; expected a mapping from"
                f" input names ({', '.join(input_names(function.op))}) to arrays"
            )
        what = f"calibration batch {count}"
        bound = bind_inputs(what, function.flatten_inputs, cast(Mapping[str, Any], batch))
        arrays = [array.copy() for array in bound]  # the next batch may come in the same memory
        for port, array in zip(function.flatten_inputs, arrays, strict=True):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise HbirError(f"{what}: input {port.name!r} holds nan or inf")
        if len(kept) < keep:
            kept.append(arrays)
        yield arrays


def _parts(batches: Iterable[list[Array]]) -> Iterator[list[list[Array]]]:
    part: list[list[Array]] = []
    for arrays in batches:
        part.append(arrays)
        if len(part) == BATCHES_PER_PART:
            yield part
            part = []
    if part:
        yield part


@dataclass(frozen=True)
class _Part:
    """One item of work: some batches of the network's inputs."""

    module: TravellingModule
    wanted: Wanted
    means: bool
    runner_of: RunnerMaker
    batches: list[list[Array]]
    keep: int
    """Of how many of them to keep the outputs."""


def _observe_part(part: _Part) -> Observations:
    module = part.module.open()
    listener = _Listener(module.functions[0].op, part.wanted, part.means, part.keep)
    run = _runner(part.module, part.runner_of)
    run(part.batches, listener.listen)
    listener.found.batches = len(part.batches)
    listener.found.outputs = listener.kept_outputs()
    return listener.found


@lru_cache(maxsize=1)
def _runner(module: TravellingModule, runner_of: RunnerMaker) -> Runner:
    return runner_of(module.open())


class _Listener:
    """The statistics of a function's values, fed by the interpreter."""

    def __init__(self, function: FuncOp, wanted: Wanted, means: bool, keep: int) -> None:
        self.found = Observations()
        self._keep = keep
        self._wanted = wanted
        block = body_of(function)
        self._arguments = {name: i for i, name in enumerate(input_names(function))}
        self._numbers = {value: number for number, value in enumerate(numbered(function))}
        self._ignored = {
            op for op in block.ops if op.name == "hbir.constant" or is_inside_group(op)
        }
        self._seen: dict[Operation, int] = {}
        self._outputs = [self._numbers[value] for value in return_of(function).operands]
        self._shown: list[dict[int, Array]] = []
        """Of each batch that is kept, the outputs that were told of."""
        gemms = filter(None, map(as_gemm, block.ops))
        self._read_by_gemms = {self._numbers[gemm.x] for gemm in gemms} if means else set[int]()

    def listen(self, name: str, array: Array, op: Operation | None) -> None:
        """One tensor of one run; the results of an op come in order."""
        if op is None:
            if self._arguments[name] == 0:
                self._shown.append({})
            self._observe(self._arguments[name], array, name)
        elif op not in self._ignored:
            index = self._seen.get(op, 0) % len(op.results)
            self._seen[op] = index + 1
            self._observe(self._numbers[op.results[index]], array, name)

    def kept_outputs(self) -> list[list[Array]]:
        """The outputs of the batches that are kept; none where one wasn't told of."""
        kept = self._shown[: max(self._keep, 0)]
        if any(number not in shown for shown in kept for number in self._outputs):
            return []
        return [[shown[number] for number in self._outputs] for shown in kept]

    def _observe(self, number: int, array: Array, name: str) -> None:
        if number in self._outputs and len(self._shown) <= self._keep:
            self._shown[-1][number] = array
        if array.dtype.kind != "f":
            return
        statistics = self.found.tensors.get(number)
        if statistics is None:
            statistics = self.found.tensors[number] = TensorStatistics(self._wanted)
        if not statistics.observe(array):
            raise HbirError(
                f'tensor "{name}" becomes nan or inf on the calibration data; check the'
                " preprocessing of the inputs and the model's weights"
            )
        if number in self._read_by_gemms:
            self.found.means.setdefault(number, ChannelMean()).observe(array)
