"""hbir-compile: the bundled model from ONNX and from every level; errors in one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hbir import Hbm
from hbir.cli.compile import main

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "mnist"
MODEL = str(EXAMPLE / "model.onnx")


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Eight of the bundled calibration images."""
    with np.load(EXAMPLE / "calib.npz") as arrays:
        images = arrays["images"][:8]
    path = tmp_path_factory.mktemp("calibration") / "calib.npz"
    np.savez(path, images=images)
    return str(path)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory, calibration: str) -> Path:
    """What --save-temps leaves, and the compiled model."""
    folder = tmp_path_factory.mktemp("stages")
    arguments = [MODEL, "-o", str(folder / "model.hbm"), "--march", "nash-e"]
    arguments += ["--calib", calibration, "--save-temps", str(folder), "--perf", str(folder)]
    assert main(arguments) == 0
    return folder


def test_every_stage_is_kept(stages: Path) -> None:
    assert sorted(path.name for path in stages.iterdir()) == [
        "float.mlir",
        "mnist.html",
        "mnist.json",
        "mnist.trace.json",
        "model.hbm",
        "program.mlir",
        "qat.bc",
        "quantized.bc",
        "scheduled.mlir",
    ]


@pytest.mark.parametrize("stage", ["qat.bc", "quantized.bc"])
def test_a_kept_stage_compiles_to_the_same_bytes(stages: Path, stage: str, tmp_path: Path) -> None:
    output = tmp_path / "again.hbm"
    assert main([str(stages / stage), "-o", str(output), "--march", "nash-e"]) == 0
    assert output.read_bytes() == (stages / "model.hbm").read_bytes()


def test_compiling_imports_nothing_that_it_does_not_need(stages: Path, tmp_path: Path) -> None:
    """Imports are most of the time that a small network takes."""
    arguments = [str(stages / "quantized.bc"), "-o", str(tmp_path / "again.hbm"), "--march"]
    code = (
        "import sys; from hbir.cli.compile import main;"
        f"assert main({[*arguments, 'nash-e']!r}) == 0; print(*sys.modules, sep='\\n')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(run.stdout.splitlines())
    packages = {name.partition(".")[0] for name in imported}
    other_uses = {"bokeh", "jinja2", "matplotlib", "networkx", "onnx", "onnxruntime", "rich"}
    other_uses |= {"decimal", "logging", "torch", "yaml", "zipfile"}
    assert not packages & other_uses
    assert "numpy.ma" not in imported
    parts = {".".join(name.split(".")[:2]) for name in imported}
    assert not parts & {"hbir.frontends", "hbir.ptq", "hbir.quantization", "hbir.reports"}
    phases = {name.split(".")[2] for name in imported if name.startswith("hbir.passes.")}
    assert phases <= {"manager", "schedule", "scheduling", "verify"}
    # ops of the families that the network has, and no others
    assert "hbir.dialects.bpu.conv" in imported
    assert not imported & {"hbir.dialects.bpu.softmax", "hbir.dialects.hbir.conv"}


def test_the_kept_program_assembles_to_the_model(stages: Path, tmp_path: Path) -> None:
    from hbir.cli.disas import main as disas

    output = tmp_path / "again.hbm"
    assert disas(["--assemble", str(stages / "program.mlir"), "-o", str(output)]) == 0
    assert output.read_bytes() == (stages / "model.hbm").read_bytes()


def test_types_are_chosen_by_node(
    calibration: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [MODEL, "-o", str(tmp_path / "m.hbm"), "--march", "nash-e", "--calib", calibration]
    temps = tmp_path / "temps"
    choice = ["--dtype", "image=int16", "--target-cosine", "0.9", "--save-temps", str(temps)]
    assert main([*arguments, *choice]) == 0
    assert "si16" in (temps / "scheduled.mlir").read_text()
    assert "nothing needs int16 for 0.9" in capsys.readouterr().err


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2"])
def test_levels_of_optimization_give_the_same_bits(
    stages: Path, level: str, tmp_path: Path
) -> None:
    output = tmp_path / "model.hbm"
    arguments = [str(stages / "quantized.bc"), "-o", str(output), "--march", "nash-e", level]
    assert main(arguments) == 0
    with np.load(EXAMPLE / "test.npz") as arrays:
        image = arrays["images"][:1]
    expected = Hbm(stages / "model.hbm")[0](image)
    np.testing.assert_array_equal(Hbm(output)[0](image), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([MODEL, "-o", "m.hbm", "--march", "nash-e"], "is a float model without quantization"),
        ([MODEL, "-o", "m.hbm", "--march", "nash-z"], "march 'nash-z' is unknown"),
        ([MODEL, "-o", "m.bin", "--march", "nash-e"], "the output must end with .hbm"),
        (["x.onnx", "-o", "m.hbm", "--march", "nash-e"], "x.onnx"),
        (["x.pt", "-o", "m.hbm", "--march", "nash-e"], "expected a .mlir, .bc or .onnx file"),
        ([MODEL, "-o", "m.hbm", "--march", "nash-e", "--calib", "gone"], "--calib gone: no such"),
        ([MODEL, "-o", "m.hbm"], "the following arguments are required: --march"),
        ([MODEL, "-o", "no/m.hbm", "--march", "nash-e", "--calib", "{calib}"], "can't be written"),
        (
            [MODEL, "-o", "m.hbm", "--march", "nash-e", "--input-shape", "image=1xN"],
            "expected NAME=1x3x224x224",
        ),
        (["{quantized}", "-o", "m.hbm", "--march", "nash-m"], "was converted for nash-e"),
        (["{qat}", "-o", "m.hbm", "--march", "nash-e", "--calib", "{calib}"], "leave out --calib"),
        (
            [MODEL, "-o", "m.hbm", "--march", "nash-e", "--calib", "{calib}", "--dtype", "c=int4"],
            "there is no node or input 'c'",
        ),
        (
            [MODEL, "-o", "m.hbm", "--march", "nash-e", "--calib", "{calib}", "--dtype", "int4"],
            "'int4' is not int8, int16 or float16",
        ),
    ],
)
def test_errors_are_one_line_and_leave_no_file(
    arguments: list[str],
    message: str,
    stages: Path,
    calibration: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {
        "calib": calibration,
        "qat": str(stages / "qat.bc"),
        "quantized": str(stages / "quantized.bc"),
    }
    try:
        status = main([argument.format(**names) for argument in arguments])
    except SystemExit as exit_:
        status = exit_.code
    err = capsys.readouterr().err
    assert status == 1
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
