"""Recurrent layers, one direction each: GRU and RNN as ONNX has them, an LSTM as a Scan.

ONNX's LSTM gives the cell state of the last step alone, hbir's of each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports


def _weights(node: NodeExport, index: int) -> str:
    """(I, gates·H) as ONNX's (directions, gates·H, I)."""
    array = node.constant(index)
    if array is not None:
        return node.array(array.T[None], f"operand_{index}")
    transposed = node.tensor(index, (1, 0))
    return node.emit("Unsqueeze", transposed, node.integers([0], "axes"))


def _row(node: NodeExport, index: int) -> str:
    """A vector with an axis of directions before it."""
    return node.reshaped(index, [1, *node.shape(index)])


def _zeros(node: NodeExport, index: int) -> str:
    return node.array(np.zeros((1, *node.shape(index)), np.float32), "zeros")


def _layer(node: NodeExport, operator: str, biases: list[str], state: int, **more: Any) -> None:
    bias = node.emit("Concat", *biases, axis=1)
    inputs = [node.tensor(0), _weights(node, 1), _weights(node, 2), bias, "", _row(node, state)]
    states = node.emit(
        operator,
        *inputs,
        hidden_size=node.shape(state)[-1],
        direction="reverse" if node.params["reverse"] else "forward",
        **more,
    )
    node.finish("Squeeze", states, node.integers([1], "axes"))


@exports("hbir.gru")
def gru(node: NodeExport) -> None:
    """GRU."""
    before = int(node.params["linear_before_reset"])
    _layer(node, "GRU", [_row(node, 3), _row(node, 4)], 5, linear_before_reset=before)


@exports("hbir.rnn")
def rnn(node: NodeExport) -> None:
    """RNN; ONNX has a second bias."""
    activation = {"tanh": "Tanh", "relu": "Relu"}[node.params["activation"]]
    _layer(node, "RNN", [_row(node, 3), _zeros(node, 3)], 4, activations=[activation])


@exports("hbir.lstm")
def lstm(node: NodeExport) -> None:
    """x·w + bias of all steps at once, then a Scan over the steps."""
    hidden = node.shape(4)[1]
    inputs = node.emit("Add", node.emit("MatMul", node.tensor(0), node.tensor(1)), node.tensor(3))
    body = _lstm_step(node.tensor(2), node.shape(4)[0], hidden)
    outputs = [node.graph.tensors.fresh(f"{node.label}/{part}") for part in ("h", "c")]
    ends = [node.graph.tensors.fresh(f"{node.label}/last_{part}") for part in ("h", "c")]
    backwards = [int(node.params["reverse"])]
    node.emit_all(
        "Scan",
        [node.tensor(4), node.tensor(5), inputs],
        [*ends, *outputs],
        body=body,
        num_scan_inputs=1,
        scan_input_directions=backwards,
        scan_output_directions=backwards * 2,
    )
    node.finish("Concat", *outputs, axis=2)


def _lstm_step(r: str, batch: int, hidden: int) -> Any:
    """The graph of one step: (h, c, x·w + bias) → (h', c', h', c'); `r` is read from outside."""
    make: Any = helper
    size = [batch, hidden]

    def port(name: str, shape: list[int]) -> Any:
        return make.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    nodes = [
        make.make_node("MatMul", ["h", r], ["recurrent"]),
        make.make_node("Add", ["x", "recurrent"], ["sum"]),
        make.make_node("Split", ["sum"], ["i_", "o_", "f_", "g_"], axis=1, num_outputs=4),
        *(make.make_node("Sigmoid", [f"{gate}_"], [gate]) for gate in "iof"),
        make.make_node("Tanh", ["g_"], ["g"]),
        make.make_node("Mul", ["f", "c"], ["kept"]),
        make.make_node("Mul", ["i", "g"], ["new"]),
        make.make_node("Add", ["kept", "new"], ["c_next"]),
        make.make_node("Tanh", ["c_next"], ["squashed"]),
        make.make_node("Mul", ["o", "squashed"], ["h_next"]),
        make.make_node("Identity", ["h_next"], ["h_out"]),
        make.make_node("Identity", ["c_next"], ["c_out"]),
    ]
    return make.make_graph(
        nodes,
        "lstm_step",
        [port("h", size), port("c", size), port("x", [batch, 4 * hidden])],
        [port(name, size) for name in ("h_next", "c_next", "h_out", "c_out")],
    )
