"""Assignments to slices, as exporters write them, against NumPy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.passes.pipelines import OPTIMIZE, run_pipeline
from tests.unit.frontends.onnx.oracle import check, count, model_of, node, random


@settings(max_examples=30)
@given(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), st.data())
def test_an_assignment_to_a_slice(shape: tuple[int, ...], data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    low = data.draw(st.integers(0, shape[axis] - 1))
    high = data.draw(st.integers(low + 1, shape[axis]))
    width = data.draw(st.integers(axis + 1, len(shape)))
    where = [range(extent) for extent in shape[:width]]
    where[axis] = range(low, high)
    places = np.stack(np.meshgrid(*where, indexing="ij"), axis=-1)
    updates = random(*places.shape[:-1], *shape[width:], seed=1)
    constants = {"i": places, "u": updates}
    nodes = [node("ScatterND", ["x", "i", "u"])]
    module = check(model_of(nodes, {"x": shape}, ["y"], constants, opset=18))
    x = random(*shape, seed=0)
    run_pipeline(module.context, module.op, OPTIMIZE)
    assert count(module, "hbir.scatter_nd") == 0
    expected = x.copy()
    expected[tuple(slice(r.start, r.stop) for r in where)] = updates
    np.testing.assert_array_equal(module.functions[0].feed({"x": x})["y"], expected)
