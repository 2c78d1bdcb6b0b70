"""The ONNX pictures of `visualize`: names, types, attributes, constants, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import hbir
from hbir.errors import HbirError
from hbir.module import Module
from hbir.reports.visualize import visualize

_onnx: Any = onnx  # its `load` is typed only in part

CONV = """
func.func @main(%x: tensor<1x4x4x2xf32> {hbir.name = "image"})
    -> (tensor<1x4x4x8xf32> {hbir.name = "scores"}) {
  %w = "hbir.constant"() <{values = dense<0.5> : tensor<8x1x1x2xf32>}>
      {origin = #hbir.origin<"conv.weight">} : () -> tensor<8x1x1x2xf32>
  %big = "hbir.constant"() <{values = dense<1.5> : tensor<8x3x3x8xf32>}>
      {origin = #hbir.origin<"deep.weight">} : () -> tensor<8x3x3x8xf32>
  %0 = "hbir.conv2d"(%x, %w) {origin = #hbir.origin<"mid", from "conv_0" "Conv", "relu_0" "Relu",
      scale 0.25 : f32, zero_point 3>} : (tensor<1x4x4x2xf32>, tensor<8x1x1x2xf32>)
      -> tensor<1x4x4x8xf32>
  %1 = "hbir.conv2d"(%0, %big) <{pad = [1, 1, 1, 1]}> {origin = #hbir.origin<"mid">}
      : (tensor<1x4x4x8xf32>, tensor<8x3x3x8xf32>) -> tensor<1x4x4x8xf32>
  func.return %1 : tensor<1x4x4x8xf32>
}
"""


def _attributes(node: onnx.NodeProto) -> dict[str, object]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def test_nodes_and_tensors_have_the_names_of_the_source(tmp_path: Path) -> None:
    graph = _onnx.load(visualize(Module.parse(CONV), tmp_path / "a.onnx")).graph
    first, second = graph.node
    assert (first.domain, first.op_type, first.name) == ("hbir", "conv2d", "conv_0+relu_0")
    assert list(first.input) == ["image", "conv.weight"]
    assert list(first.output) == ["mid"]
    assert list(second.input) == ["mid", "deep.weight"]
    assert list(second.output) == ["scores"]
    assert [port.name for port in graph.input] == ["image"]
    assert [port.name for port in graph.output] == ["scores"]
    (mid,) = graph.value_info
    assert mid.name == "mid"
    assert [d.dim_value for d in mid.type.tensor_type.shape.dim] == [1, 4, 4, 8]
    assert mid.doc_string == "f32; scale 0.25, zero point 3"


def test_properties_and_origin_are_attributes(tmp_path: Path) -> None:
    first, second = _onnx.load(visualize(Module.parse(CONV), tmp_path / "a.onnx")).graph.node
    attributes = _attributes(first)
    assert attributes["origin.nodes"] == [b"conv_0 (Conv)", b"relu_0 (Relu)"]
    assert attributes["origin.scale"] == pytest.approx(0.25)
    assert attributes["origin.zero_point"] == 3
    assert _attributes(second)["pad"] == [1, 1, 1, 1]


def test_small_constants_are_shown_and_big_ones_elided(tmp_path: Path) -> None:
    file = visualize(Module.parse(CONV), tmp_path / "a.onnx")
    small, big = _onnx.load(file).graph.initializer
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(small), np.full((8, 1, 1, 2), 0.5))
    assert list(big.dims) == [8, 3, 3, 8]
    assert not big.raw_data
    assert big.doc_string == "elided"
    assert Path(file).stat().st_size < 8 * 3 * 3 * 8 * 4


@pytest.mark.parametrize("name", [None, "weights.bin"])
def test_external_data_holds_every_constant(tmp_path: Path, name: str | None) -> None:
    file = visualize(
        Module.parse(CONV),
        tmp_path / "a.onnx",
        save_as_external_data=True,
        external_data_file=name,
    )
    assert (tmp_path / (name or "a.onnx.data")).stat().st_size == 4 * (16 + 576)
    _, big = _onnx.load(file).graph.initializer
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(big), np.full((8, 3, 3, 8), 1.5))


def test_functions_stand_beside_each_other(tmp_path: Path) -> None:
    two = CONV + CONV.replace("@main", "@second")
    graph = _onnx.load(visualize(Module.parse(f"module {{ {two} }}"), tmp_path / "a.onnx")).graph
    assert [port.name for port in graph.input] == ["main/image", "second/image"]
    assert [port.name for port in graph.output] == ["main/scores", "second/scores"]
    produced = [name for node in graph.node for name in node.output]
    assert len(produced) == len(set(produced)) == 4


def test_an_input_returned_and_a_value_returned_twice_keep_all_names(tmp_path: Path) -> None:
    module = Module.parse("""
      func.func @main(%x: tensor<2xf32> {hbir.name = "x"})
          -> (tensor<2xf32> {hbir.name = "same"}, tensor<2xf32> {hbir.name = "y"},
              tensor<2xf32> {hbir.name = "again"}) {
        %0 = "hbir.relu"(%x) : (tensor<2xf32>) -> tensor<2xf32>
        func.return %x, %0, %0 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
      }""")
    graph = _onnx.load(visualize(module, tmp_path / "a.onnx")).graph
    assert [port.name for port in graph.output] == ["same", "y", "again"]
    assert {(tuple(n.input), tuple(n.output)) for n in graph.node} == {
        (("x",), ("y",)),
        (("x",), ("same",)),
        (("y",), ("again",)),
    }


def test_the_same_module_gives_the_same_bytes(tmp_path: Path) -> None:
    files = [visualize(Module.parse(CONV), tmp_path / f"{i}.onnx") for i in range(2)]
    assert Path(files[0]).read_bytes() == Path(files[1]).read_bytes()


def test_a_path_is_made_where_none_is_given() -> None:
    file = Path(hbir.visualize(Module.parse(CONV)))
    assert file.name == "main.onnx"
    assert _onnx.load(file).producer_name == "hbir"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"onnx_file": "picture.bc"}, r"picture\.bc: a picture is an ONNX file"),
        ({"onnx_file": "no/such/folder/a.onnx"}, r"no/such/folder/a\.onnx: can't be written"),
        (
            {"save_as_external_data": True, "external_data_file": "elsewhere/data"},
            "external_data_file 'elsewhere/data': must be a plain file name",
        ),
    ],
)
def test_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        hbir.visualize(Module.parse(CONV), **options)  # pyright: ignore[reportArgumentType]  # mixed


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(HbirError, match="expected a Module, got str"):
        hbir.visualize("model.hbm")  # pyright: ignore[reportArgumentType]  # the mistake


def test_netron_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "netron", None)
    with pytest.raises(HbirError, match=r"pip install 'hbir\[netron\]'"):
        hbir.visualize(Module.parse(CONV), tmp_path / "a.onnx", use_netron=True)
