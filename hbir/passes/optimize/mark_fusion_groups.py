"""Decide which ops the BPU computes as one convolution, and number them.

Conv2d, ConvTranspose or Linear (+ batch norm, absorbed by now) + Add + ReLU, ReLU6 or clip, with
Add and activation each optional and the GEMM-like op on either side of the Add. And chains of
functions of one element (hard swish, then · 0.9, then + 0.1), which are one table. Inside a group
values are never quantized, which is why this runs before calibration.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ClipOp, ReluOp
from hbir.dialects.hbir.elementwise import AddOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.context import weights_of
from hbir.ir.function import body_of, functions_of
from hbir.ir.types import shape_of
from hbir.ir.weights import WeightStore
from hbir.passes.gemm import GemmOp, as_gemm
from hbir.passes.graph import defined_by, is_constant
from hbir.passes.groups import ATTRIBUTE, FusionGroup
from hbir.passes.tables import table_operand


class MarkFusionGroupsPass(ModulePass):
    """Write `fusion_group = N` on the ops of each group and chain; earlier marks are replaced."""

    name = "mark-fusion-groups"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        weights = weights_of(ctx)
        for function in functions_of(op):
            groups: list[Sequence[Operation]] = [group.ops for group in find_groups(function)]
            taken = {member for group in groups for member in group}
            groups += find_chains(function, taken, weights)
            numbers = {op: number for number, members in enumerate(groups) for op in members}
            for inner in body_of(function).ops:
                _mark(inner, numbers.get(inner))


def _mark(op: Operation, number: int | None) -> None:
    if number is None:
        op.attributes.pop(ATTRIBUTE, None)
    else:
        op.attributes[ATTRIBUTE] = IntegerAttr(number, i64)


def find_groups(function: FuncOp) -> list[FusionGroup]:
    """The groups of a function, in the order of their GEMM-like ops.

    Where both operands of an Add could be fused with it, the one computed later is: the other is
    its residual, and by then in memory.
    """
    order: dict[Operation, int] = {}
    groups: dict[GemmOp, FusionGroup] = {}
    for index, op in enumerate(body_of(function).ops):
        order[op] = index
        gemm = as_gemm(op)
        if gemm is not None and _has_constant_weights(gemm):
            groups[gemm] = FusionGroup(gemm)
        elif isinstance(op, AddOp):
            _join_add(op, groups, order)
    return [_with_activation(group) for group in groups.values()]


def _has_constant_weights(gemm: GemmOp) -> bool:
    """A constant, or a fake-quantized one."""
    fake_quant = defined_by(gemm.w, ConstFakeQuantOp)
    weights = gemm.w if fake_quant is None else fake_quant.x
    return is_constant(weights) and (gemm.bias is None or is_constant(gemm.bias))


def _join_add(add: AddOp, groups: dict[GemmOp, FusionGroup], order: dict[Operation, int]) -> None:
    candidates = [
        (order[gemm], gemm, residual)
        for value, residual in ((add.lhs, add.rhs), (add.rhs, add.lhs))
        if (gemm := _fusable(value, groups)) is not None and _is_residual(residual, value)
    ]
    if not candidates:
        return
    _, gemm, residual = max(candidates, key=lambda candidate: candidate[0])
    groups[gemm] = FusionGroup(gemm, add, residual)


def _fusable(value: SSAValue, groups: dict[GemmOp, FusionGroup]) -> GemmOp | None:
    owner = value.owner
    gemm = as_gemm(owner) if isinstance(owner, Operation) else None
    return gemm if gemm in groups and value.has_one_use() else None


def _is_residual(residual: SSAValue, value: SSAValue) -> bool:
    """A constant isn't: where it is per channel it is a bias, else an element-wise operand."""
    return shape_of(residual) == shape_of(value) and not is_constant(residual)


def _with_activation(group: FusionGroup) -> FusionGroup:
    if not group.output.has_one_use():
        return group
    user = group.output.get_user_of_unique_use()
    if not isinstance(user, ReluOp | ClipOp):
        return group
    return FusionGroup(group.gemm, group.add, group.residual, user)


def find_chains(
    function: FuncOp, taken: Collection[Operation], weights: WeightStore
) -> list[list[Operation]]:
    """Chains of two or more table ops, each read by the next alone; `taken` are in other groups."""
    chains: list[list[Operation]] = []
    ends: dict[Operation, list[Operation]] = {}
    for op in body_of(function).ops:
        operand = None if op in taken else table_operand(op, weights)
        if operand is None:
            continue
        producer = operand.owner
        before = ends.get(producer) if isinstance(producer, Operation) else None
        chain: list[Operation] = [] if before is None or not operand.has_one_use() else before
        if not chain:
            chains.append(chain)
        chain.append(op)
        ends[op] = chain
    return [chain for chain in chains if len(chain) > 1]
