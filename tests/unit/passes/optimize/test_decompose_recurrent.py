"""Unrolled layers compute what the layers do, and their size is linear in the number of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.recurrent import GruOp, LstmOp, RecurrentOp, RnnOp
from hbir.ir.context import make_context
from hbir.ir.function import finish_function, make_function
from hbir.ir.types import tensor
from hbir.module import Module
from hbir.passes.pipelines import OPTIMIZE, run_pipeline

LAYERS: dict[type[RecurrentOp], int] = {LstmOp: 4, GruOp: 3, RnnOp: 1}


def layer(kind: type[RecurrentOp], steps: int, zero: bool, **properties: Any) -> Module:
    """A function of x: (steps, 2, 3) with one layer of 4 units; its states are random or 0."""
    random = np.random.default_rng(steps)
    context, columns = make_context(), 4 * LAYERS[kind]
    function, block = make_function("main", [("x", tensor((steps, 2, 3)))])
    shapes = [(3, columns), (4, columns), *[(columns,)] * (2 if kind is GruOp else 1)]
    arrays = [random.normal(size=shape) for shape in shapes]
    arrays += [random.normal(size=(2, 4)) * (not zero) for _ in kind.STATES]
    constants = [
        ConstantOp.make(values=context.weights.attribute(array.astype(np.float32)))
        for array in arrays
    ]
    op = kind.make(block.args[0], *constants, **properties)
    block.add_ops([*constants, op])
    finish_function(function, [("y", op.output)])
    return Module(ModuleOp([function]), context)


@settings(max_examples=25)
@given(
    kind=st.sampled_from(list(LAYERS)),
    steps=st.integers(1, 5),
    zero=st.booleans(),
    reverse=st.booleans(),
    before=st.booleans(),
)
def test_the_same_function(
    kind: type[RecurrentOp], steps: int, zero: bool, reverse: bool, before: bool
) -> None:
    more = {"linear_before_reset": before} if kind is GruOp else {}
    module = layer(kind, steps, zero, reverse=reverse, **more)
    x = np.random.default_rng(0).normal(size=(steps, 2, 3)).astype(np.float32)
    expected = module.functions[0].feed({"x": x})["y"]
    run_pipeline(module.context, module.op, OPTIMIZE)
    assert kind.name not in module.functions[0].statistics()
    np.testing.assert_allclose(module.functions[0].feed({"x": x})["y"], expected, atol=2e-6)


@pytest.mark.parametrize("kind", list(LAYERS))
def test_size_is_linear_in_steps(kind: type[RecurrentOp]) -> None:
    sizes: list[int] = []
    for steps in (8, 16, 24):
        module = layer(kind, steps, zero=False)
        run_pipeline(module.context, module.op, OPTIMIZE)
        sizes.append(sum(module.functions[0].statistics().values()))
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0]
