"""One op, decomposed by passes and run in float32, against its formula in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from hbir.ir.context import make_context
from hbir.ir.function import finish_function, make_function
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin
from hbir.ir.types import F32, tensor
from hbir.module import Module
from hbir.passes.pipelines import run_pipeline

Array = np.ndarray[Any, Any]

BOUND = 2.0**-18
"""What docs/arithmetic.md declares, relative to the largest magnitude."""


def decomposed(
    kind: type[TensorOp],
    shapes: Sequence[tuple[int, ...]],
    passes: Sequence[str],
    **properties: Any,
) -> Module:
    """A function of one op over float arguments, after `passes`."""
    context = make_context()
    names = [f"x{index}" for index in range(len(shapes))]
    types = [(name, tensor(shape, F32)) for name, shape in zip(names, shapes, strict=True)]
    function, block = make_function("main", types)
    op = kind.make(*block.args, origin=Origin("y"), **properties)
    block.add_op(op)
    finish_function(function, [("y", op.output)])
    module = Module(ModuleOp([function]), context)
    run_pipeline(context, module.op, passes)
    return module


def assert_within_bound(module: Module, arrays: Sequence[Array], expected: Array) -> None:
    """The module's float32 result is within the declared bound of `expected`, float64."""
    feed = {f"x{index}": array for index, array in enumerate(arrays)}
    actual = module.functions[0].feed(feed)["y"]
    assert actual.dtype == np.float32
    assert np.abs(actual - expected).max() <= BOUND * max(1.0, np.abs(expected).max())


def normalized(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    """(x - mean) / sqrt(var + eps) over `axes`, float64."""
    wide = x.astype(np.float64)
    wide = wide - wide.mean(axis=axes, keepdims=True)
    return wide / np.sqrt(np.square(wide).mean(axis=axes, keepdims=True) + eps)
