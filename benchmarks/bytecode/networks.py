"""The modules that are measured: many ops, and many bytes of weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from xdsl.dialects.arith import AddfOp, Arith
from xdsl.dialects.builtin import ModuleOp, NameLoc, NoneAttr, StringAttr, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

from hbir.ir.context import HbirContext, make_context
from hbir.ir.text import parse_module

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
    type_ = TensorType(f32, [1, 8, 8, 16])
    block = Block(arg_types=[type_, type_])
    value, other = block.args
    for index in range(OPS):
        op = AddfOp(value, other)
        op.location = NameLoc(StringAttr(f"stage{index % 7}/layer{index}/add"), NoneAttr())
        block.add_op(op)
        value = op.result
    block.add_op(ReturnOp(value))
    return ModuleOp([FuncOp("main", ((type_, type_), (type_,)), Region(block))])


def layers(ctx: HbirContext) -> ModuleOp:
    """A chain of 20,000 hbir ops, each with the origin that an imported network has."""
    lines = ["func.func @main(%v0: tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32> {"]
    for index in range(OPS):
        origin = f'#hbir.origin<"stage{index % 7}/relu{index}_out", from "Relu_{index}" "Relu">'
        lines.append(
            f"%v{index + 1} = hbir.relu %v{index} {{origin = {origin}}} : tensor<1x8x8x16xf32>"
        )
    lines += [f"func.return %v{OPS} : tensor<1x8x8x16xf32>", "}"]
    return parse_module("\n".join(lines), ctx, "layers.mlir")


def weights(ctx: HbirContext) -> ModuleOp:
    """Fifty constants of half a megabyte."""
    random = np.random.default_rng(0)
    elements = WEIGHT_BYTES // WEIGHT_ARRAYS
    lines = ["func.func @main() {"]
    for index in range(WEIGHT_ARRAYS):
        array = random.integers(-128, 128, elements, dtype=np.int8)
        lines.append(f"%c{index} = hbir.constant {ctx.weights.attribute(array)}")
    lines += ["func.return", "}"]
    return parse_module("\n".join(lines), ctx, "weights.mlir")


MODULES: dict[str, Callable[[HbirContext], ModuleOp]] = {
    "adds": adds,
    "layers": layers,
    "weights": weights,
}
