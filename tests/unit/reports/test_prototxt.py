"""The picture of a compiled graph: its edges are those of the network, at every level and march."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.module import Module
from hbir.reports.prototxt import prototxt

TEXT = """
func.func @net(%x: tensor<1x16x16x8xf32> {hbir.name = "x"})
    -> (tensor<1x16x16x8xf32> {hbir.name = "out"}) {
  %w = hbir.constant dense<0.1> : tensor<8x3x3x8xf32>
  %a = hbir.conv2d %x, %w {pad = [1, 1, 1, 1], origin = #hbir.origin<"a", from "A" "Conv">}
      : (tensor<1x16x16x8xf32>, tensor<8x3x3x8xf32>) -> tensor<1x16x16x8xf32>
  %b = hbir.tanh %a {origin = #hbir.origin<"b", from "B" "Tanh">} : tensor<1x16x16x8xf32>
  %c = hbir.mul %a, %b {origin = #hbir.origin<"c", from "C" "Mul">}
      : (tensor<1x16x16x8xf32>, tensor<1x16x16x8xf32>) -> tensor<1x16x16x8xf32>
  func.return %c : tensor<1x16x16x8xf32>
}
"""

_LAYER = re.compile(r'layer \{\n  name: "([^"]+)"\n  type: "([^"]+)"\n((?:  bottom: "[^"]+"\n)*)')


def _edges(text: str) -> set[tuple[str, str]]:
    """(read, reader), copies and conversions at the edges left out: what they read is read."""
    read = {name: re.findall(r'"([^"]+)"', bottoms) for name, _, bottoms in _LAYER.findall(text)}
    kinds = {name: kind for name, kind, _ in _LAYER.findall(text)}

    def sources(name: str) -> set[str]:
        if kinds[name] not in ("copy", "quantize", "dequantize", "Output"):
            return {re.sub(r"_id_\d+$", "", name)}
        return {source for bottom in read[name] for source in sources(bottom)}

    return {
        (source, re.sub(r"_id_\d+$", "", name))
        for name, bottoms in read.items()
        if kinds[name] not in ("copy", "quantize", "dequantize", "Input")
        for bottom in bottoms
        for source in sources(bottom)
    }


@pytest.mark.parametrize(
    ("march", "opt", "on_cpu"),
    [("nash-e", 0, []), ("nash-e", 2, []), ("nash-p", 1, []), ("nash-e", 2, ["B"])],
)
def test_edges_are_those_of_the_network(
    tmp_path: Path, march: str, opt: int, on_cpu: list[str]
) -> None:
    samples = [{"x": np.random.default_rng(0).normal(size=(1, 16, 16, 8)).astype(np.float32)}]
    quantized = hbir.convert(hbir.calibrate(Module.parse(TEXT), samples), march, run_on_cpu=on_cpu)
    hbm = hbir.compile(quantized, tmp_path / "net.hbm", march, opt=opt)
    text = prototxt(hbm.program, hbm.program.graphs[0])
    edges = {(a, b) for a, b in _edges(text) if not b.endswith("(output)")}
    assert edges == {("x", "a"), ("a", "b"), ("a", "c"), ("b", "c")}
    assert any(source == "c" for source, reader in _edges(text) if reader == "out (output)")
