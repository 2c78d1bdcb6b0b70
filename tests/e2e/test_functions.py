"""Functions, comparisons and reductions from ONNX, each through every level, on random shapes.

Each is computed on the BPU whatever the shape, comes close to float, and has the same bits at the
quantized level, tile by tile, and in the compiled file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import hbir.onnx
from tests.e2e.levels import MARCHES, OPTIMIZATION_LEVELS, Network, assert_levels_equal, cosine
from tests.unit.frontends.onnx.oracle import model_of, node

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Nodes = list[onnx.NodeProto]


@dataclass(frozen=True)
class Case:
    """Nodes from x (and z, its last row) to y, and the least cosine to float with 8 bits."""

    nodes: Callable[[Shape], Nodes]
    constants: dict[str, Array]
    cosine: float = 0.995
    cosine_wide: float = 0.9999
    opset: int = 20


def case(
    *nodes: onnx.NodeProto, least: float = 0.995, wide: float = 0.9999, **constants: Any
) -> Case:
    arrays: dict[str, Array] = {
        name: value if isinstance(value, np.ndarray) else np.array(value, np.float32)
        for name, value in constants.items()
    }
    return Case(lambda shape: list(nodes), arrays, least, wide)


def unary(op_type: str, least: float = 0.995, wide: float = 0.9999, **attributes: Any) -> Case:
    return case(node(op_type, ["x"], **attributes), least=least, wide=wide)


def inside(op_type: str, domain: str) -> Case:
    """A function of what another one brings into its domain."""
    return case(node(domain, ["x"], ["a"]), node(op_type, ["a"]))


def reduced(op_type: str, axes: Callable[[int], list[int]], **attributes: Any) -> Case:
    """A reduction over axes that depend on the rank, times x so that shapes meet again."""

    def nodes(shape: Shape) -> Nodes:
        return [
            node("Constant", [], ["axes"], value_ints=axes(len(shape))),
            node(op_type, ["x", "axes"], ["a"], keepdims=1, **attributes),
            node("Mul", ["a", "z"]),
        ]

    return Case(nodes, {})


def last(rank: int) -> list[int]:
    return [rank - 1]


def every(rank: int) -> list[int]:
    return list(range(rank))


SMOOTH = (
    *("Abs", "Neg", "Erf", "Sin", "Cos", "Atan", "Asinh", "Softplus", "Softsign", "Mish", "Elu"),
    *("Selu", "Celu", "Shrink", "Gelu", "Sinh", "Cosh"),
)
STEPS = ("Floor", "Ceil", "Round", "Sign", "ThresholdedRelu")
INSIDE = {
    "Sqrt": "Exp",
    "Log": "Exp",
    "Reciprocal": "Exp",
    "Asin": "Tanh",
    "Acos": "Tanh",
    "Atanh": "Tanh",
    "Acosh": "Cosh",
}
REDUCTIONS = (
    *("ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean"),
    *("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"),
)
COMPARISONS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal")

CASES: dict[str, Case] = {
    **{name: unary(name) for name in SMOOTH},
    "Gelu by tanh": unary("Gelu", approximate="tanh"),
    # What lies within half a step of a jump may fall on its other side.
    **{name: unary(name, least=0.9, wide=0.995) for name in STEPS},
    **{name: inside(name, domain) for name, domain in INSIDE.items()},
    "Pow": case(node("Exp", ["x"], ["a"]), node("Pow", ["a", "n"]), n=1.7),
    "2^x": case(node("Pow", ["n", "x"]), n=2),
    **{f"{name} of rows": reduced(name, last) for name in REDUCTIONS},
    **{f"{name} of all": reduced(name, every) for name in REDUCTIONS},
    "CumSum": case(node("CumSum", ["x", "axis"]), axis=np.array(-1)),
    "LogSoftmax": unary("LogSoftmax", axis=-1),
    **{
        f"Where {name}": case(node(name, ["x", "z"], ["c"]), node("Where", ["c", "x", "z"]))
        for name in COMPARISONS
    },
    **{
        f"Where {name} number": case(
            node(name, ["x", "k"], ["c"]), node("Where", ["c", "x", "z"]), k=0.3, least=0.95
        )
        for name in COMPARISONS
    },
    "Logic": case(
        node("Greater", ["x", "k"], ["p"]),
        node("Less", ["z", "k"], ["q"]),
        node("Not", ["q"], ["n"]),
        node("And", ["p", "n"], ["a"]),
        node("Xor", ["a", "p"], ["b"]),
        node("Or", ["b", "q"], ["o"]),
        node("Cast", ["o"], ["f"], to=1),
        node("Mul", ["f", "x"]),
        k=0.3,
        least=0.9,
        wide=0.99,
    ),
    "Mean": case(node("Mean", ["x", "z", "x"])),
    "a scalar bound": case(
        node("ReduceMin", ["z"], ["low"], keepdims=0), node("Clip", ["x", "low"])
    ),
    "a masked softmax": case(
        node("Greater", ["z", "k"], ["c"]),
        node("Where", ["c", "x", "hidden"], ["m"]),
        node("Softmax", ["m"], axis=-1),
        k=-1,
        hidden=-np.inf,
        least=0.99,
        wide=0.999,
    ),
    "gelu as exporters write it": case(
        node("Div", ["x", "root"], ["a"]),
        node("Erf", ["a"], ["b"]),
        node("Add", ["b", "one"], ["c"]),
        node("Mul", ["x", "c"], ["d"]),
        node("Mul", ["d", "half"]),
        root=2**0.5,
        one=1,
        half=0.5,
    ),
}


def model_for(this: Case, shape: Shape) -> onnx.ModelProto:
    nodes = this.nodes(shape)
    read = {name for n in nodes for name in n.input}
    row = (*(1 for _ in shape[:-1]), shape[-1])
    inputs = {name: s for name, s in (("x", shape), ("z", row)) if name in read}
    return model_of(nodes, inputs, ["y"], this.constants, opset=this.opset)


def feeds_for(model: onnx.ModelProto, seed: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    shapes = {
        p.name: [d.dim_value for d in p.type.tensor_type.shape.dim] for p in model.graph.input
    }
    return {name: random.normal(0, 1.5, s).astype(np.float32) for name, s in shapes.items()}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple),
    channels=st.integers(2, 70),
    march=st.sampled_from(MARCHES),
    opt=st.sampled_from(OPTIMIZATION_LEVELS),
    wide=st.booleans(),
)
def test_levels_have_the_same_bits(
    name: str, shape: Shape, channels: int, march: str, opt: int, wide: bool
) -> None:
    this = CASES[name]
    model = model_for(this, (*shape[:3], channels))
    batches = [feeds_for(model, seed) for seed in range(2)]
    with TemporaryDirectory() as folder:
        dtype: dict[str, Any] = {"dtype": "int16"} if wide else {}
        network = Network.calibrate("f", model, batches, Path(folder), **dtype)
        quantized = network.quantized(march).functions[0]
        on_cpu = [op.name for op in quantized.operations if op.name == "hbtl.call"]
        assert not on_cpu
        assert_levels_equal(network, march, opt, [feeds_for(model, 9)])
        got = np.concatenate([quantized.feed(batch)["y"].ravel() for batch in batches])
        wanted = np.concatenate([float_of(model, batch).ravel() for batch in batches])
    if np.linalg.norm(wanted) > 1e-3:
        assert cosine(got, wanted) >= (this.cosine_wide if wide else this.cosine)


def float_of(model: onnx.ModelProto, batch: dict[str, Array]) -> Array:
    return hbir.onnx.export(model).functions[0].feed(batch)["y"]
