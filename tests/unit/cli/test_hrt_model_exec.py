"""hrt_model_exec: the three commands, and what they refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hbir.cli.hrt_model_exec import main
from hbir.hbm import Hbm
from hbir.hbm.writer import write_program
from tests.unit.runtime.programs import tiled_convolution


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "model.hbm"
    write_program(tiled_convolution(), file)
    return file


def _input(model: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(0).integers(-128, 128, (1, 8, 8, 8)).astype(np.int8)


def test_model_info_names_every_tensor(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model_info", f"--model_file={model}"]) == 0
    out = capsys.readouterr().out
    for line in (
        "This model file has 1 model:",
        "[main]",
        "[model name]: main",
        "input[0]:",
        "name: x",
        "valid shape: (1,8,8,8,)",
        "aligned byte size: 512",
        "tensor type: HB_DNN_TENSOR_TYPE_S8",
        "quanti type: NONE",
        "stride: (512,64,8,1,)",
        "output[0]:",
        "name: y",
    ):
        assert line in out.splitlines()
    assert re.match(r"Load model to DDR cost [0-9.]+ms\.", out)


@pytest.mark.parametrize("kind", ["npy", "bin"])
@pytest.mark.parametrize("dump", ["npy", "bin", "txt"])
def test_infer_computes_what_the_simulator_does(
    model: Path, tmp_path: Path, kind: str, dump: str, capsys: pytest.CaptureFixture[str]
) -> None:
    x = _input(model)
    file = tmp_path / f"x.{kind}"
    if kind == "npy":
        np.save(file, x)
    else:
        file.write_bytes(x.tobytes())
    arguments = ["--input_file", str(file), "--enable_dump", "true", "--dump_format", dump]
    assert (
        main(
            ["infer", "--model_file", str(model), *arguments, "--dump_path", str(tmp_path / "out")]
        )
        == 0
    )
    assert re.search(r"^Infer time: [0-9.]+ ms$", capsys.readouterr().out, re.M)
    expected = Hbm(model).graphs[0].feed({"x": x})["y"]
    written = tmp_path / "out" / f"y.{dump}"
    got = _read(written, dump).reshape(expected.shape)
    np.testing.assert_array_equal(got, expected)


def test_every_tensor_on_the_way_is_dumped(model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", _input(model))
    dump = ["--enable_dump", "true", "--dump_intermediate", "1", "--dump_format", "npy"]
    files = ["--input_file", str(tmp_path / "x.npy"), "--dump_path", str(tmp_path / "out")]
    assert main(["infer", "--model_file", str(model), *dump, *files]) == 0
    found = {file.stem: np.load(file) for file in (tmp_path / "out").iterdir()}
    assert found.keys() == {"x", "conv", "flat", "tail", "deep", "y"}
    np.testing.assert_array_equal(found["tail"], found["y"][:, 2:])


def _read(file: Path, kind: str) -> np.ndarray[Any, Any]:
    if kind == "npy":
        return np.load(file)
    return np.fromfile(file, np.int8) if kind == "bin" else np.loadtxt(file)


def test_perf_prints_its_result_and_writes_the_profile(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--thread_num=4", "--frame_count=100", f"--profile_path={tmp_path / 'profile'}"]
    assert main(["perf", f"--model_file={model}", *arguments]) == 0
    out = capsys.readouterr().out
    assert "  Thread number is: 4" in out
    assert "  Frame count   is: 100" in out
    assert re.search(r"Frame    rate      is: [0-9.]+ FPS", out)
    names = sorted(file.name for file in (tmp_path / "profile").iterdir())
    assert names == ["profiler.csv", "profiler.log"]


def test_perf_for_some_time(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["perf", f"--model_file={model}", "--perf_time_in_seconds=0.01"]) == 0
    count = re.search(r"  Frame count   is: (\d+)", capsys.readouterr().out)
    assert count
    assert 5 < int(count[1]) < 100


def test_models_run_beside_each_other(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = f"{model},{model}"
    # Eight frames take a core longer than a launch takes the host, so they wait for each other.
    arguments = ["--thread_num=8;1", "--task_priority=0;255", f"--profile_path={tmp_path / 'p'}"]
    assert main(["perf", f"--model_file={files}", "--frame_count=50", *arguments]) == 0
    out = capsys.readouterr().out
    assert out.count("[model name]: main") == 2
    low, high = (float(t) for t in re.findall(r"Average   latency   is: ([0-9.]+)", out))
    assert high < low


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["perf", "--thread_num=33"], "--thread_num 33: expected 1...32"),
        (["perf", "--task_priority=256"], "--task_priority 256: expected 0...255"),
        (["perf", "--core_id=2"], "--core_id 2: expected 0...1"),
        (["perf", "--core_id=one"], "--core_id one: expected 0...1"),
        (["perf", "--thread_num=1;2"], "gives 2 values for 1 models"),
        (["perf", "--frame_count=0"], "--frame_count be >= 1"),
        (["perf", "--model_name=other"], "no such model; there is main"),
        (["infer"], "--input_file gives 0 files, the model takes x"),
        (["infer", "--input_file=no.npy"], "no.npy: no such file"),
        (["infer", "--input_file=x.bin", "--input_stride=1,1"], "--input_stride is not supported"),
        (["perf", "--enable_warmup=maybe"], "is not true or false"),
    ],
)
def test_refused(
    model: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    try:
        status = main([*arguments, f"--model_file={model}"])
    except SystemExit as stop:
        status = int(stop.code or 0)
    assert status == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error


def test_a_raw_input_of_the_wrong_size_is_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.bin").write_bytes(b"12")
    assert main(["infer", f"--model_file={model}", f"--input_file={tmp_path / 'x.bin'}"]) == 1
    assert "holds 2 bytes; input 'x' of [1, 8, 8, 8] int8 takes 512" in capsys.readouterr().err
