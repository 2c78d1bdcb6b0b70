"""Push layout transposes to the edges of the network and cancel those that meet.

Frontends put a transpose before and after each op that is bound to channel-last tensors. One sweep
forward moves every transpose behind the ops that can do without it (element-wise ops, concat,
slice, pad, softmax, reductions, linear, index, reshape), where it meets and cancels the next one,
or ends at an output, a CPU op or a matrix product. One sweep backward moves what is left between an
input and the first layout-bound op before the ops in between, up to the input; constants are
transposed here and now.

A transpose is moved only where fewer elements are transposed afterwards. One that moves nothing
but axes of extent 1 costs nothing, and is a reshape in the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, OpResult, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.argmax import ReduceArgmaxOp, ReduceArgminOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.index import GatherElementsOp, IndexOp
from hbir.dialects.hbir.linear import LinearOp
from hbir.dialects.hbir.move import ConcatOp, ReshapeOp, TransposeOp
from hbir.dialects.hbir.reduce import ReduceOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin, origin_of, origin_of_op
from hbir.ir.rewriter import Rewrite, erase_dead_ops
from hbir.ir.types import shape_of
from hbir.passes.permutation import (
    Dims,
    compose,
    identity,
    inverse,
    moves_nothing,
    through_reshape,
)
from hbir.passes.transposes import (
    BROADCASTING,
    ELEMENT_WISE,
    PER_AXIS,
    dims_of,
    elements_moved,
    is_constant_like,
    moved_axis,
    moved_lists,
    reaches_edge,
    remade,
    source_of,
)

_MAX_ROUNDS = 8
"""Rounds of sweeps at most; each must transpose less than the one before."""


class CancelTransposes(ModulePass):
    """Push transposes to the edges and cancel those that meet."""

    name = "cancel-transposes"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        before = _transposed_elements(op)
        for _ in range(_MAX_ROUNDS):
            _round(ctx, op)
            after = _transposed_elements(op)
            if after >= before:
                break
            before = after


def _round(ctx: Context, module: ModuleOp) -> None:
    sweepers = [_Sweeper(Rewrite(ctx), body_of(function)) for function in functions_of(module)]
    for sweeper in sweepers:
        sweeper.sink()
    erase_dead_ops(module)  # what is left over would count as uses below
    for sweeper in sweepers:
        sweeper.hoist()
        sweeper.simplify()
    erase_dead_ops(module)


def _transposed_elements(module: ModuleOp) -> int:
    """Elements that the module's transposes move."""
    blocks = [body_of(function) for function in functions_of(module)]
    transposes = [op for block in blocks for op in block.ops if isinstance(op, TransposeOp)]
    return sum(elements_moved(op.x, dims_of(op)) for op in transposes)


