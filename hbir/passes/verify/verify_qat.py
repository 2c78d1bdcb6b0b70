"""What calibration (or training) hands to convert: fake-quants where integers can be."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, OpResult
from xdsl.passes import ModulePass

from hbir.backend.march import Machine, March, load_march
from hbir.dialects.hbir.cast import FakeCastOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.function import functions_of
from hbir.ir.origin import name_of
from hbir.ir.verify import VerifyError, verify_module
from hbir.passes.constraints.float16 import broken_float16_constraint
from hbir.passes.fake_quant import FakeQuantOp, fake_quant_at
from hbir.passes.graph import is_constant
from hbir.passes.groups import group_number, is_inside_group
from hbir.passes.scheduling import known_machine
from hbir.passes.verify.verify_float import check_dialect


class VerifyQatPass(ModulePass):
    """The float level's rules, and for each fake-quant: outside fusion groups, a range around 0,
    8 or 16 bits, per channel only on constants; float16 only where its readers and, once it is
    known, the march have it."""

    name = "verify-qat"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        verify_module(op)
        machine = known_machine(op)
        for function in functions_of(op):
            for inner in function.body.block.ops:
                check_dialect(inner)
                if isinstance(inner, ConstFakeQuantOp):
                    _check_range(inner)
                    _check_place(inner)
                elif isinstance(inner, FakeCastOp):
                    _check_place(inner)
                    _check_float16(inner, machine)


def _check_range(op: ConstFakeQuantOp) -> None:
    params = op.params()
    if params["bits"] not in (8, 16):
        raise VerifyError(op, f"bits must be 8 or 16, got {params['bits']}")
    for low, high in zip(params["min"], params["max"], strict=True):
        if low > 0 or high < 0:
            raise VerifyError(
                op, f"range [{low}, {high}] does not hold 0, so padding and zeros have no integer"
            )
    if "axis" in params and not is_constant(op.x):
        raise VerifyError(op, "only constants are quantized per channel; leave out axis")


def _check_float16(op: FakeCastOp, machine: Machine | None) -> None:
    called = name_of(op.x) or op.x.name_hint or "?"
    if machine is not None and not machine.has_float16:
        have = [march.value for march in March if load_march(march).has_float16]
        raise VerifyError(
            op,
            f'tensor "{called}" is float16, which {machine.name} doesn\'t have; calibrate with'
            f" int16 in its place, or convert for {', '.join(dict.fromkeys(have))}",
        )
    for use in op.output.uses:
        broken = broken_float16_constraint(use.operation, use.index)
        if broken is not None:
            raise VerifyError(use.operation, f'"{called}" can\'t be float16 here: {broken}')


def _check_place(op: FakeQuantOp) -> None:
    inner = fake_quant_at(op.x)
    if inner is not None and inner.name == op.name and inner.properties == op.properties:
        raise VerifyError(op, "repeats the fake-quant before it")
    if isinstance(op.x, OpResult) and _between_group_ops(op.x.op):
        raise VerifyError(op, "stands inside a fusion group, whose sum is never quantized")


def _between_group_ops(producer: Operation) -> bool:
    return group_number(producer) is not None and is_inside_group(producer)
