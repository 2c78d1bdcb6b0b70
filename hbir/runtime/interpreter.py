"""Runs a function of any IR level on NumPy arrays, op by op, through the kernel table.

A `Plan` is the function compiled to steps once: the kernels found, the properties as Python values,
the constants looked up, and for each step the values that die with it. Running a plan costs a
few microseconds per op beyond the kernels, and holds only the values that are still needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DenseResourceAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from hbir.errors import HbirError
from hbir.interface import ArgumentType
from hbir.ir.function import body_of, input_names, return_of
from hbir.ir.origin import name_of
from hbir.ir.types import dtype_of, open_axes, shape_of
from hbir.ir.verify import describe_op
from hbir.ir.weights import WeightStore
from hbir.kernels.table import find_kernel
from hbir.kernels.types import Array, Kernel

Listener: TypeAlias = Callable[[str, Array, Operation | None], None]
"""Called with (tensor name, array, op) for each named input (op None) and op result, in order."""

Values: TypeAlias = list[Array | None]
"""The arrays of a run, by slot; None before they are computed and once they are dead."""

_CONSTANT = "hbir.constant"


@runtime_checkable
class _Evaluable(Protocol):
    """An op with a kernel of its name: `TensorOp` and `hbtl.call`."""

    def params(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Step:
    """One op to run, or several that a subclass of `Plan` runs at once."""

    op: Operation
    kernel: Kernel
    params: Mapping[str, Any]
    operands: tuple[int, ...]
    results: tuple[int, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype[Any], ...]
    dying: tuple[int, ...]
    result_ops: tuple[Operation, ...] = ()
    """By result, the op that it is of, where `op` isn't."""


def kernel_params(op: Operation, weights: WeightStore) -> dict[str, Any]:
    """The keyword arguments of an op's kernel, dense constants as arrays.

    Raises HbirError for an op that can't be evaluated.
    """
    if not isinstance(op, _Evaluable):
        raise HbirError(f"{describe_op(op)} can't be evaluated")
    return cast(dict[str, Any], _with_arrays(op.params(), weights))


def _with_arrays(value: Any, weights: WeightStore) -> Any:
    if isinstance(value, DenseIntOrFPElementsAttr | DenseResourceAttr):
        return weights.array(cast(Attribute, value))
    if isinstance(value, dict):
        given = cast(dict[str, Any], value)
        return {name: _with_arrays(item, weights) for name, item in given.items()}
    if isinstance(value, tuple):
        items = cast(tuple[Any, ...], value)
        if set(map(type, items)) == {float}:  # ranges of thousands of channels
            return items
        return tuple(_with_arrays(item, weights) for item in items)
    return value


