"""Decide for each op whether the BPU or the CPU runs it, and write down why the CPU does.

Every op gets the discardable attribute `placement = "bpu"` or `"cpu"`, and on the CPU a `reason`.
The rules themselves are the constraint functions in `hbir/passes/constraints`; here they meet what
depends on the network: whether operands and result are quantized, and where its user wants nodes
(`wanted_places.py`). The ops of a fusion group go together.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.march import DEFAULT_ENGINES, Machine
from hbir.dialects.hbir.activation import ClipOp, PreluOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.layernorm import NormOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.dialects.hbtl import CallOp
from hbir.ir.context import weights_of
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import TensorOp
from hbir.ir.origin import name_of
from hbir.ir.types import F32, element_of
from hbir.ir.weights import WeightStore
from hbir.passes.constraints import broken_constraint
from hbir.passes.fake_quant import is_fake_quant, quantization_at
from hbir.passes.groups import FusionGroup, group_ending_at, is_inside_group
from hbir.passes.onchip import too_large_for
from hbir.passes.scheduling import known_machine
from hbir.passes.tables import chain_ending_at, table_operand
from hbir.passes.wanted_places import WantedPlaces, forget_wishes, reason_with_wishes

PLACEMENT = "placement"
REASON = "reason"
BPU, CPU = "bpu", "cpu"


@dataclass(frozen=True)
class PlaceOpsPass(ModulePass):
    """Write `placement`, and for the CPU `reason`, on every float op.

    run_on_cpu, run_on_bpu: names of source nodes that a user wants there, besides those whose ops
    say so already; the ops that they are part of follow. disabled: engines that must not be used.
    """

    name = "place-ops"

    run_on_cpu: tuple[str, ...] = ()
    run_on_bpu: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        weights = weights_of(ctx)
        engines = known_machine(op)
        wanted = WantedPlaces(frozenset(self.run_on_cpu), frozenset(self.run_on_bpu))
        for function in functions_of(op):
            wanted.mark(function)
            _place(function, weights, engines, self.disabled)
            for placed in body_of(function).ops:
                forget_wishes(placed)


def is_on_bpu(op: Operation) -> bool:
    """Whether `place-ops` gave the op to the BPU."""
    placement = op.attributes.get(PLACEMENT)
    return isinstance(placement, StringAttr) and placement.data == BPU


def _without_engine(ops: Iterable[TensorOp], machine: Machine | None) -> str | None:
    """Why the machine doesn't have what runs the ops on others; None when it does."""
    if machine is None:
        return None
    for op in ops:
        opcode = op.name.partition(".")[2]
        engine = DEFAULT_ENGINES.get(opcode)
        if engine is not None and opcode not in machine.opcode_engines:
            return f"{machine.name} has no {engine}, the engine that runs it on other marches"
    return None


def _disabled(ops: Iterable[TensorOp], machine: Machine | None, disabled: Container[str]) -> str:
    """Why a user's choice of engines keeps the ops off the BPU; empty when it doesn't."""
    engines = DEFAULT_ENGINES if machine is None else machine.opcode_engines
    for op in ops:
        engine = engines.get(op.name.partition(".")[2])
        if engine is not None and engine in disabled:
            return f"the {engine} runs it, which is disabled"
    return ""


def _place(
    function: FuncOp,
    weights: WeightStore,
    machine: Machine | None,
    disabled: Container[str],
) -> None:
    for op in body_of(function).ops:
        if isinstance(op, CallOp):
            reason_with_wishes([op], op.reason.data)  # its place is known since import
        if not isinstance(op, TensorOp) or not op.name.startswith("hbir."):
            continue
        if isinstance(op, ConstantOp) or is_inside_group(op):
            continue
        group = group_ending_at(op)
        if group is not None:
            members, reason = group.ops, _group_reason(group)
        else:
            members = chain_ending_at(op, weights) or [op]
            reason = (
                _unfit(members)
                or _without_engine(members, machine)
                or too_large_for(op, machine)
                or _disabled(members, machine, disabled)
                or _unquantized(members, weights)
            )
        reason = reason_with_wishes(members, reason)
        for member in members:
            _mark(member, reason)


def _mark(op: TensorOp, reason: str | None) -> None:
    op.attributes[PLACEMENT] = StringAttr(BPU if reason is None else CPU)
    if reason is None:
        op.attributes.pop(REASON, None)
    else:
        op.attributes[REASON] = StringAttr(reason)


def _group_reason(group: FusionGroup) -> str | None:
    broken = broken_constraint(group.gemm)
    if broken is not None:
        return broken
    inputs = [group.gemm.x] if group.residual is None else [group.gemm.x, group.residual]
    missing = _first_unquantized(inputs)
    if missing is not None:
        return missing
    if isinstance(group.activation, ClipOp) and not _is_quantized(group.output):
        return _result_reason(group.output)
    return None


def _unfit(ops: Iterable[TensorOp]) -> str | None:
    return next(filter(None, map(broken_constraint, ops)), None)


def _unquantized(chain: list[TensorOp], weights: WeightStore) -> str | None:
    """What isn't quantized though the BPU computes with integers; None when all is.

    `chain` is one op, or a chain of table ops.
    """
    first, op = chain[0], chain[-1]
    if isinstance(op, ReshapeOp | TransposeOp) and _moves_output(op):
        return None
    missing = _first_unquantized(_activations(first, weights))
    if missing is not None:
        return missing
    if element_of(op.output) != F32:
        return None  # indices, which have no scale
    return None if _is_quantized(op.output) else _result_reason(op.output)


def _activations(op: TensorOp, weights: WeightStore) -> list[SSAValue]:
    """The operands that must be quantized: no numbers, indices, slopes, or weights of a norm."""
    if isinstance(op, PreluOp | NormOp):
        return [op.x]
    operand = table_operand(op, weights)
    if operand is not None:
        return [operand]
    return [value for value in op.operands if element_of(value) == F32]


def _first_unquantized(values: Iterable[SSAValue]) -> str | None:
    for value in values:
        if quantization_at(value) is None and _comes_from_accumulator(value):
            return (
                f'its operand "{_called(value)}" is the unquantized result of a convolution on its'
                " way out of the network, float once its 32-bit accumulator is dequantized"
            )
        if quantization_at(value) is None:
            return (
                f'its operand "{_called(value)}" is not quantized: neither calibration nor'
                " training placed a fake-quant there"
            )
    return None


def _comes_from_accumulator(value: SSAValue) -> bool:
    producer = value.owner
    while isinstance(producer, ReshapeOp | TransposeOp) and is_on_bpu(producer):
        producer = producer.x.owner
    if not isinstance(producer, Operation) or not is_on_bpu(producer):
        return False
    return group_ending_at(producer) is not None


def _is_quantized(value: SSAValue) -> bool:
    """Whether every reader of a value is a fake-quant."""
    return all(is_fake_quant(use.operation) for use in value.uses)


def _result_reason(value: SSAValue) -> str:
    return (
        f'its result "{_called(value)}" is not quantized: no op of the BPU reads it, and only'
        " convolutions without an upper bound give their accumulator out"
    )


def _moves_output(op: ReshapeOp | TransposeOp) -> bool:
    """Whether a move carries an accumulator on its way out, which stays unquantized."""
    if any(is_fake_quant(use.operation) for use in (*op.x.uses, *op.output.uses)):
        return False
    return _comes_from_accumulator(op.x)


def _called(value: SSAValue) -> str:
    return name_of(value) or value.name_hint or "?"
