"""Recurrent layers against onnxruntime, whose axes and gate order the ops have."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.dialects.hbir.recurrent import GruOp, LstmOp, RnnOp
from tests.unit.kernels.float.onnx_oracle import assert_close, evaluate, run_onnx

Floats = np.ndarray[Any, np.dtype[np.float32]]
sizes = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
"""T, N, I, H."""


def _layer(size: tuple[int, int, int, int], gates: int) -> list[Floats]:
    """x, w, r, both biases, h0, c0 as the ops take them."""
    steps, batch, inputs, hidden = size
    columns = gates * hidden
    shapes = [
        (steps, batch, inputs),
        (inputs, columns),
        (hidden, columns),
        (columns,),
        (columns,),
        (batch, hidden),
        (batch, hidden),
    ]
    random = np.random.default_rng(sum(size))
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def _expected(operator: str, layer: list[Floats], reverse: bool, **attributes: Any) -> Floats:
    x, w, r, first, second, h0, c0 = layer
    states = [h0[None], c0[None]] if operator == "LSTM" else [h0[None]]
    inputs = [x, w.T[None], r.T[None], np.concatenate([first, second])[None], None, *states]
    direction = "reverse" if reverse else "forward"
    hidden = h0.shape[1]
    result = run_onnx(operator, inputs, hidden_size=hidden, direction=direction, **attributes)
    return result[:, 0]


@given(sizes, st.booleans())
def test_lstm(size: tuple[int, int, int, int], reverse: bool) -> None:
    x, w, r, first, second, h0, c0 = layer = _layer(size, 4)
    actual = evaluate(LstmOp, [x, w, r, first + second, h0, c0], {"reverse": reverse})
    assert_close(actual[..., : size[3]], _expected("LSTM", layer, reverse), rtol=2e-5)


@given(sizes, st.booleans(), st.booleans())
def test_gru(size: tuple[int, int, int, int], reverse: bool, before: bool) -> None:
    layer = _layer(size, 3)
    params = {"reverse": reverse, "linear_before_reset": before}
    expected = _expected("GRU", layer, reverse, linear_before_reset=int(before))
    assert_close(evaluate(GruOp, layer[:-1], params), expected, rtol=2e-5)


@given(sizes, st.booleans(), st.sampled_from(["tanh", "relu"]))
def test_rnn(size: tuple[int, int, int, int], reverse: bool, activation: str) -> None:
    x, w, r, first, second, h0, _ = layer = _layer(size, 1)
    expected = _expected("RNN", layer, reverse, activations=[activation.capitalize()])
    params = {"reverse": reverse, "activation": activation}
    assert_close(evaluate(RnnOp, [x, w, r, first + second, h0], params), expected, rtol=2e-5)
