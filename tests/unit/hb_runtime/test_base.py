"""One interface over files of all stages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hbir
from hbir.errors import HbirError
from hbir.hb_runtime import HB_HBIRRuntime, HB_HBMRuntime, HB_ONNXRuntime, HBRuntime, onnx_runtime
from hbir.hb_runtime.base import layout_of
from tests.unit.ptq.small_network import SHAPE, write_network

Array = np.ndarray[Any, Any]
IMAGE = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    module = hbir.onnx.export(write_network(folder / "m.onnx"))
    calibrated = hbir.calibrate(module, [{"x": IMAGE}])
    quantized = hbir.convert(calibrated, "nash-e")
    hbir.save(calibrated, folder / "qat.bc")
    hbir.save(quantized, folder / "quantized.bc")
    hbir.compile(quantized, folder / "m.hbm", opt=0)
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("m.onnx", HB_ONNXRuntime),
        ("qat.bc", HB_HBIRRuntime),
        ("quantized.bc", HB_HBIRRuntime),
        ("m.hbm", HB_HBMRuntime),
    ],
)
def test_each_suffix_has_its_runtime(files: Path, name: str, kind: type[HBRuntime]) -> None:
    session = HBRuntime(files / name)
    assert type(session) is kind
    assert (session.input_names, session.output_names) == (["x"], ["y"])
    assert (session.input_num, session.output_num) == (1, 1)
    assert (session.input_shapes, session.layout) == ([SHAPE], "NCHW")
    assert session.input_types == session.output_types == [np.dtype(np.float32)]
    (got,) = session.run(None, {"x": IMAGE})
    (again,) = session.run(["y"], {"x": IMAGE})
    np.testing.assert_array_equal(got, again)
    np.testing.assert_allclose(
        got, HBRuntime(files / "m.onnx").run(None, {"x": IMAGE})[0], atol=0.1
    )


def test_phases(files: Path) -> None:
    phases = [HB_HBIRRuntime(files / n).current_phase for n in ("qat.bc", "quantized.bc")]
    assert phases == ["export", None]


def test_the_interpreter_stands_in_for_onnxruntime(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wanted,) = HBRuntime(files / "m.onnx").run(None, {"x": IMAGE})

    def absent(model: bytes | str, label: str) -> None:
        del model, label

    monkeypatch.setattr(onnx_runtime, "make_session", absent)
    session = HBRuntime(files / "m.onnx")
    np.testing.assert_allclose(session.run(None, {"x": IMAGE})[0], wanted, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_a_float_input_takes_bytes(files: Path, dtype: type[np.generic]) -> None:
    given = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)
    for name in ("m.onnx", "m.hbm"):
        session = HBRuntime(files / name)
        (got,) = session.run(None, {"x": given})
        (wanted,) = session.run(None, {"x": given.astype(np.float32)})
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", ["m.onnx", "qat.bc", "m.hbm"])
def test_arrays_of_any_layout_and_byte_order(files: Path, name: str) -> None:
    session = HBRuntime(files / name)
    (wanted,) = session.run("y", {"x": IMAGE})  # one name will do
    for given in (IMAGE.astype(">f4"), np.asfortranarray(IMAGE)):
        np.testing.assert_array_equal(session.run(["y"], {"x": given})[0], wanted)


@pytest.mark.parametrize("name", ["m.onnx", "qat.bc", "m.hbm"])
def test_what_is_no_feed(files: Path, name: str) -> None:
    session = HBRuntime(files / name)
    cases: list[tuple[Any, str]] = [
        ([IMAGE], r"expected a mapping from input names \(x\) to arrays, got a list"),
        ({"x": [[1], [1, 2]]}, "input 'x' is no array: setting an array element"),
        ({"x": None}, r"input 'x' has shape \[\]"),
    ]
    for feed, message in cases:
        with pytest.raises(HbirError, match=message):
            session.run(None, feed)


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ({}, "missing 'x'"),
        ({"x": IMAGE, "z": IMAGE}, "unknown 'z'"),
        ({"x": IMAGE[0]}, r"shape \[3, 8, 8\], expected \[1, 3, 8, 8\]"),
        ({"x": IMAGE.astype(np.float64)}, "dtype float64, expected float32, uint8, int8"),
    ],
)
@pytest.mark.parametrize("name", ["m.onnx", "qat.bc", "m.hbm"])
def test_wrong_feeds(files: Path, name: str, feed: dict[str, Array], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        HBRuntime(files / name).run(None, feed)


def test_wrong_names_and_files(files: Path, tmp_path: Path) -> None:
    with pytest.raises(HbirError, match="no output 'z'; it has y"):
        HBRuntime(files / "m.onnx").run(["z"], {"x": IMAGE})
    with pytest.raises(HbirError, match=r"expected a \.onnx"):
        HBRuntime("model.txt")
    for name in ("nix.onnx", "nix.bc", "nix.hbm"):
        with pytest.raises(HbirError, match="no such file"):
            HBRuntime(tmp_path / name)
    for content in (b"", b"nonsense"):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(HbirError, match=r"bad\.onnx"):
            HBRuntime(tmp_path / "bad.onnx")


def test_a_module_of_two_functions_is_packed(tmp_path: Path) -> None:
    text = "".join(
        f'func.func @{n}(%x: tensor<2xf32> {{hbir.name = "x"}}) -> (tensor<2xf32>'
        ' {hbir.name = "y"}) {\n  func.return %x : tensor<2xf32>\n}\n'
        for n in "ab"
    )
    (tmp_path / "two.mlir").write_text(text)
    with pytest.raises(HbirError, match=r"Input model .*two\.mlir is a packed model"):
        HBRuntime(tmp_path / "two.mlir")


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((1, 3, 8, 8), "NCHW"), ((1, 8, 8, 3), "NHWC"), ((1, 8, 8, 8), ""), ((1, 3, 8), "")],
)
def test_layouts(shape: tuple[int, ...], layout: str) -> None:
    assert layout_of(shape) == layout
