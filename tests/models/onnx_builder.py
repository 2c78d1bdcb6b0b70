"""Write an ONNX model node by node, with weights, and settle its batch norms.

The models of this folder are built here rather than exported from a framework, so that what they
hold (batch norms kept, names, opset) is decided by their script alone and needs no torch.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.models.float_reference import FloatReference

Array = np.ndarray[Any, Any]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]

OPSET = 17
IR_VERSION = 8
BATCH_NORM_EPSILON = 1e-5
_FLAT_SHAPE = "settle.flat_shape"


class OnnxBuilder:
    """Collects nodes, weights, inputs and outputs; `model()` assembles and checks them.

    A node is named after its single output tensor, and a weight after the node that reads it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, Array] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: tuple[int, ...]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, name: str, shape: tuple[int, ...]) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def weight(self, name: str, value: Array) -> str:
        self.weights[name] = value
        return name

    def node(self, kind: str, name: str, inputs: list[str], **attributes: Any) -> str:
        """Append a node; returns the name of its output, which is `name`."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x: str, name: str, weight: FloatArray, stride: int = 1, group: int = 1) -> str:
        """A bias-free Conv, weight (Cout, Cin/group, K, K), padded by K//2 on every side."""
        kernel = weight.shape[2]
        return self.node(
            "Conv",
            name,
            [x, self.weight(f"{name}.weight", weight)],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[kernel // 2] * 4,
            group=group,
        )

    def batch_norm(
        self, x: str, name: str, scale: Array, bias: Array, mean: Array, variance: Array
    ) -> str:
        parts = {"weight": scale, "bias": bias, "running_mean": mean, "running_var": variance}
        names = [self.weight(f"{name}.{part}", value) for part, value in parts.items()]
        return self.node("BatchNormalization", name, [x, *names], epsilon=BATCH_NORM_EPSILON)

    def clip(self, x: str, name: str, low: float, high: float) -> str:
        bounds = [
            self.weight(f"{name}.{part}", np.array(value, np.float32))
            for part, value in (("min", low), ("max", high))
        ]
        return self.node("Clip", name, [x, *bounds])

    def model(self) -> onnx.ModelProto:
        """The checked model; raises `onnx.checker.ValidationError` on an inconsistent graph."""
        graph = helper.make_graph(
            self.nodes,
            self.name,
            self.inputs,
            self.outputs,
            [numpy_helper.from_array(value, name) for name, value in self.weights.items()],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="hbir-tests"
        )
        model.ir_version = IR_VERSION
        checker: Any = onnx.checker  # its signature is typed only in part
        checker.check_model(model, full_check=True)
        return model


def write_model(model: onnx.ModelProto, path: Path) -> None:
    """Write `model` to `path`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def settle_batch_norms(model: onnx.ModelProto, batch: Mapping[str, FloatArray]) -> None:
    """Set each batch norm's mean and variance to those its input has on `batch`, in place.

    As a network is after training: every normalised channel has mean 0 and variance 1. One run of a
    copy in which each BatchNormalization computes its own statistics gives all of them, each norm
    seeing inputs already normalised by those before it.
    """
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.node[:]
    del probe.graph.output[:]
    for graph_input in probe.graph.input:
        graph_input.type.tensor_type.shape.dim[0].dim_param = "batch"
    del probe.graph.value_info[:]
    probe.graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), _FLAT_SHAPE))
    statistics: list[str] = []
    for node in model.graph.node:
        if node.op_type != "BatchNormalization":
            probe.graph.node.append(node)
            continue
        x, scale, bias, mean, variance = node.input
        probe.graph.node.extend(_self_normalising(node, x, scale, bias))
        statistics += [mean, variance]
    for name in statistics:
        probe.graph.output.append(
            helper.make_tensor_value_info(_measured(name), TensorProto.FLOAT, None)
        )
    measured = FloatReference(probe)(dict(batch))
    for tensor in model.graph.initializer:
        if _measured(tensor.name) in measured:
            value = measured[_measured(tensor.name)].reshape(-1)
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def _measured(statistic: str) -> str:
    return f"{statistic}.measured"


def _self_normalising(node: onnx.NodeProto, x: str, scale: str, bias: str) -> list[onnx.NodeProto]:
    """`node` with the statistics of this batch in place of the stored ones."""
    name = node.output[0]
    mean, variance = (_measured(statistic) for statistic in node.input[3:5])
    axes = [0, 2, 3]
    return [
        helper.make_node("ReduceMean", [x], [mean], axes=axes),
        helper.make_node("Sub", [x, mean], [f"{name}.centred"]),
        helper.make_node("Mul", [f"{name}.centred", f"{name}.centred"], [f"{name}.squared"]),
        helper.make_node("ReduceMean", [f"{name}.squared"], [variance], axes=axes),
        helper.make_node("Reshape", [mean, _FLAT_SHAPE], [f"{name}.mean"]),
        helper.make_node("Reshape", [variance, _FLAT_SHAPE], [f"{name}.variance"]),
        helper.make_node(
            "BatchNormalization",
            [x, scale, bias, f"{name}.mean", f"{name}.variance"],
            [name],
            epsilon=BATCH_NORM_EPSILON,
        ),
    ]
