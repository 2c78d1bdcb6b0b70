"""Replace what lies between dequantize and quantize by the integer op that computes it.

One file per op family holds the lowering of each of its ops in `LOWERINGS`. A lowering gets the
float op and how its result is to be quantized, reads its operands behind their dequantize, and
makes a `bpu` op whose multipliers, tables and biases come from `hbir.kernels.parameters`. Ops that
`place-ops` gave to the CPU stay as they are.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import lru_cache

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.dialects.qnt import QuantizeOp
from hbir.errors import HbirError
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import TensorOp
from hbir.ir.origin import origin_of_op, set_origin
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import F32, element_of
from hbir.ir.verify import describe_op
from hbir.passes.convert.lower_to_bpu.activation import lower_chain
from hbir.passes.convert.lower_to_bpu.float16 import is_float16, lower_float16
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction, quantization_of
from hbir.passes.convert.place_ops import is_on_bpu
from hbir.passes.groups import group_ending_at
from hbir.passes.tables import chain_ending_at


class LowerToBpuPass(ModulePass):
    """Make the integer ops of everything placed on the BPU, in program order."""

    name = "lower-to-bpu"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            for inner in list(body_of(function).ops):
                if inner.parent is not None:
                    _lower(inner, rewrite)


@lru_cache(maxsize=1)
def lowerings() -> dict[type[Operation], LoweringFunction]:
    """The lowering of each op, collected from the family files."""
    table: dict[type[Operation], LoweringFunction] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        family = importlib.import_module(f"{__name__}.{info.name}")
        table.update(getattr(family, "LOWERINGS", {}))
    return table


def _lower(op: Operation, rewrite: Rewrite) -> None:
    """A quantize of a BPU op's result, or a BPU op whose result nothing quantizes."""
    if isinstance(op, QuantizeOp):
        producer = op.x.owner
        if isinstance(producer, TensorOp) and is_on_bpu(producer):
            _lower_op(producer, op, rewrite)
    elif isinstance(op, TensorOp) and is_on_bpu(op) and _is_raw(op):
        _lower_op(op, None, rewrite)


def _is_raw(op: TensorOp) -> bool:
    """Whether the result goes out as it is: an accumulator, or indices, which have no scale."""
    uses = list(op.output.uses)
    if element_of(op.output) != F32:
        return bool(uses)
    if any(isinstance(use.operation, QuantizeOp) for use in uses):
        return False
    moves_output = isinstance(op, ReshapeOp | TransposeOp)
    ends_group = group_ending_at(op) is not None
    inside = not (moves_output or ends_group) and any(is_on_bpu(u.operation) for u in uses)
    return bool(uses) and not inside


def _lower_op(op: TensorOp, anchor: QuantizeOp | None, rewrite: Rewrite) -> None:
    group = group_ending_at(op)
    chain = [] if group is not None else chain_ending_at(op, rewrite.weights)
    target = op if anchor is None else anchor
    output = None if anchor is None else quantization_of(anchor)
    lowering = Lowering(rewrite, target, output)
    lower_it = (
        lower_float16 if group is None and is_float16(op, chain, lowering) else _lower_integers
    )
    try:
        new = lower_it(op, chain, lowering)
    except HbirError as error:
        raise HbirError(f"{describe_op(op)}: {error}") from error
    fused: Sequence[TensorOp] = chain[::-1] or [op] if group is None else group.ops
    _fuse_nodes(new, fused)
    rewrite.replace(target, new)
    for member in fused:
        if member.parent is not None and member.output.first_use is None:
            rewrite.erase(member)


def _lower_integers(op: TensorOp, chain: list[TensorOp], lowering: Lowering) -> TensorOp:
    return lower_chain(chain, lowering) if chain else _lowering_of(op)(op, lowering)


def _lowering_of(op: TensorOp) -> LoweringFunction:
    """The lowering of an op, of a fusion group that of its GEMM-like op."""
    group = group_ending_at(op)
    lower = lowerings().get(type(op if group is None else group.gemm))
    if lower is None:
        raise HbirError("it was placed on the BPU, but has no lowering")
    return lower


def _fuse_nodes(new: TensorOp, fused: Sequence[TensorOp]) -> None:
    """The source nodes of a group, in the order they are computed.

    The dequantize of a raw accumulator has no origin of its own: it takes the group's.
    """
    origin = origin_of_op(new) or origin_of_op(fused[0])
    if origin is not None:
        members = [member for member in map(origin_of_op, reversed(fused)) if member is not None]
        set_origin(new, origin.fused_with(members))