class _Sweeper:
    """One block being swept. Every transpose in it goes through `_transposed`."""

    def __init__(self, rewrite: Rewrite, block: Block) -> None:
        self._rewrite = rewrite
        self._block = block
        self._made: dict[tuple[SSAValue, Dims], SSAValue] = {}
        """(value, dims) → its transpose, which stands above the op now being visited."""
        self._rules: dict[type[Operation], Callable[[Any], None]] = {
            TransposeOp: self._transpose,
            ConcatOp: self._concat,
            **dict.fromkeys(PER_AXIS, self._per_axis),
            **dict.fromkeys((ReduceArgmaxOp, ReduceArgminOp), self._reduction),
            ReshapeOp: self._reshape,
            LinearOp: self._linear,
            IndexOp: self._index,
            GatherElementsOp: self._gather_elements,
        }

    def sink(self) -> None:
        """Sweep forward: move transposes behind the ops that can do without them."""
        for op in list(self._block.ops):
            rule = self._rules.get(type(op))
            if rule is not None:
                rule(op)
            elif isinstance(op, ReduceOp):
                self._reduction(op)
            elif isinstance(op, BROADCASTING):
                self._broadcasting(op)
            elif isinstance(op, ELEMENT_WISE):
                self._unary(op)

    def simplify(self) -> None:
        """Merge equal transposes, and turn those that move nothing into reshapes."""
        seen: dict[tuple[SSAValue, Dims], SSAValue] = {}
        for op in list(self._block.ops):
            if not isinstance(op, TransposeOp):
                continue
            if moves_nothing(shape_of(op.x), dims_of(op)):
                shape = list(shape_of(op.output))
                self._rewrite.replace(op, ReshapeOp.make(op.x, shape=shape))
                continue
            first = seen.setdefault((op.x, dims_of(op)), op.output)
            if first != op.output:
                self._rewrite.replace(op, first)

    # Transposes

    def _transposed(self, value: SSAValue, dims: Dims, before: Operation) -> SSAValue:
        """`value` transposed: a constant, an existing value, or a new op before `before`."""
        source, applied = source_of(value)
        if applied is not None:
            value, dims = source, compose(applied, dims)
        if dims == identity(len(dims)):
            return value
        key = (value, dims)
        if key not in self._made:
            origin = origin_of(value)
            origin = None if origin is None else origin.permuted(dims)
            array = self._rewrite.constant_value(value)
            if array is not None:
                self._made[key] = self._rewrite.constant(
                    array.transpose(dims), before=before, origin=origin
                )
            else:
                op = TransposeOp.make(value, dims=dims, origin=origin)
                self._made[key] = self._rewrite.insert(op, before=before).output
        return self._made[key]

    def _transpose(self, op: TransposeOp) -> None:
        dims = dims_of(op)
        source, applied = source_of(op.x)
        whole = dims if applied is None else compose(applied, dims)
        key = (source, whole)
        settled = (
            applied is None
            and key not in self._made
            and whole != identity(len(whole))
            and self._rewrite.constant_value(source) is None
        )
        if settled:
            self._made[key] = op.output
            return
        new = key not in self._made
        value = self._transposed(op.x, dims, op)
        if new and isinstance(value, OpResult) and value.op is not op and value != source:
            self._rewrite.inherit(value.op, op, origin=origin_of_op(op))
        self._rewrite.replace(op, value)

    def _replace(
        self, op: TensorOp, operands: Sequence[SSAValue], dims: Dims, /, **changed: Any
    ) -> None:
        """Put transpose(op over `operands`, dims) in the place of `op`."""
        origin = origin_of_op(op)
        inner = remade(
            op, operands, None if origin is None else origin.permuted(inverse(dims)), changed
        )
        self._rewrite.insert(inner, before=op)
        if dims == identity(len(dims)):
            self._rewrite.replace(op, inner, origin=origin)
            return
        outer = TransposeOp.make(inner.output, dims=dims, origin=origin)
        self._rewrite.replace(op, outer, origin=origin)
        self._made[inner.output, dims] = outer.output

    # Forward: one rule per kind of op

    def _unary(self, op: TensorOp) -> None:
        source, dims = source_of(op.operands[0])
        if dims is not None:
            self._replace(op, [source], dims, **moved_axis(op, dims))

    def _per_axis(self, op: TensorOp) -> None:
        source, dims = source_of(op.operands[0])
        if dims is not None:
            self._replace(op, [source], dims, **moved_lists(op, inverse(dims)))

    def _reduction(self, op: TensorOp) -> None:
        source, dims = source_of(op.operands[0])
        if dims is None:
            return
        given: tuple[int, ...] = op.params()["dims"]
        reduced = {axis % len(dims) for axis in given}
        inner = sorted(dims[axis] for axis in reduced)
        if not op.params()["keep_dim"]:
            left = [axis for axis in range(len(dims)) if axis not in inner]
            dims = tuple(left.index(s) for a, s in enumerate(dims) if a not in reduced)
        self._replace(op, [source], dims, dims=inner)

    def _broadcasting(self, op: TensorOp) -> None:
        rank = len(shape_of(op.output))
        dims = self._worthwhile(op.operands, rank)
        if dims is None:
            return
        operands = [self._aligned(operand, dims, op) for operand in op.operands]
        self._replace(op, operands, dims)

    def _concat(self, op: ConcatOp) -> None:
        dims = self._worthwhile(op.operands, len(shape_of(op.output)))
        if dims is None:
            return
        operands = [self._transposed(operand, inverse(dims), op) for operand in op.operands]
        self._replace(op, operands, dims, dim=dims[op.params()["dim"]])

    def _worthwhile(self, operands: Sequence[SSAValue], rank: int) -> Dims | None:
        """The permutation to move behind an op of several operands, if it saves transposing."""
        saved: dict[Dims, int] = {}
        for operand in operands:
            source, dims = source_of(operand)
            if dims is not None and len(dims) == rank:
                saved[dims] = saved.get(dims, 0) + elements_moved(source, dims)
        # The first of the most saving ones, in the order of the operands.
        for dims in sorted(saved, key=lambda candidate: -saved[candidate]):
            spent = sum(self._spent(operand, dims) for operand in operands)
            if spent < saved[dims] or spent == 0:
                return dims
        return None

    def _spent(self, operand: SSAValue, dims: Dims) -> int:
        """Elements to be transposed when `operand` has to follow a transpose by `dims`."""
        if is_constant_like(operand):
            return 0
        rank = len(dims)
        source, applied = source_of(operand)
        if applied is not None and len(applied) == rank:
            return elements_moved(source, compose(applied, inverse(dims)))
        if (operand, inverse(dims)) in self._made:
            return 0
        shape = (1,) * (rank - len(shape_of(operand))) + shape_of(operand)
        return 0 if moves_nothing(shape, inverse(dims)) else math.prod(shape)

    def _aligned(self, operand: SSAValue, dims: Dims, before: Operation) -> SSAValue:
        """`operand` such that it broadcasts in the layout before a transpose by `dims`."""
        shape = shape_of(operand)
        array = self._rewrite.constant_value(operand)
        if array is not None:
            return self._aligned_constant(operand, array, dims, before)
        if math.prod(shape) == 1 and len(shape) <= len(dims):
            return operand
        if len(shape) < len(dims):
            full = [*(1,) * (len(dims) - len(shape)), *shape]
            op = ReshapeOp.make(operand, shape=full, origin=origin_of(operand))
            operand = self._rewrite.insert(op, before=before).output
        return self._transposed(operand, inverse(dims), before)

    def _aligned_constant(
        self, operand: SSAValue, array: np.ndarray[Any, Any], dims: Dims, before: Operation
    ) -> SSAValue:
        """A constant in the other layout, without leading axes of extent 1 (they broadcast)."""
        full = array.reshape((1,) * (len(dims) - array.ndim) + array.shape)
        moved = full.transpose(inverse(dims))
        while moved.ndim > 1 and moved.shape[0] == 1:
            moved = moved[0]
        origin = origin_of(operand)
        return self._rewrite.constant(
            moved, before=before, origin=None if origin is None else Origin(origin.tensor)
        )

    def _reshape(self, op: ReshapeOp) -> None:
        source, dims = source_of(op.x)
        if dims is None:
            return
        moved = through_reshape(shape_of(source), dims, shape_of(op.output))
        met = any(isinstance(use.operation, TransposeOp) for use in op.output.uses)
        if moved is None or (moved.is_split(shape_of(source)) and not met):
            return
        if moved.after == identity(len(moved.after)):
            before = dims if not moves_nothing(shape_of(source), dims) else identity(len(dims))
        else:
            before = moved.before
        operand = self._transposed(source, before, op)
        if moved.after == identity(len(moved.after)) and operand == op.x:
            return
        self._replace(op, [operand], moved.after, shape=moved.shape)

    def _linear(self, op: LinearOp) -> None:
        source, dims = source_of(op.x)
        if dims is not None and dims[-1] == len(dims) - 1:
            self._replace(op, [source, *op.operands[1:]], dims)
            return
        self._permute_weight_rows(op)

    def _index(self, op: IndexOp) -> None:
        """The index's axes take the place of one axis, wherever that stands."""
        source, dims = source_of(op.x)
        if dims is None or math.prod(shape_of(op.output)) > math.prod(shape_of(op.x)):
            return
        dim: int = op.params()["dim"]
        axis, more = dims[dim], len(shape_of(op.index)) - 1
        moved: list[int] = []
        for place in dims:
            first = place + more if place > axis else place
            moved += range(first, first + more + 1) if place == axis else [first]
        self._replace(op, [source, op.index], tuple(moved), dim=axis)

    def _gather_elements(self, op: GatherElementsOp) -> None:
        """Where the index, which stands in the layout of the data, costs nothing to transpose."""
        _, dims = source_of(op.x)
        if dims is None or self._spent(op.index, dims):
            return
        operands = [self._transposed(value, inverse(dims), op) for value in op.operands]
        self._replace(op, operands, dims, dim=dims[op.params()["dim"]])

    def _permute_weight_rows(self, op: LinearOp) -> None:
        """linear(reshape(transpose(u)), w), a flattened feature map: permute w's rows instead."""
        flat = op.x.owner
        if not isinstance(flat, ReshapeOp):
            return
        source, dims = source_of(flat.x)
        rows = _row_constant(op.w, self._rewrite)
        if dims is None or rows is None:
            return
        before = [dims[axis] for axis in range(len(dims))]
        shape = shape_of(flat.x)
        first = next(
            (a for a in range(len(shape)) if math.prod(shape[a:]) == shape_of(op.x)[-1]), None
        )
        if first is None or before[:first] != list(range(first)):
            return
        inner = inverse([axis - first for axis in before[first:]])
        columns = rows.shape[1]
        permuted = rows.reshape(*shape[first:], columns)
        permuted = permuted.transpose(*inner, len(inner)).reshape(rows.shape)
        flattened = ReshapeOp.make(source, shape=shape_of(op.x), origin=_flat_origin(flat))
        self._rewrite.insert(flattened, before=op)
        weight = self._permuted_weight(op.w, permuted, op)
        self._rewrite.replace(
            op, LinearOp.make(flattened.output, weight, *op.operands[2:], origin=origin_of_op(op))
        )

    def _permuted_weight(
        self, weight: SSAValue, rows: np.ndarray[Any, Any], before: Operation
    ) -> SSAValue:
        origin = origin_of(weight)
        name = None if origin is None else Origin(f"{origin.tensor}#rows")
        constant = self._rewrite.constant(rows, before=before, origin=name)
        if not isinstance(weight.owner, ConstFakeQuantOp):
            return constant
        quantized = remade(weight.owner, [constant], name, {})
        return self._rewrite.insert(quantized, before=before).output

    # Backward

    def hoist(self) -> None:
        """Sweep backward: move transposes of what comes from an input alone up to it."""
        reaches: dict[SSAValue, bool] = {}
        for op in reversed(list(self._block.ops)):
            if isinstance(op, TransposeOp) and op.parent is not None:
                current: TransposeOp | None = op
                while current is not None and reaches_edge(current.x, reaches):
                    current = self._hoist_one(current)

    def _hoist_one(self, op: TransposeOp) -> TransposeOp | None:
        """Move a transpose before the op it reads; returns it where it stands then."""
        producer, dims = op.x.owner, dims_of(op)
        if isinstance(producer, ConstantOp):
            self._made.clear()
            self._rewrite.replace(op, self._transposed(op.x, dims, op))
            return None
        if not isinstance(producer, TensorOp):
            return None
        self._made.clear()  # what stands above `op` need not stand above `producer`
        changed = moved_axis(producer, inverse(dims))
        if type(producer) in PER_AXIS:
            changed = moved_lists(producer, dims)
        operands = [self._aligned(value, inverse(dims), producer) for value in producer.operands]
        origin = origin_of_op(producer)
        origin = origin_of_op(op) if origin is None else origin.permuted(dims)
        new = remade(producer, operands, origin, changed)
        self._rewrite.insert(new, before=producer)
        self._rewrite.replace(op, new, origin=origin)
        self._rewrite.erase(producer)
        moved = [value.owner for value in operands if isinstance(value.owner, TransposeOp)]
        return moved[0] if moved else None


def _row_constant(weight: SSAValue, rewrite: Rewrite) -> np.ndarray[Any, Any] | None:
    """The array of a linear weight that is constant, maybe fake-quantized, but not per row."""
    owner = weight.owner
    if isinstance(owner, ConstFakeQuantOp):
        if owner.params().get("axis") in (0, -2):
            return None
        weight = owner.operands[0]
    return rewrite.constant_value(weight)


def _flat_origin(flat: ReshapeOp) -> Origin | None:
    """The origin of a flattened tensor whose elements are in another order."""
    origin = origin_of_op(flat)
    return None if origin is None else Origin(f"{origin.tensor}#flat", (), origin.nodes)
