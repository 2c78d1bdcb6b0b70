"""Recurrent layers, one direction each. Time is the first axis: x is (T, N, I), states (N, H).

Gates stand beside one another in the columns of the weights, in ONNX's order. A bias is the sum of
ONNX's two, except the GRU's, whose second is used inside a product.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hbir.kernels.float.activation import sigmoid
from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray


def _steps(length: int, *, reverse: bool) -> Iterator[int]:
    return iter(range(length - 1, -1, -1) if reverse else range(length))


@kernel("hbir.lstm")
def lstm(
    x: FloatArray,
    w: FloatArray,
    r: FloatArray,
    bias: FloatArray,
    h0: FloatArray,
    c0: FloatArray,
    *,
    reverse: bool = False,
) -> FloatArray:
    """w: (I, 4H), r: (H, 4H), bias: (4H), columns i, o, f, c → (T, N, 2H): h and c of each step."""
    size = h0.shape[1]
    inputs = x @ w + bias
    result = np.empty((*x.shape[:2], 2 * size), np.float32)
    h, c = h0, c0
    for t in _steps(x.shape[0], reverse=reverse):
        gates = inputs[t] + h @ r
        i, o, f = np.split(sigmoid(gates[:, : 3 * size]), 3, axis=1)
        c = f * c + i * np.tanh(gates[:, 3 * size :])
        h = o * np.tanh(c)
        result[t, :, :size], result[t, :, size:] = h, c
    return result


@kernel("hbir.gru")
def gru(
    x: FloatArray,
    w: FloatArray,
    r: FloatArray,
    bias: FloatArray,
    recurrent_bias: FloatArray,
    h0: FloatArray,
    *,
    linear_before_reset: bool = True,
    reverse: bool = False,
) -> FloatArray:
    """w: (I, 3H), r: (H, 3H), biases: (3H), columns z, r, h → (T, N, H): h of each step."""
    size = h0.shape[1]
    inputs: FloatArray = x @ w + bias
    result = np.empty((*x.shape[:2], size), np.float32)
    h: FloatArray = h0
    for t in _steps(x.shape[0], reverse=reverse):
        state: FloatArray = h @ r[:, : 2 * size] + recurrent_bias[: 2 * size]
        update, reset = np.split(sigmoid(inputs[t, :, : 2 * size] + state), 2, axis=1)
        if linear_before_reset:
            candidate = reset * (h @ r[:, 2 * size :] + recurrent_bias[2 * size :])
        else:
            candidate = (reset * h) @ r[:, 2 * size :] + recurrent_bias[2 * size :]
        candidate = np.tanh(inputs[t, :, 2 * size :] + candidate)
        h = candidate + update * (h - candidate)
        result[t] = h
    return result


@kernel("hbir.rnn")
def rnn(
    x: FloatArray,
    w: FloatArray,
    r: FloatArray,
    bias: FloatArray,
    h0: FloatArray,
    *,
    activation: str = "tanh",
    reverse: bool = False,
) -> FloatArray:
    """w: (I, H), r: (H, H), bias: (H), activation "tanh" or "relu" → (T, N, H): h of each step."""
    inputs = x @ w + bias
    result = np.empty((*x.shape[:2], h0.shape[1]), np.float32)
    h = h0
    for t in _steps(x.shape[0], reverse=reverse):
        state = inputs[t] + h @ r
        h = np.tanh(state) if activation == "tanh" else np.maximum(state, np.float32(0))
        result[t] = h
    return result
