"""A network whose image the resizer crops and scales: hb_compile, its files, and every runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hbir
from hbir.cli.hb_compile import main as hb_compile
from hbir.cli.hb_model_info import main as hb_model_info
from hbir.cli.hb_verifier import main as hb_verifier
from hbir.cli.hrt_model_exec import main as hrt_model_exec
from hbir.errors import HbirError
from hbir.hb_runtime import HBRuntime
from tests.unit.ptq.small_network import write_config, write_data, write_network

Array = np.ndarray[Any, Any]

SHAPE = (1, 3, 16, 24)
INPUT: dict[str, Any] = {
    "input_name": "x",
    "input_type_rt": "nv12",
    "input_type_train": "rgb",
    "input_layout_train": "NCHW",
    "mean_value": "123.675 116.28 103.53",
    "scale_value": "0.01712475 0.017507 0.01742919",
}
ROI = [6, 12, 53, 43]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What hb_compile leaves of a network fed by the resizer, and of its twin fed as `pyramid`."""
    folder = tmp_path_factory.mktemp("resizer")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_network(folder / "net.onnx", {"x": SHAPE})
        write_data(folder / "data", 3, SHAPE)
        for source in ("resizer", "pyramid"):
            sections: dict[str, dict[str, Any]] = {
                "input_parameters": INPUT,
                "model_parameters": {"working_dir": source},
                "compiler_parameters": {"input_source": {"x": source}, "optimize_level": "O2"},
            }
            write_config(folder, sections)
            assert hb_compile(["-c", "net.yaml"]) == 0
    return folder


def camera() -> dict[str, Array]:
    random = np.random.default_rng(0)
    return {
        "x_y": random.integers(0, 256, (1, 60, 80, 1)).astype(np.uint8),
        "x_uv": random.integers(0, 256, (1, 30, 40, 2)).astype(np.uint8),
    }


def with_roi(image: dict[str, Array], *roi: int) -> dict[str, Array]:
    return {**image, "x_roi": np.array([roi], np.int32)}


def test_every_stage_takes_any_image_and_gives_the_same_bits(folder: Path) -> None:
    feed = with_roi(camera(), *ROI)
    names = ("net_quantized_model.bc", "net.hbm")
    runtimes = [HBRuntime(folder / "resizer" / name) for name in names]
    results = [runtime.run(None, feed)[0] for runtime in runtimes]
    np.testing.assert_array_equal(results[0], results[1], strict=True)
    for runtime in runtimes:
        assert runtime.input_names == ["x_y", "x_uv", "x_roi"]
        assert runtime.input_shapes == [(1, None, None, 1), (1, None, None, 2), (1, 4)]


def test_a_crop_of_the_networks_size_is_what_the_pyramid_gives(folder: Path) -> None:
    image = camera()
    resized = hbir.Hbm(folder / "resizer" / "net.hbm").graphs[0]
    fixed = hbir.Hbm(folder / "pyramid" / "net.hbm").graphs[0]
    (found,) = resized.feed(with_roi(image, 10, 20, 10 + 23, 20 + 15)).values()
    planes = {"x_y": image["x_y"][:, 20:36, 10:34], "x_uv": image["x_uv"][:, 10:18, 5:17]}
    (expected,) = fixed.feed(planes).values()
    np.testing.assert_array_equal(found, expected, strict=True)


def test_a_run_that_does_not_fit_says_so(folder: Path) -> None:
    graph = hbir.Hbm(folder / "resizer" / "net.hbm").graphs[0]
    image = camera()
    mistakes: list[tuple[dict[str, Array], str]] = [
        (with_roi(image, 0, 0, 9, 60), r"\(roi_resize\), layer 'x'.*has 61 rows, the result 16"),
        (with_roi(image, 80, 0, 90, 9), "lies outside of the image of 60x80"),
        (
            with_roi({**image, "x_uv": image["x_uv"][:, :, :38]}, *ROI),
            r"a plane has shape \[1, 30, 38, 2\], expected \[1, 30, 40, 2\]",
        ),
        (
            with_roi({**image, "x_y": image["x_y"][..., 0]}, *ROI),
            r"input 'x_y' has shape \[1, 60, 80\], expected \[1, 1...8192, 1...8192, 1\]",
        ),
    ]
    for feed, message in mistakes:
        with pytest.raises(HbirError, match=message):
            graph.feed(feed)


def test_the_tools_show_and_run_it(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)  # where tools leave their logs
    hbm, quantized = (str(folder / "resizer" / n) for n in ("net.hbm", "net_quantized_model.bc"))
    assert hb_model_info([hbm]) == 0
    assert "| x_y   | input  | [1, -1, -1, 1] | uint8     |" in capsys.readouterr().out
    assert hb_verifier(["-m", f"{quantized},{hbm}"]) == 0
    assert "x_roi" in capsys.readouterr().out
    assert hrt_model_exec(["model_info", "--model_file", hbm]) == 0
    printed = capsys.readouterr().out
    for lines in (
        "valid shape: (1,-1,-1,1,)\naligned byte size: -1\n",
        "stride: (-1,-1,1,1,)\n",
        "stride: (-1,-1,2,1,)\n",
        "stride: (16,4,)\n",
    ):
        assert lines in printed


def test_raw_files_and_a_text_with_the_roi(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = camera()
    for name, array in image.items():
        (tmp_path / f"{name}.bin").write_bytes(array.tobytes())
    (tmp_path / "roi.txt").write_text(" ".join(map(str, ROI)))
    hbm = str(folder / "resizer" / "net.hbm")
    files = ",".join(str(tmp_path / name) for name in ("x_y.bin", "x_uv.bin", "roi.txt"))
    infer = ["infer", "--model_file", hbm, "--input_file", files, "--enable_dump", "true"]
    infer += ["--dump_path", str(tmp_path), "--dump_format", "npy"]
    shapes = ["--input_valid_shape", "1,60,80,1;1,30,40,2"]
    assert hrt_model_exec([*infer, *shapes]) == 0
    (expected,) = hbir.Hbm(hbm).graphs[0].feed(with_roi(image, *ROI)).values()
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)
    (tmp_path / "roi.txt").write_text("1 2 3")
    capsys.readouterr()
    for given, message in (
        ([], "give its shape with --input_valid_shape, or a .npy"),
        (["--input_valid_shape", "1,60,8194,1"], "'x_y' takes [1, 1...8192, 1...8192, 1]"),
        (shapes, "expected 4 numbers of int32"),
    ):
        assert hrt_model_exec([*infer, *given]) == 1
        assert message in capsys.readouterr().err
