"""A case per ONNX operator that hbir imports: the form in which networks have it.

A case says the node's operands and attributes. `x`, `y` are activations (1, 4, 6, 8) around 0,
`p` is positive, `q` above 1, `u` within −1…1, `m` and `n` are matrices (1, 6, 8) and (1, 8, 6), `b`
and `c` are truth values; arrays are constants, "" is an operand left out. All cases of an opset are
one model, in which every activation comes from an addition and every result goes to another, so
that each operator stands in the middle of a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Array: TypeAlias = "np.ndarray[Any, Any]"
_helper: Any = helper

OPSET = 24
SHAPES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys("xypqu", (1, 4, 6, 8)),
    "m": (1, 6, 8),
    "n": (1, 8, 6),
}
RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys("xymn", (-3.0, 3.0)),
    "p": (0.2, 3.0),
    "q": (1.2, 4.0),
    "u": (-0.9, 0.9),
}
TRUTH = {"b": ("x", "y"), "c": ("y", "p")}
"""Truth values, as what is compared to be greater."""

FLOAT, BOOL = "float", "bool"


@dataclass(frozen=True)
class Case:
    """One node. results: the kinds of its results that are used, FLOAT, BOOL or an integer type."""

    operands: tuple[str | Array, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    results: tuple[str, ...] = (FLOAT,)
    opset: int = OPSET


def case(operands: str, *constants: Any, results: Sequence[str] = (FLOAT,), opset: int = OPSET,
         **attributes: Any) -> Case:  # fmt: skip
    """`operands` by name, then constants; "-" leaves one out."""
    names = ["" if name == "-" else name for name in operands.split()]
    arrays = [_constant(value) for value in constants]
    return Case((*names, *arrays), attributes, tuple(results), opset)


def _constant(value: Any) -> Array | str:
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _weights(*shape: int) -> Array:
    return np.random.default_rng(len(shape)).uniform(-0.5, 0.5, shape).astype(np.float32)


def _ints(*values: int) -> Array:
    return np.asarray(values, np.int64)


CASES: dict[str, Case] = {
    "Abs": case("x"),
    "Acos": case("u"),
    "Acosh": case("q"),
    "Add": case("x y"),
    "And": case("b c", results=[BOOL]),
    "ArgMax": case("x", axis=1, results=["int64"]),
    "ArgMin": case("x", axis=1, results=["int64"]),
    "Asin": case("u"),
    "Asinh": case("x"),
    "Atan": case("x"),
    "Atanh": case("u"),
    "Attention": case("x x y"),
    "AveragePool": case("x", kernel_shape=[2, 2], strides=[2, 2]),
    "BatchNormalization": case("p", [1.0, 2, 3, 4], [0.5] * 4, [0.1] * 4, [1.0] * 4),
    "Cast": case("b", to=TensorProto.FLOAT),
    "CastLike": case("b", np.float32(1)),
    "Ceil": case("x"),
    "Celu": case("x", alpha=2.0),
    "Clip": case("x", np.float32(-1), np.float32(2)),
    "Concat": case("x y", axis=1),
    "Conv": case("x", _weights(8, 4, 3, 3), _weights(8), pads=[1, 1, 1, 1]),
    "ConvTranspose": case("x", _weights(4, 8, 2, 2), strides=[2, 2]),
    "Cos": case("x"),
    "Cosh": case("u"),
    "CumSum": case("m", np.int64(1)),
    "DepthToSpace": case("x", blocksize=2),
    "Div": case("x p"),
    "Dropout": case("x"),
    "Einsum": case("m n", equation="bij,bjk->bik"),
    "Elu": case("x"),
    "Equal": case("x y", results=[BOOL]),
    "Erf": case("x"),
    "Exp": case("u"),
    "Expand": case("m", _ints(4, 6, 8)),
    "Flatten": case("x", axis=1),
    "Floor": case("x"),
    "GRU": case("m", _weights(1, 12, 8), _weights(1, 12, 4), hidden_size=4),
    "Gather": case("x", _ints(2, 0), axis=1),
    "GatherElements": case("m", np.zeros((1, 3, 8), np.int64), axis=1),
    "GatherND": case("m", np.zeros((2, 2), np.int64)),
    "Gelu": case("x"),
    "Gemm": case("flat", _weights(192, 8), _weights(8)),
    "GlobalAveragePool": case("x"),
    "GlobalMaxPool": case("x"),
    "Greater": case("x y", results=[BOOL]),
    "GreaterOrEqual": case("x y", results=[BOOL]),
    "GridSample": case("x grid"),
    "GroupNormalization": case("x", [1.0, 2, 3, 4], [0.0, 1, 2, 3], num_groups=2),
    "HardSigmoid": case("x"),
    "HardSwish": case("x"),
    "Identity": case("x"),
    "InstanceNormalization": case("x", [1.0, 2, 3, 4], [0.0, 1, 2, 3]),
    "LSTM": case("m", _weights(1, 16, 8), _weights(1, 16, 4), hidden_size=4),
    "LayerNormalization": case("m", np.ones(8), np.zeros(8), axis=-1),
    "LeakyRelu": case("x", alpha=0.1),
    "Less": case("x y", results=[BOOL]),
    "LessOrEqual": case("x y", results=[BOOL]),
    "Log": case("p"),
    "LogSoftmax": case("m"),
    "LpNormalization": case("p", axis=1),
    "MatMul": case("m n"),
    "Max": case("x y"),
    "MaxPool": case("x", kernel_shape=[2, 2], strides=[2, 2]),
    "Mean": case("x y"),
    "Min": case("x y"),
    "Mish": case("x"),
    "Mod": case("p", np.float32(1), fmod=1),
    "Mul": case("x y"),
    "Neg": case("x"),
    "Not": case("b", results=[BOOL]),
    "Or": case("b c", results=[BOOL]),
    "PRelu": case("conv", np.full((4, 1, 1), 0.25)),
    "Pad": case("x", _ints(0, 0, 1, 1, 0, 0, 1, 1)),
    "Pow": case("p", np.float32(1.5)),
    "RMSNormalization": case("m", np.ones(8)),
    "RNN": case("m", _weights(1, 4, 8), _weights(1, 4, 4), hidden_size=4),
    "Reciprocal": case("p"),
    "ReduceL1": case("x", _ints(1)),
    "ReduceL2": case("x", _ints(1)),
    "ReduceLogSum": case("p", _ints(1)),
    "ReduceLogSumExp": case("x", _ints(1)),
    "ReduceMax": case("x", _ints(1)),
    "ReduceMean": case("x", _ints(2, 3)),
    "ReduceMin": case("x", _ints(1)),
    "ReduceProd": case("p", _ints(1)),
    "ReduceSum": case("p", _ints(2, 3)),
    "ReduceSumSquare": case("x", _ints(1)),
    "Relu": case("x"),
    "Reshape": case("x", _ints(1, 24, 8)),
    "Resize": case("x - -", _ints(1, 4, 12, 16), mode="linear"),
    "Round": case("x"),
    "Scatter": case("m", np.zeros((1, 1, 8), np.int64), "slice", axis=1, opset=10),
    "ScatterElements": case("m", np.zeros((1, 1, 8), np.int64), "slice", axis=1),
    "ScatterND": case("m", np.zeros((1, 1), np.int64), "m"),
    "Selu": case("x"),
    "Shrink": case("x", lambd=0.5),
    "Sigmoid": case("x"),
    "Sign": case("x"),
    "Sin": case("x"),
    "Sinh": case("u"),
    "Slice": case("x", _ints(1, 1), _ints(5, 7), _ints(2, 3)),
    "Softmax": case("m"),
    "Softplus": case("x"),
    "Softsign": case("x"),
    "SpaceToDepth": case("x", blocksize=2),
    "Split": case("x", axis=1, num_outputs=2, results=[FLOAT, FLOAT]),
    "Sqrt": case("p"),
    "Squeeze": case("m", _ints(0)),
    "Sub": case("x y"),
    "Sum": case("x y"),
    "Swish": case("x"),
    "Tan": case("u"),
    "Tanh": case("x"),
    "ThresholdedRelu": case("x"),
    "Tile": case("m", _ints(1, 2, 1)),
    "TopK": case("x", _ints(2), axis=1, results=[FLOAT, "int64"]),
    "Transpose": case("x", perm=[0, 2, 3, 1]),
    "Unsqueeze": case("m", _ints(1)),
    "Upsample": case("x", np.asarray([1.0, 1, 2, 2]), opset=9),
    "Where": case("b x y"),
    "Xor": case("b c", results=[BOOL]),
}
"""By operator."""

NOT_CASES = ("QuantizeLinear", "DequantizeLinear")
"""What a quantized model's scales are read from, no ops of their own."""


