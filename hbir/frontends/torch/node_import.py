"""`NodeImport`: what an operator's import function works with.

It reads one ATen node's arguments by the names of its schema (`input`, `self`, `weight`, `dim`);
what it emits ops with is the `Emitter` that all frontends share.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import numpy as np
from xdsl.ir import SSAValue

from hbir.errors import HbirError
from hbir.frontends.emitter import Emitter
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.values import Operand
from hbir.ir.context import HbirContext
from hbir.ir.origin import Node as SourceNode
from hbir.ir.types import Array
from hbir.ir.weights import WeightStore


class NodeImport(Emitter):
    """One node being imported. Ops are collected in `ops`, and placed when the import succeeds."""

    def __init__(
        self,
        ctx: HbirContext,
        source: SourceNode,
        results: Sequence[str],
        arguments: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        dtype: np.dtype[Any],
    ) -> None:
        """arguments: by schema name, defaults filled in, tensors as `Operand`.

        shapes: of each result, in the source layout; dtype: the first result's.
        """
        super().__init__(ctx, source, results)
        self.kind = source.type
        self.shapes = shapes
        self.result_dtype = dtype
        self._arguments = arguments

    # Reading

    @property
    def names(self) -> Collection[str]:
        """The names of the arguments."""
        return self._arguments.keys()

    @property
    def weights(self) -> WeightStore:
        """The store that constants go to."""
        return self._ctx.weights

    def argument(self, name: str) -> Any:
        """An argument as it is. Raises KeyError for a name the schema doesn't have."""
        return self._arguments[name]

    def has(self, name: str) -> bool:
        """Whether an optional argument is there."""
        return self._arguments.get(name) is not None

    def operand(self, name: str) -> Operand:
        """A tensor argument; a number becomes a constant of rank 0.

        Raises NoBpuForm when it is left out.
        """
        return self._operand(self._arguments[name], name)

    def operands(self, name: str) -> list[Operand]:
        """A list of tensors."""
        return [self._operand(item, name) for item in self._arguments[name]]

    def _operand(self, value: Any, name: str) -> Operand:
        if isinstance(value, Operand):
            return value
        if isinstance(value, bool | int | float):
            # A number doesn't widen what it meets: it takes the tensors' element type.
            return Operand(
                np.asarray(value, self._number_dtype(value)), f"{self._results[0]}#{name}"
            )
        raise NoBpuForm(f"{name} must be a tensor, it is {value}")

    def _number_dtype(self, number: float) -> np.dtype[Any]:
        tensors = [item for item in self._arguments.values() if isinstance(item, Operand)]
        dtype = tensors[0].dtype if tensors else np.dtype(np.float32)
        whole = dtype.kind in "iub" and not isinstance(number, float)
        return dtype if dtype.kind == "f" or whole else np.dtype(np.float32)

    def shape(self, name: str = "self") -> tuple[int, ...]:
        """The shape of a tensor argument."""
        return self.operand(name).shape

    def known(self, name: str) -> Array | None:
        """The array of a tensor argument that is constant."""
        return self.operand(name).known

    def constant(self, name: str, what: str) -> Array:
        """The array of an argument that must be constant. Raises NoBpuForm when it is computed."""
        array = self.known(name)
        if array is None:
            raise NoBpuForm(f"{what} must be constant, {self.operand(name).name!r} is computed")
        return array

    def int_(self, name: str) -> int:
        """An integer."""
        return cast(int, self._typed(name, int))

    def bool_(self, name: str) -> bool:
        """A truth value."""
        return bool(self._typed(name, int))

    def float_(self, name: str, default: float | None = None) -> float:
        """A number; `default` where it is left out."""
        if default is not None and self._arguments.get(name) is None:
            return default
        return float(self._typed(name, (int, float)))

    def str_(self, name: str) -> str:
        """A string."""
        return cast(str, self._typed(name, str))

    def ints(self, name: str) -> list[int]:
        """A list of integers; a single one is a list of one."""
        value = self._arguments[name]
        items = [value] if isinstance(value, int) else list(value)
        if not all(isinstance(item, int) for item in items):
            raise HbirError(f"{self._source.name}: {name} must be integers, got {items}")
        return items

    def spatial_ints(self, name: str, count: int, default: Sequence[int] = ()) -> list[int]:
        """One entry per spatial dimension; one for all is repeated, an empty list is `default`."""
        values = self.ints(name) or list(default)
        return values * count if len(values) == 1 else values

    def _typed(self, name: str, kind: type | tuple[type, ...]) -> Any:
        value = self._arguments[name]
        if not isinstance(value, kind):
            raise NoBpuForm(f"{name} must be known when exporting, it is {value}")
        return value

    def axis(self, name: str, rank: int) -> int:
        """An axis counted from 0."""
        return self.int_(name) % max(1, rank)

    # Values

    def value(self, name: str) -> SSAValue:
        """A tensor argument in its source layout."""
        return self.materialized(self.operand(name))

    def materialized(self, operand: Operand) -> SSAValue:
        """An operand as a value of the IR."""
        array = operand.known
        if array is not None:
            return self.constant_value(array, operand.name)
        return cast(SSAValue, operand.value)

    def number(self, value: float, what: str) -> SSAValue:
        """A float32 constant of rank 0."""
        return self.constant_value(np.array(value, np.float32), f"{self._results[0]}#{what}")

    def rearranged(self, name: str, perm: Sequence[int], expand: int | None = None) -> SSAValue:
        """A weight with an axis of extent 1 inserted at `expand`, then permuted."""
        operand = self.operand(name)
        array = operand.known
        if array is not None:
            return self.rearranged_constant(array, operand.name, perm, expand)
        return self.rearranged_value(self.value(name), operand.name, perm, expand)

    # Layouts

    def spatial_input(self, name: str, dimensions: int) -> SSAValue:
        """An input (N, C, L) or (N, C, H, W), or without N, as (N, H, W, C).

        dimensions: 1 or 2, the spatial ones. Raises NoBpuForm for other ranks.
        """
        operand = self.operand(name)
        value, rank = self.materialized(operand), len(operand.shape)
        if rank not in (dimensions + 1, dimensions + 2):
            raise NoBpuForm(
                f"{name} must have rank {dimensions + 2}, it has shape {list(operand.shape)}"
            )
        if rank == dimensions + 1:
            value = self.reshape(value, (1, *operand.shape), self.step("batch"))
            return self.spatial(value, f"{operand.name}#batch")
        return self.spatial(value, operand.name)

    def spatial_result(
        self, dimensions: int, name: str, *operands: SSAValue, output: int = 0, **properties: Any
    ) -> SSAValue:
        """The node's result, (N, C, L) or (N, C, H, W) or without N, from an op on (N, H, W, C)."""
        shape, rank = self.shapes[output], dimensions + 2
        value = self.spatial_output(rank, name, *operands, output=output, **properties)
        return self.reshape(value, shape, self.origin(output))

    def elements(self, name: str = "self") -> int:
        """How many elements a tensor argument has."""
        return math.prod(self.shape(name))
