"""LSTM, GRU and RNN against onnxruntime."""

from typing import Any

import numpy as np
import pytest

from tests.unit.frontends.onnx.oracle import (
    Array,
    check,
    count,
    ints,
    model_of,
    node,
    random,
    reasons,
)

T, N, INPUTS, H = 5, 2, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}


def model(
    operator: str,
    *,
    direction: str = "forward",
    states: bool = False,
    bias: bool = True,
    lengths: Array | None = None,
    results: tuple[int, ...] = (0, 1, 2),
    batch_first: bool = False,
    **attributes: Any,
) -> Any:
    """A model of one recurrent node; x and the states are its inputs."""
    count_, gates = DIRECTIONS[direction], GATES[operator]
    constants = {
        "w": random(count_, gates * H, INPUTS, seed=1),
        "r": random(count_, gates * H, H, seed=2) / 2,
    }
    inputs: dict[str, Any] = {"x": (N, T, INPUTS) if batch_first else (T, N, INPUTS)}
    names = ["x", "w", "r", "", "", "", ""]
    if bias:
        constants["b"], names[3] = random(count_, 2 * gates * H, seed=3), "b"
    if lengths is not None:
        constants["n"], names[4] = lengths.astype(np.int32), "n"
    if states:
        inputs["h"], names[5] = ((N, count_, H) if batch_first else (count_, N, H)), "h"
        constants["c"], names[6] = random(*inputs["h"], seed=5), "c"
    made = ["y", "y_h", "y_c"] if operator == "LSTM" else ["y", "y_h"]
    wanted = [name for i, name in enumerate(made) if i in results]
    names = names[: 7 if operator == "LSTM" else 6]
    while not names[-1]:
        names.pop()
    used = {name: array for name, array in constants.items() if name in names}
    layer = node(
        operator, names, [n if n in wanted else "" for n in made], direction=direction,
        hidden_size=H, layout=int(batch_first), **attributes,
    )  # fmt: skip
    return model_of([layer], inputs, wanted, used)


@pytest.mark.parametrize("operator", list(GATES))
@pytest.mark.parametrize("direction", list(DIRECTIONS))
@pytest.mark.parametrize("states", [False, True])
def test_each_operator_and_direction(operator: str, direction: str, states: bool) -> None:
    module = check(model(operator, direction=direction, states=states))
    assert count(module, f"hbir.{operator.lower()}") == DIRECTIONS[direction]


@pytest.mark.parametrize("operator", list(GATES))
@pytest.mark.parametrize("results", [(0,), (1,)])
def test_results_left_out(operator: str, results: tuple[int, ...]) -> None:
    check(model(operator, results=results, bias=False, direction="bidirectional"))


def test_a_state_of_an_lstm_alone() -> None:
    check(model("LSTM", results=(2,), states=True))


def test_a_gru_that_resets_before_the_product() -> None:
    check(model("GRU", linear_before_reset=0))
    check(model("GRU", linear_before_reset=1))


@pytest.mark.parametrize("activation", ["Tanh", "Relu"])
def test_the_activation_of_an_rnn(activation: str) -> None:
    check(model("RNN", direction="bidirectional", activations=[activation] * 2))


def test_lengths_that_are_all_of_it() -> None:
    check(model("GRU", lengths=ints(T, T)))


@pytest.mark.parametrize("operator", list(GATES))
def test_batch_first_is_the_transpose(operator: str) -> None:
    """onnxruntime doesn't have layout 1."""
    from hbir.onnx import export

    x = random(T, N, INPUTS, seed=9)
    first = export(model(operator, direction="bidirectional")).functions[0].feed({"x": x})
    batch = export(model(operator, direction="bidirectional", batch_first=True)).functions[0]
    second = batch.feed({"x": x.transpose(1, 0, 2)})
    np.testing.assert_allclose(second["y"], first["y"].transpose(2, 0, 1, 3), rtol=1e-6)
    np.testing.assert_allclose(second["y_h"], first["y_h"].transpose(1, 0, 2), rtol=1e-6)


@pytest.mark.parametrize(
    ("operator", "attributes", "reason"),
    [
        ("LSTM", {"clip": 3.0}, "clip must not be used"),
        ("GRU", {"lengths": ints(T, T - 1)}, "sequence_lens must be 5 for all, got [5, 4]"),
        (
            "RNN",
            {"activations": ["Affine"]},
            "activations must be tanh or relu in each direction, got Affine",
        ),
        (
            "LSTM",
            {"activations": ["Sigmoid", "Relu", "Tanh"]},
            "activations must be sigmoid, tanh, tanh in each direction, got Sigmoid, Relu, Tanh",
        ),
    ],
)
def test_others_are_cpu_ops_with_a_reason(
    operator: str, attributes: dict[str, Any], reason: str
) -> None:
    from hbir.onnx import export

    module = export(model(operator, results=(0,), **attributes))
    assert reasons(module) == [f"{operator}: {reason}"]
