"""The pass on random graphs: the same results, and transposes that don't come back."""

from collections.abc import Sequence

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.frontends.onnx.importer import import_model
from hbir.module import Module
from hbir.passes.optimize.cancel_transposes import CancelTransposes
from tests.unit.frontends.onnx.oracle import count, feeds_of, model_of, node, random

STEPS = ("conv", "relu", "add", "mul", "concat", "transpose", "softmax", "mean", "flat", "slice")


def random_model(steps: Sequence[tuple[str, int]]) -> onnx.ModelProto:
    """A graph over (1, 4, 6, 6) tensors that applies each step to one or two earlier results."""
    values = ["x"]
    nodes: list[onnx.NodeProto] = []
    constants = {
        "w": random(4, 4, 3, 3),
        "v": random(4, 8, 1, 1),
        "k": random(4, 1, 1),
        "flat": np.array([1, 4, 36], np.int64),
        "full": np.array([1, 4, 6, 6], np.int64),
    }
    for index, (step, choice) in enumerate(steps):
        # a second operand is a result, not the input, where there is one
        a = values[1 + choice % (len(values) - 1)] if len(values) > 1 else "x"
        b, y = values[-1], f"t{index}"
        match step:
            case "conv":
                nodes.append(node("Conv", [b, "w"], [y], pads=[1, 1, 1, 1]))
            case "relu":
                nodes.append(node("Relu", [b], [y]))
            case "add":
                nodes.append(node("Add", [a, b], [y]))
            case "mul":
                nodes.append(node("Mul", [b, "k"], [y]))
            case "concat":
                nodes.append(node("Concat", [a, b], [f"{y}c"], axis=1))
                nodes.append(node("Conv", [f"{y}c", "v"], [y]))
            case "transpose":
                nodes.append(node("Transpose", [b], [f"{y}p"], perm=[0, 1, 3, 2]))
                nodes.append(node("Relu", [f"{y}p"], [y]))
            case "softmax":
                nodes.append(node("Softmax", [b], [y], axis=1))
            case "mean":
                nodes.append(node("ReduceMean", [b], [f"{y}m"], axes=[2, 3]))
                nodes.append(node("Mul", [a, f"{y}m"], [y]))
            case "flat":
                nodes.append(node("Reshape", [b, "flat"], [f"{y}f"]))
                nodes.append(node("Reshape", [f"{y}f", "full"], [y]))
            case _:
                nodes.append(node("Slice", [b], [f"{y}s"], starts=[1], ends=[5], axes=[2]))
                nodes.append(node("Pad", [f"{y}s"], [y], pads=[0, 0, 1, 0, 0, 0, 1, 0]))
        values.append(y)
    return model_of(nodes, {"x": (1, 4, 6, 6)}, [values[-1]], constants, opset=9)


def run_pass(module: Module) -> None:
    CancelTransposes().apply(module.context, module.op)
    module.verify()


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 7)), min_size=1, max_size=12))
def test_random_graphs(steps: list[tuple[str, int]]) -> None:
    module = import_model(random_model(steps))
    feeds = feeds_of(module.functions[0])
    wanted = module.functions[0].feed(feeds)
    run_pass(module)
    for name, array in module.functions[0].feed(feeds).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-4, atol=1e-5)
    once = count(module, "hbir.transpose")
    run_pass(module)
    assert count(module, "hbir.transpose") <= once
    for name, array in module.functions[0].feed(feeds).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-4, atol=1e-5)


LAYOUT_FREE = ("conv", "relu", "add", "mul", "concat", "mean", "slice")


@settings(max_examples=80)
@given(st.lists(st.tuples(st.sampled_from(LAYOUT_FREE), st.integers(0, 7)), max_size=12))
def test_only_input_and_output_are_transposed_where_nothing_is_bound_to_nchw(
    steps: list[tuple[str, int]],
) -> None:
    module = import_model(random_model([("conv", 0), *steps]))
    run_pass(module)
    assert count(module, "hbir.transpose") <= 2
