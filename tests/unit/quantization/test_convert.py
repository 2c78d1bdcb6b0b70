"""Random small networks: the integers stay close to the float network they come from.

Each network is a chain of layers drawn from the ops that the BPU has; weights have the usual
variance of 2 / fan-in. The float interpreter is the judge here (it is held to onnxruntime elsewhere).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hbir
from hbir.ir.types import Array
from hbir.module import Module
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module

COSINE = 0.99
CHANNELS = 8


@dataclass
class Chain:
    """Lines of a function that pass one (1, H, W, 8) value along."""

    rng: np.random.Generator
    size: int = 12
    lines: list[str] = field(default_factory=list[str])
    value: str = "%x"
    count: int = 0

    def type(self, size: int | None = None) -> str:
        size = self.size if size is None else size
        return f"tensor<1x{size}x{size}x{CHANNELS}xf32>"

    def constant(self, array: Array) -> str:
        shape = "x".join(map(str, array.shape))
        data = array.astype(np.float32).tobytes().hex().upper()
        name = self._name()
        self.lines.append(f'{name} = hbir.constant dense<"0x{data}"> : tensor<{shape}xf32>')
        return name

    def emit(self, text: str, operands: str, size: int | None = None) -> None:
        before, self.size = self.type(), self.size if size is None else size
        name = self._name()
        types = operands.replace("T", before)
        self.lines.append(f"{name} = {text} : ({types}) -> {self.type()}")
        self.value = name

    def unary(self, op: str, properties: str = "") -> None:
        name = self._name()
        self.lines.append(f"{name} = {op} {self.value} {properties} : {self.type()}")
        self.value = name

    def _name(self) -> str:
        self.count += 1
        return f"%v{self.count}"


def conv(chain: Chain, stride: int = 1, groups: int = 1) -> None:
    per_group = CHANNELS // groups
    deviation = np.sqrt(2 / (9 * per_group))
    w = chain.constant(chain.rng.normal(0, deviation, (CHANNELS, 3, 3, per_group)))
    b = chain.constant(chain.rng.normal(0, 0.1, CHANNELS))
    shape = f"tensor<{CHANNELS}x3x3x{per_group}xf32>"
    properties = f"stride = [{stride}, {stride}], pad = [1, 1, 1, 1], groupNum = {groups}"
    chain.emit(
        f"hbir.conv2d {chain.value}, {w}, {b} {{{properties}}}",
        f"T, {shape}, tensor<{CHANNELS}xf32>",
        (chain.size - 1) // stride + 1,
    )


def residual(chain: Chain) -> None:
    before = chain.value
    conv(chain)
    chain.emit(f"hbir.add {before}, {chain.value}", "T, T")
    chain.unary("hbir.relu")


def transposed(chain: Chain) -> None:
    w = chain.constant(chain.rng.normal(0, np.sqrt(2 / CHANNELS), (CHANNELS, 2, 2, CHANNELS)))
    chain.emit(
        f"hbir.convtranspose {chain.value}, {w} {{stride = [2, 2]}}",
        f"T, tensor<{CHANNELS}x2x2x{CHANNELS}xf32>",
        chain.size * 2,
    )


def batchnorm(chain: Chain) -> None:
    parts = [
        chain.constant(chain.rng.uniform(low, high, CHANNELS))
        for low, high in ((-0.5, 0.5), (0.5, 2), (0.5, 1.5), (-0.5, 0.5))
    ]
    types = ", ".join(["T", *[f"tensor<{CHANNELS}xf32>"] * 4])
    chain.emit(f"hbir.batchnorm {chain.value}, {', '.join(parts)}", types)


def pool(chain: Chain, kind: str) -> None:
    chain.emit(
        f"hbir.{kind} {chain.value} {{kernel = [3, 3], stride = [2, 2], pad = [1, 1, 1, 1],"
        " ceilMode = true}"
        if kind == "max_pool"
        else f"hbir.{kind} {chain.value} {{kernel = [3, 3], stride = [2, 2], pad = [1, 1, 1, 1]}}",
        "T",
        chain.size // 2 + (1 if kind == "max_pool" or chain.size % 2 else 0),
    )


def gate(chain: Chain) -> None:
    """Squeeze and excite without its layers: x · hard_sigmoid(mean of x)."""
    before, size = chain.value, chain.type()
    mean, sigmoid = f"{chain.value}m", f"{chain.value}g"
    narrow = chain.type(1)
    chain.lines.append(
        f"{mean} = hbir.reduce_mean {before} {{dims = [1, 2]}} : ({size}) -> {narrow}"
    )
    chain.lines.append(f"{sigmoid} = hbir.hard_sigmoid {mean} : {narrow}")
    chain.emit(f"hbir.mul {before}, {sigmoid}", f"T, {narrow}")


def resize(chain: Chain, mode: str) -> None:
    chain.emit(
        f"hbir.resize2d {chain.value} {{size = [{chain.size * 2}, {chain.size * 2}],"
        f' step = [0.5, 0.5], initialOffset = [-0.25, -0.25], mode = "{mode}"}}',
        "T",
        chain.size * 2,
    )


LAYERS: dict[str, Callable[[Chain], None]] = {
    "conv": conv,
    "strided": lambda chain: conv(chain, stride=2),
    "depthwise": lambda chain: conv(chain, groups=CHANNELS),
    "grouped": lambda chain: conv(chain, groups=2),
    "residual": residual,
    "transposed": transposed,
    "batchnorm": batchnorm,
    "max_pool": lambda chain: pool(chain, "max_pool"),
    "avg_pool": lambda chain: pool(chain, "avg_pool"),
    "gate": gate,
    "nearest": lambda chain: resize(chain, "nearest"),
    "bilinear": lambda chain: resize(chain, "bilinear"),
    "relu": lambda chain: chain.unary("hbir.relu"),
    "relu6": lambda chain: chain.unary("hbir.clip", "{min = 0.0, max = 6.0}"),
    "leaky": lambda chain: chain.unary("hbir.leaky_relu", "{slop = 0.1}"),
    "swish": lambda chain: chain.unary("hbir.swish"),
    "hard_swish": lambda chain: chain.unary("hbir.hard_swish"),
}


def build(layers: list[str], rng: np.random.Generator) -> Module:
    chain = Chain(rng)
    for layer in layers:
        if chain.size > 2 and chain.size < 40:
            LAYERS[layer](chain)
    body = "\n  ".join(chain.lines)
    argument = f'%x: tensor<1x12x12x{CHANNELS}xf32> {{hbir.name = "x"}}'
    return Module.parse(
        f"func.func @net({argument}) -> {chain.type()} {{\n  {body}\n"
        f"  func.return {chain.value} : {chain.type()}\n}}"
    )


@settings(max_examples=40)
@given(st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=6), st.integers(0, 2**16))
def test_random_networks_stay_close_to_float(layers: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    module = build(["conv", *layers], rng)
    shape = (1, 12, 12, CHANNELS)
    batches = [{"x": rng.normal(size=shape).astype(np.float32)} for _ in range(4)]
    quantized = convert_module(calibrate(module, batches), "nash-e")
    assert not any("hbtl" in name for name in quantized.functions[0].statistics())
    (wanted,) = module.functions[0].feed(batches[0]).values()
    (found,) = quantized.functions[0].feed(batches[0]).values()
    a, b = wanted.astype(np.float64).ravel(), found.astype(np.float64).ravel()
    assert a @ b >= COSINE * np.linalg.norm(a) * np.linalg.norm(b), layers


def test_a_calibrated_network_without_anything_to_quantize_converts() -> None:
    module = Module.parse(
        """func.func @net(%x: tensor<1x4xf32> {hbir.name = "x"}) -> tensor<1x4xf32> {
          func.return %x : tensor<1x4xf32>
        }"""
    )
    feed = {"x": np.arange(4, dtype=np.float32).reshape(1, 4)}
    quantized = convert_module(calibrate(module, [feed]), "nash-e")
    assert quantized.level == "quantized"
    (output,) = quantized.functions[0].feed(feed).values()
    np.testing.assert_array_equal(output, feed["x"])


BOXES_AND_SCORES = """
func.func @net(%x: tensor<1x6x4xf32> {hbir.name = "x"})
    -> (tensor<1x6x8xf32> {hbir.name = "y"}) {
  %k = hbir.constant dense<300.0> : tensor<1x1x1xf32>
  %b = hbir.mul %x, %k {origin = #hbir.origin<"b", from "boxes" "Mul">}
    : (tensor<1x6x4xf32>, tensor<1x1x1xf32>) -> tensor<1x6x4xf32>
  %s = hbir.softmax %x {origin = #hbir.origin<"s", from "scores" "Softmax">, dim = DIM : i64}
    : tensor<1x6x4xf32>
  %y = hbir.concat %b, %s {origin = #hbir.origin<"y", from "join" "Concat">, dim = 2 : i64}
    : (tensor<1x6x4xf32>, tensor<1x6x4xf32>) -> tensor<1x6x8xf32>
  func.return %y : tensor<1x6x8xf32>
}
"""


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("dim", [1, 2])
def test_scores_joined_to_boxes_have_their_scale(tmp_path: Path, dim: int, dtype: str) -> None:
    """A scale of pixels, which softmax's own arithmetic can't give: it is requantized."""
    module = Module.parse(BOXES_AND_SCORES.replace("DIM", str(dim)))
    generator = np.random.default_rng(0)
    feeds = [{"x": generator.normal(size=(1, 6, 4)).astype(np.float32)} for _ in range(3)]
    quantized = convert_module(calibrate(module, feeds, dtype=dtype), "nash-e")
    assert hbir.statistics(quantized)[0]["bpu.softmax"] == 1
    hbm = hbir.compile(quantized, tmp_path / "net.hbm", opt=0)
    for feed in feeds:
        found = quantized.functions[0].feed(feed)["y"]
        wanted = module.functions[0].feed(feed)["y"]
        step = np.abs(wanted).max() / 2 ** (7 if dtype == "int8" else 15)
        assert np.abs(found - wanted)[..., 4:].max() <= 2 * step
        np.testing.assert_array_equal(hbm.graphs[0].feed(feed)["y"], found)


def test_what_the_store_remembers_of_one_calibration_does_not_leak_into_another() -> None:
    """Clones share a store, and so the integer weights worked out before; a new one has none."""
    layers = ["conv", "residual", "depthwise", "transposed", "relu6"]
    rng = np.random.default_rng(5)
    data = [{"x": rng.normal(size=(1, 12, 12, CHANNELS)).astype(np.float32)} for _ in range(2)]
    louder = [{"x": 3 * batch["x"] + 1} for batch in data]
    shared = build(layers, np.random.default_rng(0))
    for batches, asymmetric, bias_correction in (
        (data, True, True), (louder, True, True), (louder, False, True), (louder, True, False),
    ):  # fmt: skip
        texts: list[str] = []
        for module in (shared, build(layers, np.random.default_rng(0))):
            calibrated = calibrate(
                module, batches, asymmetric=asymmetric, bias_correction=bias_correction
            )
            texts.append(convert_module(calibrated, "nash-e").asm(elide=False))
        assert texts[0] == texts[1], (asymmetric, bias_correction)
