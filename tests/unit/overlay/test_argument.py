"""Insertions and removals, by the published API's printed examples and by what they compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hbir
from hbir.errors import HbirError
from hbir.module import Function, Module
from hbir.overlay.argument import InvalidArgument
from tests.unit.overlay.published import TEXT

Array = np.ndarray[Any, Any]


def _function() -> Function:
    return Module.parse(TEXT).functions[0]


def _arrays(seed: int = 0) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    return (
        generator.normal(size=(1, 32, 32, 3)).astype(np.float32),
        generator.normal(size=(4, 1, 1, 3)).astype(np.float32),
    )


def test_the_function_is_printed_as_published() -> None:
    assert str(_function()) == (
        "func @main(tensor<1x32x32x3xf32> img, tensor<4x1x1x3xf32> weight)"
        " -> tensor<1x32x32x4xf32> pred"
    )


def test_transpose_of_an_input() -> None:
    function = _function()
    image, weight = _arrays()
    expected = function(image, weight)
    new = function.flatten_inputs[0].insert_transpose([2, 3, 0, 1])
    assert str(new) == "tensor<32x3x1x32xf32> img"
    assert [port.name for port in function.flatten_inputs] == ["img", "weight"]
    np.testing.assert_array_equal(function(np.transpose(image, [2, 3, 0, 1]), weight), expected)


def test_transpose_of_an_output() -> None:
    function = _function()
    image, weight = _arrays()
    expected = function(image, weight)
    new = function.flatten_outputs[0].insert_transpose([2, 3, 1, 0])
    assert str(new) == "tensor<32x4x32x1xf32> pred"
    np.testing.assert_array_equal(
        function(image, weight), np.transpose(np.asarray(expected), [2, 3, 1, 0])
    )


def test_nv12() -> None:
    function = _function()
    y, uv = function.flatten_inputs[0].insert_image_convert("nv12")
    assert str(y) == "tensor<1x32x32x1xui8> img_y"
    assert str(uv) == "tensor<1x16x16x2xui8> img_uv"
    assert [op.name for op in function.operations] == [
        "hbir.image_convert",
        "hbir.cast_type",
        "hbir.conv2d",
    ]
    _, weight = _arrays()
    planes = {"img_y": np.full((1, 32, 32, 1), 130, np.uint8)}
    planes["img_uv"] = np.full((1, 16, 16, 2), 127, np.uint8)
    result = function.feed({**planes, "weight": weight})["pred"]
    expected = weight[:, 0, 0] @ np.array([2, -1, -1], np.float32)
    np.testing.assert_allclose(result[0, 0, 0], expected, rtol=1e-5)


def test_gray() -> None:
    function = Module.parse(TEXT.replace("x3xf32", "x1xf32")).functions[0]
    new = function.flatten_inputs[0].insert_image_convert("gray")
    assert str(new) == "tensor<1x32x32x1xui8> img_y"


def test_roi_resize() -> None:
    module = Module.parse(TEXT)
    function = module.functions[0]
    y, uv, roi = function.flatten_inputs[0].insert_roi_resize("nv12")
    assert [str(port) for port in (y, uv, roi)] == [
        "tensor<1x8192x8192x1xui8> img_y",
        "tensor<1x4096x4096x2xui8> img_uv",
        "tensor<1x4xsi32> img_roi",
    ]
    assert y.type.run_shape == (1, None, None, 1)
    assert module.asm().count("{dynamic_dims = [-2, -3]}>") == 4
    kinds = [op.name for op in function.operations]
    assert kinds == ["hbir.roi_resize", "hbir.cast_type", "hbir.conv2d"]
    again = Module.parse(module.asm(elide=False))
    assert str(again) == str(module)
    random = np.random.default_rng(0)
    image = {
        "img_y": random.integers(0, 256, (1, 50, 60, 1)).astype(np.uint8),
        "img_uv": random.integers(0, 256, (1, 25, 30, 2)).astype(np.uint8),
    }
    _, weight = _arrays()
    found = again.functions[0].feed(
        {**image, "img_roi": np.array([[6, 4, 37, 35]], np.int32), "weight": weight}
    )
    crop = Module.parse(TEXT).functions[0]
    crop.flatten_inputs[0].insert_image_convert("nv12")
    expected = crop(image["img_y"][:, 4:36, 6:38], image["img_uv"][:, 2:18, 3:19], weight)
    np.testing.assert_array_equal(found["pred"], expected)


def test_open_extents_are_checked() -> None:
    function = _function()
    y, _, _ = function.flatten_inputs[0].insert_roi_resize("nv12")
    with pytest.raises(HbirError, match="nothing can be inserted at 'img_y': its extents are open"):
        y.insert_transpose([0, 3, 1, 2])
    _, weight = _arrays()
    feed = {
        "img_y": np.zeros((1, 4, 8194, 1), np.uint8),
        "img_uv": np.zeros((1, 2, 4097, 2), np.uint8),
        "img_roi": np.zeros((1, 4), np.int32),
        "weight": weight,
    }
    with pytest.raises(HbirError, match=r"expected \[1, 1\.\.\.8192, 1\.\.\.8192, 1\]"):
        function.feed(feed)


def test_preprocess_then_nv12() -> None:
    function = _function()
    image = function.flatten_inputs[0].insert_image_preprocess(
        "yuvbt601full2rgb", 255, [0.5, 0.5, 0.5], [0.25, 0.5, 1.0]
    )
    assert str(image) == "tensor<1x32x32x3xsi8> img"
    image.insert_image_convert("nv12")
    assert [op.name for op in function.operations] == [
        "hbir.image_convert",
        "hbir.cast_type",
        "hbir.image_preprocess",
        "hbir.conv2d",
    ]
    grey = {"img_y": np.full((1, 32, 32, 1), 204, np.uint8)}
    grey["img_uv"] = np.full((1, 16, 16, 2), 128, np.uint8)
    weight = np.eye(4, 3, dtype=np.float32).reshape(4, 1, 1, 3)
    result = function.feed({**grey, "weight": weight})["pred"][0, 0, 0]
    np.testing.assert_allclose(result, [0.3 / 0.25, 0.3 / 0.5, 0.3, 0], atol=1e-5)


def test_split_of_inputs_and_outputs() -> None:
    function = _function()
    image, weight = _arrays()
    expected = np.asarray(function(image, weight))
    parts = function.flatten_inputs[1].insert_split(0)
    assert [str(part) for part in parts] == [f"tensor<1x1x1x3xf32> weight_{i}" for i in range(4)]
    outputs = function.flatten_outputs[0].insert_split(-1)
    assert [str(port) for port in outputs] == [f"tensor<1x32x32x1xf32> pred_{i}" for i in range(4)]
    results = function(image, *np.split(weight, 4))
    np.testing.assert_array_equal(np.concatenate(results, axis=3), expected)
    ids = str(function.op.arg_attrs) + str(function.op.res_attrs)
    assert "hbir.id = 5 : i64" in ids
    assert "hbir.id = -4 : i64" in ids


def test_a_module_with_new_inputs_round_trips() -> None:
    module = Module.parse(TEXT)
    module.functions[0].flatten_inputs[0].insert_image_convert("nv12")
    module.verify()
    assert str(Module.parse(module.asm(elide=False))) == str(module)


def test_descriptions_are_written() -> None:
    function = _function()
    function.flatten_inputs[0].desc = "left camera"
    function.flatten_outputs[0].desc = "scores"
    assert function.flatten_inputs[0].desc == "left camera"
    assert function.flatten_outputs[0].desc == "scores"


def test_an_argument_that_was_replaced_is_refused() -> None:
    image = _function().flatten_inputs[0]
    image.insert_transpose([0, 3, 1, 2])
    with pytest.raises(ValueError, match="no longer part of function 'main'; look it up again"):
        image.insert_transpose([0, 3, 1, 2])
    assert issubclass(InvalidArgument, HbirError)


def _wrong(value: Any) -> Any:
    """A value of another type than is asked for."""
    return value


REFUSED: list[tuple[Callable[[Function], object], str]] = [
    (lambda f: f.flatten_inputs[0].insert_transpose([0, 1]), "no permutation of 4 axes"),
    (lambda f: f.flatten_inputs[1].insert_image_convert("nv12"), "nv12 needs"),
    (lambda f: f.flatten_inputs[0].insert_image_convert("yuv"), "mode 'yuv' is not supported"),
    (lambda f: f.flatten_inputs[0].insert_image_convert("gray"), r"needs an input \(N, H, W, 1"),
    (lambda f: f.flatten_outputs[0].insert_image_convert(), "'pred' is an output"),
    (lambda f: f.flatten_inputs[0].insert_image_preprocess("hsv"), "mode 'hsv' is unknown"),
    (lambda f: f.flatten_inputs[0].insert_image_preprocess(bit_width=12), "bit_width=12"),
    (lambda f: f.flatten_inputs[0].insert_image_preprocess(mean=[1, 2]), "mean must have 1 or 3"),
    (
        lambda f: f.flatten_inputs[0].insert_image_preprocess(mean=_wrong("1 2")),
        "expected a number or",
    ),
    (lambda f: f.flatten_inputs[0].insert_image_preprocess(std=[np.nan]), "expected a number or"),
    (lambda f: f.flatten_inputs[0].insert_transpose(_wrong([0.0, 3, 1, 2])), "no permutation"),
    (lambda f: f.flatten_inputs[0].insert_split(_wrong("H")), "dim is 'H', expected an axis"),
    (lambda f: f.flatten_inputs[0].insert_split(7), "has no axis 7"),
    (lambda f: f.flatten_outputs[0].insert_split(7), "has no axis 7"),
    (lambda f: f.flatten_outputs[0].insert_split(_wrong("H")), "dim is 'H', expected an axis"),
    (lambda f: f.flatten_inputs[0].insert_roi_resize("nv21"), "mode 'nv21' is not supported"),
    (lambda f: f.flatten_inputs[1].insert_roi_resize(), "insert_roi_resize: nv12 needs"),
    (lambda f: f.flatten_inputs[0].insert_roi_resize(interp_mode="cubic"), "interp_mode 'cubic'"),
    (lambda f: f.flatten_inputs[0].insert_roi_resize(pad_mode="wrap"), "use constant, border"),
    (
        lambda f: f.flatten_inputs[0].insert_roi_resize(pad_value=(0, 256)),
        "padValue must be a byte",
    ),
    (lambda f: f.flatten_inputs[0].insert_roi_resize(pad_value=(0,)), "padValue must be a byte"),
    (
        lambda f: f.flatten_inputs[0].insert_roi_resize(pad_value=_wrong("ab")),
        "insert_roi_resize: pad_value is 'ab', expected a number",
    ),
    (lambda f: f.flatten_outputs[0].insert_roi_resize(), "'pred' is an output"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[text for _, text in REFUSED])
def test_refused(call: Callable[[Function], object], message: str) -> None:
    function = _function()
    before = str(function)
    with pytest.raises(HbirError, match=message):
        call(function)
    assert str(function) == before


# ------------------------------------------------------------------------- removals


def _quantized() -> Module:
    text = """
    func.func @main(%x: tensor<1x8x8x3xf32> {hbir.name = "x"})
        -> (tensor<1x8x8x4xf32> {hbir.name = "y"}) {
      %w = "hbir.constant"() <{values = dense<0.5> : tensor<4x1x1x3xf32>}> : () -> tensor<4x1x1x3xf32>
      %0 = "hbir.conv2d"(%x, %w) : (tensor<1x8x8x3xf32>, tensor<4x1x1x3xf32>) -> tensor<1x8x8x4xf32>
      %1 = "hbir.sigmoid"(%0) : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32>
      func.return %1 : tensor<1x8x8x4xf32>
    }"""
    module = Module.parse(text)
    generator = np.random.default_rng(0)
    batches = [{"x": generator.normal(size=(1, 8, 8, 3)).astype(np.float32)} for _ in range(2)]
    return hbir.convert(hbir.calibrate(module, batches), "nash-e")


def test_quantize_and_dequantize_go(tmp_path: Path) -> None:
    module = _quantized()
    whole = module.clone()
    function = module.functions[0]
    assert function.get_removable_io_op() == [
        ("x_Quantize", "Quantize"),
        ("y_Dequantize", "Dequantize"),
    ]
    assert function.remove_io_op(["Quantize", "Dequantize"]) == ["x_Quantize", "y_Dequantize"]
    assert function.get_removable_io_op() == []
    x, y = function.flatten_inputs[0], function.flatten_outputs[0]
    assert (x.type.np_dtype, y.type.np_dtype) == (np.int8, np.int8)
    image = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype(np.float32)
    scale, zero = x.type.quant_info.scales[0], x.type.quant_info.zero_points[0]
    integers = np.clip(np.rint(image / np.float32(scale)) + zero, -128, 127).astype(np.int8)
    result = function.feed({"x": integers})["y"]
    (scale,), (zero,) = y.type.quant_info.scales, y.type.quant_info.zero_points
    expected = whole.functions[0].feed({"x": image})["y"]
    np.testing.assert_array_equal((result.astype(np.float32) - zero) * np.float32(scale), expected)
    program = hbir.compile(module, tmp_path / "m.hbm", "nash-e")
    graph = program.graphs[0]
    np.testing.assert_array_equal(graph.feed({"x": integers})["y"], result)
    assert graph.flatten_inputs[0].type.quant_info.scales == x.type.quant_info.scales
    assert graph.flatten_outputs[0].type.quant_info.scales == y.type.quant_info.scales


@pytest.mark.parametrize("channels", [4, 40])
def test_a_raw_accumulator_has_a_scale_per_channel(tmp_path: Path, channels: int) -> None:
    """What a user makes of the integers is what the dequantize made of them."""
    text = f"""
    func.func @main(%x: tensor<1x8x8x3xf32> {{hbir.name = "x"}})
        -> (tensor<1x8x8x{channels}xf32> {{hbir.name = "y"}}) {{
      %y = hbir.conv2d %x, %w
          : (tensor<1x8x8x3xf32>, tensor<{channels}x1x1x3xf32>) -> tensor<1x8x8x{channels}xf32>
      func.return %y : tensor<1x8x8x{channels}xf32>
    }}"""
    weights = np.random.default_rng(0).normal(size=(channels, 1, 1, 3)).round(2).tolist()
    constant = f"%w = hbir.constant dense<{weights}> : tensor<{channels}x1x1x3xf32>\n      %y ="
    module = Module.parse(text.replace("%y =", constant))
    batch = {"x": np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype(np.float32)}
    whole = hbir.convert(hbir.calibrate(module, [batch]), "nash-e")
    expected = whole.functions[0].feed(batch)["y"]
    removed = whole.clone()
    assert removed.functions[0].remove_io_op("Dequantize") == ["y_Dequantize"]
    hbir.save(removed, tmp_path / "m.bc")
    program = hbir.compile(removed, tmp_path / "m.hbm", "nash-e")
    for function in (hbir.load(tmp_path / "m.bc").functions[0], program.graphs[0]):
        (port,) = function.flatten_outputs
        info = port.type.quant_info
        assert (port.type.np_dtype, info.channel_axis) == (np.int32, 3)
        assert info.zero_points == (0,) * channels
        result = function.feed(batch)["y"].astype(np.float32) * np.array(info.scales, np.float32)
        np.testing.assert_array_equal(result, expected)


def test_numbers_of_a_preprocessing_may_be_one_a_list_or_an_array() -> None:
    def inserted(mean: Any) -> str:
        function, two = _function(), _wrong(np.float32(2))
        function.flatten_inputs[0].insert_image_preprocess("skip", 1, mean, two)
        return str(function.operations[1])

    assert inserted([5.0]) == inserted(5) == inserted(np.array(5.0))
    assert inserted([1.0, 2.0, 3.0]) == inserted(np.array([1, 2, 3]))
    assert inserted((1, 2, 3)) == inserted([1.0, 2.0, 3.0]) != inserted(1)


def test_nothing_is_inserted_behind_convert() -> None:
    module = _quantized()
    before = str(module)
    (x,), (y,) = module.functions[0].flatten_inputs, module.functions[0].flatten_outputs
    for insert in (
        lambda: x.insert_transpose([0, 2, 3, 1]),
        lambda: x.insert_image_preprocess("skip"),
        lambda: y.insert_transpose([0, 2, 3, 1]),
        lambda: y.insert_split(0),
    ):
        with pytest.raises(HbirError, match="is converted already; insert at its inputs and"):
            insert()
    assert str(module) == before


def test_names_count_alone() -> None:
    function = _quantized().functions[0]
    assert function.remove_io_op("Quantize", "y_Dequantize") == ["y_Dequantize"]
    assert function.flatten_inputs[0].type.np_dtype == np.float32


def test_moves_go_inwards() -> None:
    module = Module.parse("""
    func.func @main(%x: tensor<2x3xf32> {hbir.name = "x"}) -> (tensor<6xf32> {hbir.name = "y"}) {
      %0 = hbir.transpose %x {dims = [1, 0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
      %1 = hbir.reshape %0 {shape = [6]} : (tensor<3x2xf32>) -> tensor<6xf32>
      %2 = hbir.relu %1 : tensor<6xf32>
      func.return %2 : tensor<6xf32>
    }""")
    function = module.functions[0]
    assert function.remove_io_op(["Transpose", "Reshape"]) == ["x_Transpose", "x_Reshape"]
    assert str(function) == "func @main(tensor<6xf32> x) -> tensor<6xf32> y"
    module.verify()


def test_what_is_wanted_gone_and_stays_says_why() -> None:
    module = Module.parse("""
    func.func @main(%x: tensor<2x3xf32> {hbir.name = "x"})
        -> (tensor<3x2xf32> {hbir.name = "y"}, tensor<3x2xf32> {hbir.name = "z"}) {
      %0 = hbir.transpose %x {dims = [1, 0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
      %1 = hbir.reshape %0 {shape = [6]} : (tensor<3x2xf32>) -> tensor<6xf32>
      %2 = hbir.relu %1 : tensor<6xf32>
      %3 = hbir.reshape %2 {shape = [3, 2]} : (tensor<6xf32>) -> tensor<3x2xf32>
      func.return %3, %3 : tensor<3x2xf32>, tensor<3x2xf32>
    }""")
    function = module.functions[0]
    assert function.remove_io_op("Reshape") == []
    assert function.kept_io_op(["Reshape"]) == [
        ("x_Reshape", "a Transpose stands before it"),
        ("y_Reshape", "y has multiple uses. cannot remove."),
        ("z_Reshape", "z has multiple uses. cannot remove."),
    ]
    assert function.remove_io_op(["Transpose", "Reshape"]) == ["x_Transpose", "x_Reshape"]
    assert [name for name, _ in function.kept_io_op(["Reshape"])] == ["y_Reshape", "z_Reshape"]


def test_why_not() -> None:
    function = Module.parse("""
    func.func @main(%x: tensor<2xf32> {hbir.name = "x"}, %z: tensor<2xf32> {hbir.name = "z"})
        -> (tensor<2xf32> {hbir.name = "y"}) {
      %0 = hbir.add %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      func.return %0 : tensor<2xf32>
    }""").functions[0]
    x, unused = function.flatten_inputs
    assert x.is_removable == (False, "x has multiple uses. cannot remove.")
    (y,) = function.flatten_outputs
    done, reason = y.remove_attached_op()
    assert not done
    assert reason.endswith("is not a single input and single output op")
    assert x.erase() == (False, "x is used. cannot erase.")
    assert unused.erase() == (True, "")
    assert [port.name for port in function.flatten_inputs] == ["x"]
    with pytest.raises(HbirError, match="Unsupport removing Conv now"):
        function.remove_io_op(["Conv"])
    with pytest.raises(HbirError, match="no op 'x_Cast' at an input or output can go"):
        function.remove_io_op(op_names=["x_Cast"])


def test_images_before_a_calibrated_network(tmp_path: Path) -> None:
    text = TEXT.replace('%weight: tensor<4x1x1x3xf32> {hbir.name = "weight"}', "").replace(
        '{hbir.name = "img"},', '{hbir.name = "img"}'
    )
    constant = (
        '%weight = "hbir.constant"() <{values = dense<0.5> : tensor<4x1x1x3xf32>}>'
        " : () -> tensor<4x1x1x3xf32>\n"
    )
    text = text.replace("  %0 =", f"  {constant}  %0 =", 1)
    module = Module.parse(text)
    generator = np.random.default_rng(0)
    batches = [
        {"img": generator.uniform(-2, 2, (1, 32, 32, 3)).astype(np.float32)} for _ in range(3)
    ]
    calibrated = hbir.calibrate(module, batches)
    image = (
        calibrated.functions[0]
        .flatten_inputs[0]
        .insert_image_preprocess(
            "yuvbt601full2rgb", 1, [123.675, 116.28, 103.53], [58.0, 57.0, 57.5]
        )
    )
    image.insert_image_convert("nv12")
    quantized = hbir.convert(calibrated, "nash-e")
    assert not any(name.startswith("hbtl") for name in quantized.functions[0].statistics())
    planes = {"img_y": generator.integers(0, 256, (1, 32, 32, 1)).astype(np.uint8)}
    planes["img_uv"] = generator.integers(64, 192, (1, 16, 16, 2)).astype(np.uint8)
    expected = calibrated.functions[0].feed(planes)["pred"]
    result = quantized.functions[0].feed(planes)["pred"]
    assert np.abs(result - expected).max() < 0.03 * np.abs(expected).max()
    program = hbir.compile(quantized, tmp_path / "m.hbm", "nash-e")
    np.testing.assert_array_equal(program.graphs[0].feed(planes)["pred"], result)
