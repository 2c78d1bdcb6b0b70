"""The modules that are measured: many ops, and many bytes of weights.

They are built op by op, and what ops have in common is one object, so that building one takes the
least memory that a reader could leave it with.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from xdsl.dialects.arith import AddfOp, Arith, FastMathFlagsAttr
from xdsl.dialects.builtin import (
    FileLineColLoc,
    IntAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
    TensorType,
    f32,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from hbir.dialects.hbir.activation import ReluOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.context import HbirContext, make_context
from hbir.ir.names import value_name
from hbir.ir.origin import ATTRIBUTE, Node, Origin

OPS = 20_000
WEIGHT_BYTES = 25_000_000
WEIGHT_ARRAYS = 50


def context() -> HbirContext:
    """What the modules need to be read."""
    ctx = make_context()
    ctx.load_dialect(Arith)
    return ctx


def adds(ctx: HbirContext) -> ModuleOp:
    """A chain of 20,000 additions of xDSL's own arith, each with a location of its own."""
    type_, flags, nowhere = TensorType(f32, [1, 8, 8, 16]), FastMathFlagsAttr("none"), NoneAttr()
    block = Block(arg_types=[type_, type_])
    value, other = block.args
    for index in range(OPS):
        op = AddfOp(value, other, flags)
        op.location = NameLoc(StringAttr(f"stage{index % 7}/layer{index}/add"), nowhere)
        block.add_op(op)
        value = op.result
    block.add_op(ReturnOp(value))
    return ModuleOp([FuncOp("main", ((type_, type_), (type_,)), Region(block))])


def layers(ctx: HbirContext) -> ModuleOp:
    """A chain of 20,000 hbir ops, each with the origin that an imported network has."""
    type_, file = TensorType(f32, [1, 8, 8, 16]), StringAttr("layers.mlir")
    column = IntAttr(1)
    block = Block(arg_types=[type_])
    value: SSAValue = block.args[0]
    for index in range(OPS):
        tensor = f"stage{index % 7}/relu{index}_out"
        origin = Origin(tensor, nodes=(Node(f"Relu_{index}", "Relu"),))
        place = FileLineColLoc(file, IntAttr(index + 2), column)
        op = ReluOp.create(
            operands=[value],
            result_types=[type_],
            attributes={ATTRIBUTE: origin.attribute()},
            location=NameLoc(StringAttr(tensor), place),
        )
        op.results[0].name_hint = value_name(tensor)
        block.add_op(op)
        value = op.results[0]
    block.add_op(ReturnOp(value))
    return ModuleOp([FuncOp("main", ((type_,), (type_,)), Region(block))])


def constants(ctx: HbirContext) -> list[Attribute]:
    """Fifty constants of half a megabyte, their bytes in the context's store."""
    random = np.random.default_rng(0)
    elements = WEIGHT_BYTES // WEIGHT_ARRAYS
    return [
        ctx.weights.attribute(random.integers(-128, 128, elements, dtype=np.int8))
        for _ in range(WEIGHT_ARRAYS)
    ]


def holding(values: list[Attribute]) -> ModuleOp:
    """A function of these constants."""
    ops = [ConstantOp.make(values=value) for value in values]
    return ModuleOp([FuncOp("main", ((), ()), Region(Block([*ops, ReturnOp()])))])


def weights(ctx: HbirContext) -> ModuleOp:
    """A function of nothing but constants."""
    return holding(constants(ctx))


MODULES: dict[str, Callable[[HbirContext], ModuleOp]] = {
    "adds": adds,
    "layers": layers,
    "weights": weights,
}
