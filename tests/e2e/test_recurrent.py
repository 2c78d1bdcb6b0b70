"""A GRU and an LSTM at every level, from PyTorch and from ONNX: the same network both ways."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import hbir
import hbir.onnx
import hbir.torch
from tests.e2e.levels import Array, Network, assert_levels_equal, cosine
from tests.unit.frontends.onnx.oracle import ints, model_of, node

_torch: Any = torch  # its functions are typed only in part

STEPS, INPUTS, HIDDEN, CLASSES = 6, 16, 24, 8
MIN_COSINE = 0.99
ONNX_GATES = {"GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}
"""ONNX's gates by their number in PyTorch: z r h of r z n, i o f c of i f g o."""


class Tagger(nn.Module):
    """(steps, 1, inputs) → (steps, classes): one bidirectional layer, then a linear one."""

    def __init__(self, operator: str) -> None:
        super().__init__()
        layer = nn.GRU if operator == "GRU" else nn.LSTM
        self.recurrent = layer(INPUTS, HIDDEN, bidirectional=True)
        self.classifier = nn.Linear(2 * HIDDEN, CLASSES, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.recurrent(x)
        return self.classifier(states[:, 0])


def tagger(operator: str) -> Tagger:
    """Random weights, twice as large as they start: states use their range."""
    _torch.manual_seed(0)
    network = Tagger(operator).eval()
    with torch.no_grad():
        for parameter in network.recurrent.parameters():
            parameter.mul_(2)
    return network


def as_onnx(network: Tagger, operator: str) -> onnx.ModelProto:
    """The network as an ONNX graph of its own weights."""
    tensors = {name: value.numpy() for name, value in network.state_dict().items()}
    gates = ONNX_GATES[operator]

    def weights(name: str) -> Array:
        """(directions, gates · hidden, …), or without the last axis a bias."""
        both = [tensors[f"recurrent.{name}_l0{suffix}"] for suffix in ("", "_reverse")]
        parts = [np.split(array, len(gates)) for array in both]
        return np.stack([np.concatenate([part[gate] for gate in gates]) for part in parts])

    more: dict[str, Any] = {"linear_before_reset": 1} if operator == "GRU" else {}
    nodes = [
        node(
            operator, ["x", "w", "r", "b"], ["states"], hidden_size=HIDDEN,
            direction="bidirectional", **more,
        ),
        node("Transpose", ["states"], ["by_step"], perm=[0, 2, 1, 3]),
        node("Reshape", ["by_step", "shape"], ["flat"]),
        node("MatMul", ["flat", "v"], ["y"]),
    ]  # fmt: skip
    constants = {
        "w": weights("weight_ih"),
        "r": weights("weight_hh"),
        "b": np.concatenate([weights("bias_ih"), weights("bias_hh")], axis=1),
        "shape": ints(STEPS, 2 * HIDDEN),
        "v": np.ascontiguousarray(tensors["classifier.weight"].T),
    }
    return model_of(nodes, {"x": (STEPS, 1, INPUTS)}, ["y"], constants)


def sequences(count: int, seed: int) -> list[dict[str, Array]]:
    """Sums of slow waves, as features of speech are."""
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi, (count, 1, 1, INPUTS))
    speed = random.uniform(0.1, 1.0, (count, 1, 1, INPUTS))
    steps = np.arange(STEPS)[None, :, None, None]
    waves = 2 * np.sin(speed * steps + phase)
    return [{"x": wave.astype(np.float32)} for wave in waves]


@pytest.mark.parametrize("operator", ["GRU", "LSTM"])
def test_both_ways_and_all_levels(operator: str, tmp_path: Path) -> None:
    network = tagger(operator)
    calibration, (feed, *_) = sequences(8, 1), sequences(2, 2)
    from_torch = hbir.torch.export(network, (torch.zeros(STEPS, 1, INPUTS),), output_names=["y"])
    from_onnx = hbir.onnx.export(as_onnx(network, operator))
    with torch.no_grad():
        expected = network(_torch.from_numpy(feed["x"])).numpy()
    for module in (from_torch, from_onnx):
        got = module.functions[0].feed(feed)["y"]
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)

    levels = Network(operator, hbir.calibrate(from_torch, calibration), tmp_path)
    got = levels.run_quantized("nash-e", feed)["y"]
    assert cosine(expected, got) >= MIN_COSINE
    counts = levels.quantized("nash-e").functions[0].statistics()
    assert not any(name.startswith("hbtl.call") for name in counts), counts
    same = Network(f"{operator}-onnx", hbir.calibrate(from_onnx, calibration), tmp_path)
    np.testing.assert_array_equal(same.run_quantized("nash-e", feed)["y"], got)
    assert_levels_equal(levels, "nash-e", 2, [feed])