def opsets() -> list[int]:
    """The opsets of the models that hold all cases."""
    return sorted({entry.opset for entry in CASES.values()})


def model_of(opset: int) -> ModelProto:
    """All cases of an opset as one model.

    A node is named after its operator, its results `<operator>_<index>`.
    """
    builder = _Builder(opset)
    for operator, entry in CASES.items():
        if entry.opset == opset:
            builder.add(operator, entry)
    return builder.model()


def inputs_of(opset: int, seed: int = 0) -> dict[str, Array]:
    """An array for every input of the model."""
    random = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    for port in model_of(opset).graph.input:
        shape = tuple(d.dim_value for d in port.type.tensor_type.shape.dim)
        low, high = RANGES.get(port.name.partition("_")[0], (-1.0, 1.0))
        half = port.name.endswith("_in") and port.name[0] in RANGES
        array = random.uniform(low, high, shape) / (2 if half else 1)
        arrays[port.name] = array.astype(np.float32)
    return arrays


class _Builder:
    """A model under construction: what it reads is made when it is first read."""

    def __init__(self, opset: int) -> None:
        self._opset = opset
        self._nodes: list[NodeProto] = []
        self._inputs: dict[str, tuple[int, ...]] = {}
        self._constants: list[TensorProto] = []
        self._outputs: dict[str, int] = {}
        self._made: set[str] = set()

    def add(self, operator: str, entry: Case) -> None:
        """One case, and the additions behind its results."""
        operands = [self._operand(operator, i, operand) for i, operand in enumerate(entry.operands)]
        names = [f"{operator}_{index}" for index in range(len(entry.results))]
        if operator in ("GRU", "LSTM", "RNN"):
            names = ["", f"{operator}_0"]  # the last state
        self._node(operator, operands, names, operator, **entry.attributes)
        for name, kind in zip([n for n in names if n], entry.results, strict=True):
            if kind not in (FLOAT, BOOL):
                self._outputs[name] = TensorProto.INT64
                continue
            if kind == BOOL:
                self._node(
                    "Cast", [name], [f"{name}_number"], f"{name}_number", to=TensorProto.FLOAT
                )
                name = f"{name}_number"
            self._inputs["beside"] = (1,)
            self._node("Add", [name, "beside"], [f"{name}_out"], f"{name}_out")
            self._outputs[f"{name}_out"] = TensorProto.FLOAT

    def model(self) -> ModelProto:
        """The model."""
        make: Any = _helper.make_tensor_value_info
        graph = _helper.make_graph(
            self._nodes,
            "operators",
            [make(name, TensorProto.FLOAT, shape) for name, shape in self._inputs.items()],
            [make(name, kind, None) for name, kind in self._outputs.items()],
            self._constants,
        )
        return _helper.make_model(graph, opset_imports=[_helper.make_opsetid("", self._opset)])

    def _operand(self, operator: str, index: int, operand: str | Array) -> str:
        if isinstance(operand, str):
            return self._activation(operand) if operand else ""
        name = f"{operator}_constant_{index}"
        self._constants.append(numpy_helper.from_array(operand, name))
        return name

    def _activation(self, name: str) -> str:
        """A value of SHAPES, TRUTH or _DERIVED; made once."""
        if name in self._made:
            return name
        self._made.add(name)
        if name in SHAPES:
            for port in (f"{name}_in", f"{name}_too_in"):
                self._inputs[port] = SHAPES[name]
            self._node("Add", [f"{name}_in", f"{name}_too_in"], [name], name)
        elif name in TRUTH:
            self._node("Greater", [self._activation(n) for n in TRUTH[name]], [name], name)
        elif name == "grid":
            self._inputs["grid_in"] = (1, 6, 8, 2)
            self._node("Tanh", ["grid_in"], [name], name)
        elif name == "conv":
            self._constants.append(numpy_helper.from_array(_weights(4, 4, 1, 1), "conv_w"))
            self._node("Conv", [self._activation("x"), "conv_w"], [name], name)
        elif name == "flat":
            self._node("Flatten", [self._activation("x")], [name], name)
        else:
            axes = f"{name}_axes"
            self._constants.append(numpy_helper.from_array(_ints(1), axes))
            more = {"axes": [1]} if self._opset < 18 else {}
            reads = [self._activation("m"), *([] if more else [axes])]
            self._node("ReduceMax", reads, [name], name, **more)
        return name

    def _node(
        self, operator: str, reads: Sequence[str], gives: Sequence[str], name: str, **more: Any
    ) -> None:
        self._nodes.append(_helper.make_node(operator, reads, gives, name=name, **more))