class Plan:
    """A function, ready to run any number of times; later changes of the IR don't reach it.

    Raises HbirError when an op of the function can't be evaluated.
    """

    def __init__(self, function: FuncOp, weights: WeightStore) -> None:
        block = body_of(function)
        self._function = function.sym_name.data
        self._input_names = input_names(function)
        self._input_types = [
            ArgumentType(shape_of(value), dtype_of(value), open_axes=open_axes(value))
            for value in block.args
        ]
        slots: dict[SSAValue, int] = {value: slot for slot, value in enumerate(block.args)}
        self._constants: dict[int, Array] = {}
        evaluated: list[Operation] = []
        terminator = return_of(function)
        for op in block.ops:
            if op is terminator:
                break
            for result in op.results:
                slots[result] = len(slots)
            if op.name == _CONSTANT:
                self._constants[slots[op.results[0]]] = weights.array(op.properties["values"])
            else:
                evaluated.append(op)
        self._slot_count = len(slots)
        self._outputs = [slots[value] for value in terminator.operands]
        self._steps = self._make_steps(evaluated, slots, weights)

    def _make_steps(
        self, ops: Sequence[Operation], slots: Mapping[SSAValue, int], weights: WeightStore
    ) -> list[Step]:
        kept = {*self._outputs, *self._constants}
        steps: list[Step] = []
        for op in reversed(ops):  # a value dies at the first use met from the end
            operands = tuple(slots[value] for value in op.operands)
            results = tuple(slots[value] for value in op.results)
            dying = tuple(dict.fromkeys(s for s in (*operands, *results) if s not in kept))
            kept.update(dying)
            steps.append(
                Step(
                    op,
                    find_kernel(op.name),
                    kernel_params(op, weights),
                    operands,
                    results,
                    result_names(op),
                    tuple(shape_of(value) for value in op.results),
                    tuple(dtype_of(value) for value in op.results),
                    dying,
                )
            )
        steps.reverse()
        return steps

    def run(self, inputs: Sequence[Array], listener: Listener | None = None) -> list[Array]:
        """The function's results; they share no memory with the inputs or the constants.

        inputs: one array per argument, of exactly its shape and dtype. Raises HbirError otherwise,
        and when an op gives something else than its result type says.
        """
        values = self.start(inputs)
        if listener is not None:
            for name, array in zip(self._input_names, inputs, strict=True):
                listener(name, array, None)
        for number in range(len(self._steps)):
            self.advance(values, number, listener)
        shared = [*inputs, *self._constants.values()]
        return [_owned(array, shared) for array in self.outputs(values)]

    # A run in steps, for those who change values on the way. A copy of `values` is a run of its
    # own from there on: steps replace entries and never write into arrays.

    @property
    def ops(self) -> list[Operation]:
        """The op of each step."""
        return [step.op for step in self._steps]

    def slots(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where a step's operands and results are among the values."""
        return self._steps[number].operands, self._steps[number].results

    def start(self, inputs: Sequence[Array]) -> Values:
        """The values before the first step: inputs first, then constants where they are read."""
        self._check_inputs(inputs)
        values: Values = [None] * self._slot_count
        values[: len(inputs)] = inputs
        for slot, array in self._constants.items():
            values[slot] = array
        return values

    def advance(self, values: Values, number: int, listener: Listener | None = None) -> None:
        """Evaluate one step: its results enter `values`, what nothing needs any more leaves."""
        step = self._steps[number]
        arrays = [values[slot] for slot in step.operands]
        results = _evaluate(step, cast(list[Array], arrays))
        for slot, result in zip(step.results, results, strict=True):
            values[slot] = result
        if listener is not None:
            _report(step, results, listener)
        for slot in step.dying:
            values[slot] = None

    def outputs(self, values: Values) -> list[Array]:
        """The function's results once all steps are done."""
        return cast(list[Array], [values[slot] for slot in self._outputs])

    def _check_inputs(self, inputs: Sequence[Array]) -> None:
        if len(inputs) != len(self._input_names):
            names = ", ".join(self._input_names)
            raise HbirError(
                f"function @{self._function} takes {len(self._input_names)} inputs ({names}),"
                f" got {len(inputs)}"
            )
        for name, type_, array in zip(self._input_names, self._input_types, inputs, strict=True):
            if not type_.takes(array.shape) or array.dtype != type_.np_dtype:
                raise HbirError(
                    f"input {name} of function @{self._function} must be"
                    f" {type_.np_dtype}{type_.shape_text}, got {array.dtype}{list(array.shape)}"
                )


def _evaluate(step: Step, arrays: list[Array]) -> tuple[Array, ...]:
    try:
        result = step.kernel(*arrays, **step.params)
    except HbirError as error:
        raise HbirError(f"{describe_op(step.op)}: {error}") from error
    results = tuple(map(np.asarray, result)) if isinstance(result, tuple) else (np.asarray(result),)
    if len(results) != len(step.shapes):
        raise HbirError(
            f"{describe_op(step.op)} has {len(step.shapes)} results, its evaluation gave"
            f" {len(results)}"
        )
    for index, array in enumerate(results):
        if array.shape != step.shapes[index] or array.dtype != step.dtypes[index]:
            raise HbirError(
                f"{describe_op(step.op)}: result {index} is declared as"
                f" {step.dtypes[index]}{list(step.shapes[index])}, its evaluation gave"
                f" {array.dtype}{list(array.shape)}"
            )
    return results


def result_names(op: Operation) -> tuple[str, ...]:
    """The results' tensor names, '' for none: `topk`, `topk:1`, … where a CPU op has several."""
    names = [name_of(value) for value in op.results]
    return tuple(f"{name}:{i}" if name and i else name for i, name in enumerate(names))


def _report(step: Step, results: Iterable[Array], listener: Listener) -> None:
    ops = step.result_ops or (step.op,) * len(step.names)
    for name, array, op in zip(step.names, results, ops, strict=True):
        if name:
            listener(name, array, op)


def _owned(array: Array, shared: Sequence[Array]) -> Array:
    """The array, copied where a caller's change to it would show elsewhere."""
    if array.flags.writeable and not any(np.may_share_memory(array, other) for other in shared):
        return array
    return array.copy()


def run(
    function: FuncOp,
    inputs: Sequence[Array],
    weights: WeightStore,
    listener: Listener | None = None,
) -> list[Array]:
    """Run a function once (`Plan` for more often): one array per argument → one per result."""
    return Plan(function, weights).run(inputs, listener)
