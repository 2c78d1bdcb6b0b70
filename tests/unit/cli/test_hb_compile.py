"""hb_compile: its modes and files, and every mistake that the vendor's manual names made through it."""

from __future__ import annotations

import errno
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from hbir.cli.hb_compile import main
from tests.unit.ptq.small_network import SHAPE, write_config, write_data, write_network


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a network and its data."""
    monkeypatch.chdir(tmp_path)
    write_network(tmp_path / "net.onnx")
    write_data(tmp_path / "data")
    return tmp_path


def _files(folder: Path) -> set[str]:
    """All files below a folder, the log left out."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {path.as_posix() for path in paths if path.name != "hb_compile.log"}


def _fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must fail with one error line; returns what it printed."""
    before = _files(Path())
    assert main(list(arguments)) == 255
    printed = capsys.readouterr().out
    assert len([line for line in printed.splitlines() if line.startswith("ERROR ")]) == 1
    assert "Traceback" not in printed
    assert _files(Path()) == before
    return printed


# ------------------------------------------------------------------------------ options

OPTION_MISTAKES: list[tuple[list[str], str]] = [
    (
        ["--fast-perf", "-c", "net.yaml", "-m", "net.onnx"],
        "The fast-perf mode is turned on, the incoming config file net.yaml cannot be used.",
    ),
    (["--fast-perf"], "The model file is missing, please specify the -m/--model parameter."),
    (
        [],
        "The model file or config file is missing, please specify either -m/--model or -c/--config"
        " parameter.",
    ),
    (
        ["-c", "net.yaml", "--core-num", "1"],
        "The --core-num option is only available with check/fast-perf mode.",
    ),
    (
        ["--fast-perf", "-m", "net.bc", "--march", "nash-e"],
        "The --fast-perf mode only supports the .onnx and .caffemodel model.",
    ),
    (["-c", "net.yaml", "-m", "net.onnx"], "Only the bc model supports being recompiled."),
    (
        ["-m", "net.bc"],
        "The config file or march value is missing, please specify either -c/--config or --march"
        " parameter.",
    ),
    (
        ["-m", "net.hbm", "--march", "nash-e"],
        "The model net.hbm is invalid. Only models with .bc suffixes are supported.",
    ),
    (["-m", "net.onnx"], "The march value is missing"),
    (["-m", "none.onnx", "--march", "nash-e"], "none.onnx: no such file"),
    (["-m", "net.caffemodel", "--proto", "net.prototxt", "--march", "nash-e"], "convert the model"),
    (["-m", "net.onnx", "--proto", "net.prototxt", "--march", "nash-e"], "net.prototxt: Caffe"),
    (["-m", "data", "--march", "nash-e"], "data: is no file"),
    (["-m", "net.onnx", "--march", "nash-x"], "invalid choice: 'nash-x'"),
    (["-m", "net.onnx", "--march", "nash-e", "-i", "z", "1x2"], "input_name z does not exist"),
    (["-m", "net.onnx", "--march", "nash-e", "-i", "x", "1xa"], "The input_shape parse failed."),
    (
        ["-m", "net.onnx", "--march", "nash-e", *(["-i", "x", "1x3x8x8"] * 2)],
        "--input-shape names an input twice",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), OPTION_MISTAKES)
def test_options_that_do_not_go_together(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    write_config(folder)
    for name in ("net.bc", "net.hbm", "net.caffemodel", "net.prototxt"):
        (folder / name).write_bytes(b"")
    assert message in _fails(capsys, *arguments)


# --------------------------------------------------------------------------------- YAML

MODEL, INPUT, CALIBRATION = "model_parameters", "input_parameters", "calibration_parameters"
COMPILER = "compiler_parameters"
IMAGE = {"input_type_rt": "nv12", "input_type_train": "rgb", "input_layout_train": "NCHW"}

YAML_MISTAKES: list[tuple[dict[str, dict[str, Any]], str]] = [
    (
        {MODEL: {"caffe_model": "a.caffemodel"}},
        "It is not supported to specify both onnx_model and caffe_model",
    ),
    ({MODEL: {"onnx_model": None}}, "The model file has not been correctly specified"),
    (
        {MODEL: {"march": "nash-x"}},
        "The specified march 'nash-x' is invalid, the march parameter only supports values in [",
    ),
    ({MODEL: {"output_model_file_prefix": ""}}, "The output_model_file_prefix cannot be empty"),
    ({MODEL: {"remove_node_type": "Conv"}}, "Unsupport removing Conv now"),
    (
        {MODEL: {"node_info": "Conv_x"}},
        "currently we only support the following format: Conv_0:int16;Conv_1:int16",
    ),
    (
        {INPUT: {"input_name": "x;x2"}},
        "Wrong num of input_name specified. Num of input_name specified: 2, while model file has 1"
        " inputs",
    ),
    (
        {INPUT: {"input_name": "z"}},
        "The specified input_name z does not exist in model file. The name list should be"
        " specified: ['x']",
    ),
    ({INPUT: {"input_shape": "1xax8x8"}}, "The input_shape parse failed."),
    ({INPUT: {"input_shape": "2x3x8x8"}}, "doesn't fit the model's"),
    (
        {INPUT: {**IMAGE, "input_layout_train": None}},
        "This model has non-featuremap inputs, please specify the input_layout_train",
    ),
    (
        {INPUT: {**IMAGE, "input_type_rt": "gray"}},
        "The input_type_train 'rgb' of the input 0 is not supported to be transformed to"
        " input_type_rt 'gray' now",
    ),
    (
        {INPUT: {**IMAGE, "scale_value": "1", "std_value": "1"}},
        "Only one of scale_value and std_value can be specified",
    ),
    (
        {CALIBRATION: {"calibration_type": "best"}},
        "The specified calibration_type 'best' is invalid, it can only be specified as values in [",
    ),
    ({CALIBRATION: {"cal_data_dir": "data;data"}}, "Wrong cal_data_dir num received."),
    ({CALIBRATION: {"cal_data_dir": "none"}}, "The specified cal_data_dir none does not exist"),
    (
        {CALIBRATION: {"max_percentile": 10**400}},
        "max_percentile: a whole number of 1329 bits; 63 are read",
    ),
    (
        {CALIBRATION: {"max_percentile": 1.5}},
        "The specified max_percentile 1.5 is invalid, avaliable range: 0~1",
    ),
    (
        {COMPILER: {"optimize_level": "O3"}},
        "The specified optimize_level 'O3' is invalid, it can only be specified as values in"
        " ['O0', 'O1', 'O2']",
    ),
    (
        {COMPILER: {"core_num": 2}},
        "Wrong core_num 2 specified, it can only be specified as values in range [1]",
    ),
    (
        {COMPILER: {"compile_mode": "balance"}},
        "Parameter compile_mode is set to balance, please set balance_factor to use this mode",
    ),
    (
        {COMPILER: {"max_time_per_fc": 5}},
        "The specified max_time_per_fc is invalid, it can only be specified as 0 or range"
        " 1000-10000000",
    ),
    (
        {COMPILER: {"cache_mode": "enable"}},
        "The cache_path must be specified when the cache_mode is not disable",
    ),
    (
        {COMPILER: {"max_l2m_size": 1024}},
        "The specified march nash-e does not support setting max_l2m_size",
    ),
    (
        {MODEL: {"layer_out_dump": "yes"}},
        "Wrong parameter 'layer_out_dump' specified, bool value is required but get type str",
    ),
    (
        {COMPILER: {"extra_params": {"turbo": True}}},
        "compiler_parameters: compile has no option 'turbo'",
    ),
    (
        {COMPILER: {"extra_params": {"input_no_padding": "yes"}}},
        "compiler_parameters: input_no_padding is 'yes', expected a bool",
    ),
    ({MODEL: {"onnx_model": "x" * 300}}, "File name too long"),
    ({MODEL: {"output_nodes": "Rely_x"}}, "output_nodes: the model has no node 'Rely_x'; did you"),
    (
        {MODEL: {"node_info": {"Conv_y": {"ON": "CPU"}}}},
        "node_info: the model has no node 'Conv_y'",
    ),
    ({CALIBRATION: {"run_on_cpu": "Sigmoi"}}, "did you mean 'Sigmoid'?"),
    (
        {CALIBRATION: {"run_on_cpu": "Sigmoid", "run_on_bpu": "Sigmoid"}},
        "node 'Sigmoid' is in run_on_cpu and in run_on_bpu",
    ),
]


@pytest.mark.parametrize(("changes", "message"), YAML_MISTAKES, ids=[t for _, t in YAML_MISTAKES])
def test_mistakes_in_the_yaml(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, dict[str, Any]],
    message: str,
) -> None:
    write_config(folder, changes)
    assert message in _fails(capsys, "-c", "net.yaml")


TWO_INPUTS: list[tuple[dict[str, tuple[Any, ...]], dict[str, dict[str, Any]], str]] = [
    (
        {"a": SHAPE, "b": SHAPE},
        {CALIBRATION: {"cal_data_dir": "data;data"}},
        "Model has more than one input! It is necessary to explicitly specify all the input_name",
    ),
    (
        {"a": SHAPE, "b": SHAPE},
        {INPUT: {"input_name": "a;a"}, CALIBRATION: {"cal_data_dir": "data;data"}},
        "Input names duplicated: 'a'",
    ),
    (
        {"x": (1, 3, "h", 8)},
        {},
        "The model is a dynamically input model. Please specify the 'input_shape' parameter",
    ),
    (
        {"x": (2, 3, 8, 8)},
        {INPUT: {"input_batch": 4}},
        "The first dimension of input_shape must be 1, got 2",
    ),
    (
        {"x": (1, 3, 8)},
        {INPUT: IMAGE},
        "The specified input_type_rt is nv12, but the input_shape is not four-dimensional, please"
        " set the input_type_rt and input_type_train to featuremap",
    ),
    (
        {"x": (1, 3, 7, 8)},
        {INPUT: IMAGE},
        "The input shape: [1, 3, 7, 8] is invalid, nv12 type does not support odd number input"
        " size",
    ),
]


@pytest.mark.parametrize(("inputs", "changes", "message"), TWO_INPUTS)
def test_mistakes_about_the_inputs(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    inputs: dict[str, tuple[Any, ...]],
    changes: dict[str, dict[str, Any]],
    message: str,
) -> None:
    write_network(folder / "net.onnx", inputs)
    write_config(folder, changes)
    assert message in _fails(capsys, "-c", "net.yaml")


# -------------------------------------------------------------------------------- stages

STAGE_MISTAKES: list[tuple[str, dict[str, Any], dict[str, dict[str, Any]]]] = [
    (
        "hbdk.insert_image_preprocess",
        {"elem_type": TensorProto.INT32},
        {INPUT: {**IMAGE, "input_type_rt": "rgb"}, CALIBRATION: {"calibration_type": "skip"}},
    ),
    (
        "hbdk.insert_image_convert",
        {"inputs": {"x": SHAPE, "x_y": SHAPE}},
        {
            INPUT: {
                "input_name": "x;x_y",
                "input_type_rt": "nv12;featuremap",
                "input_type_train": "rgb;featuremap",
                "input_layout_train": "NCHW;NCHW",
            },
            CALIBRATION: {"cal_data_dir": "data;data"},
        },
    ),
    (
        "hbdk.insert_split",
        {"inputs": {"x": SHAPE, "x_0": SHAPE}},
        {
            INPUT: {"input_name": "x;x_0", "separate_name": "x"},
            CALIBRATION: {"cal_data_dir": "data;data"},
        },
    ),
    (
        "hbdk.insert_roi_resize",
        {"inputs": {"x": SHAPE, "x_roi": SHAPE}},
        {
            INPUT: {
                "input_name": "x;x_roi",
                "input_type_rt": "nv12;featuremap",
                "input_type_train": "rgb;featuremap",
                "input_layout_train": "NCHW;NCHW",
            },
            CALIBRATION: {"cal_data_dir": "data;data"},
            COMPILER: {"input_source": {"x": "resizer"}},
        },
    ),
    ("hbdk.overlay.remove_io_op", {}, {MODEL: {"remove_node_name": "nothing"}}),
]


@pytest.mark.parametrize(
    ("stage", "network", "changes"), STAGE_MISTAKES, ids=[s for s, _, _ in STAGE_MISTAKES]
)
def test_errors_say_during_which_stage_they_came_up(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    stage: str,
    network: dict[str, Any],
    changes: dict[str, dict[str, Any]],
) -> None:
    write_network(folder / "net.onnx", **network)
    if "inputs" in network:
        changes = {
            **changes,
            INPUT: {
                "input_type_rt": "featuremap;featuremap",
                "input_type_train": "featuremap;featuremap",
                **changes[INPUT],
            },
        }
    write_config(folder, changes)
    assert main(["-c", "net.yaml"]) == 255
    printed = capsys.readouterr().out
    assert f"ERROR *** ERROR-OCCUR-DURING {stage} ***" in printed
    assert not any(path.suffix == ".hbm" for path in folder.rglob("*"))
    assert not any(path.name.startswith(".net") for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("net_advice.json", "hbdk.convert"),
        ("net_quantized_model.bc", "hbdk.save"),
        ("net_node_info.csv", "hbdk.statistics"),
        ("net.hbm", "hbdk.compile"),
    ],
)
def test_a_file_that_can_not_be_written_is_an_error_of_its_stage(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, stage: str
) -> None:
    (folder / "out" / name).mkdir(parents=True)
    write_config(folder)
    assert main(["-c", "net.yaml"]) == 255
    assert f"*** ERROR-OCCUR-DURING {stage} ***" in capsys.readouterr().out


def test_a_model_that_can_not_be_imported_is_an_error_of_export(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_network(folder / "net.onnx", last="Mystery")
    write_config(folder)
    assert main(["-c", "net.yaml"]) == 255
    printed = capsys.readouterr().out
    assert "*** ERROR-OCCUR-DURING hbdk.export ***" in printed
    assert "Mystery" in printed


# --------------------------------------------------------------------------------- modes

LANDMARKS = (
    "Start hb_compile...",
    "hbdk version: ",
    "hmct version: ",
    "hb_compile version: ",
    "Start verifying yaml",
    "End verifying yaml",
    "Using the onnx model file: net.onnx",
    "Model input names: ['x']",
    "Model has 1 inputs according to model file",
    "node_dict: {}",
    "The specified model compilation architecture: nash-e.",
    "Input ONNX Model Information:",
    "IR Version: 8",
    "Opset Version: ['ai.onnx v13']",
    "Model Producer: unknown",
    "x : shape=[1, 3, 8, 8], dtype=FLOAT32",
    "After constant folding, the number of nodes has changed from 5 to 4.",
    "The num of calibration data: 3",
    "Start to export model.",
    "Successfully export model.",
    "Start to convert model.",
    "Successfully convert model.",
    "Start to compile model.",
    "Successfully compile the hbm model, generated hbm model is saved at out/net.hbm",
    "HBDK hbm perf SUCCESS",
    "Successfully perf the model",
    "The hb_compile completes running.",
)


def test_config_mode_logs_the_landmarks_in_order_and_keeps_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(folder)
    assert main(["-c", "net.yaml"]) == 0
    printed = capsys.readouterr().out
    places = [printed.index(landmark) for landmark in LANDMARKS]
    assert places == sorted(places)
    log = (folder / "out" / "hb_compile.log").read_text()
    assert log == (folder / "hb_compile.log").read_text()
    assert log.rstrip().endswith("The hb_compile completes running.")


@pytest.mark.parametrize(
    ("skip", "there", "missing"),
    [
        ("export", set[str](), {"net_quantized_model.bc"}),
        ("convert", set[str](), {"net_quantized_model.bc"}),
        (
            "compile",
            {"net_quantized_model.bc", "net_node_info.csv", "net_advice.json"},
            {"net.hbm"},
        ),
    ],
)
def test_skip_stops_before_a_step(
    folder: Path, skip: str, there: set[str], missing: set[str]
) -> None:
    write_config(folder)
    assert main(["-c", "net.yaml", "--skip", skip]) == 0
    found = _files(folder / "out")
    assert there <= found
    assert not missing & found


def test_check_mode_says_where_nodes_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-m", "net.onnx", "--march", "nash-e"]) == 0
    printed = capsys.readouterr().out
    assert "Conv_x" in printed
    assert "0 of them on the CPU" in printed
    assert "net.hbm" in _files(folder / ".hb_compile")


def test_fast_perf_keeps_its_yaml_and_takes_images_as_nv12(folder: Path) -> None:
    from hbir import Hbm
    from hbir.ptq.config import read_config
    from hbir.ptq.model_inputs import model_inputs

    assert main(["--fast-perf", "-m", "net.onnx", "--march", "nash-e"]) == 0
    first = Hbm("model_output/net.hbm").graphs[0]
    assert [port.name for port in first.flatten_inputs] == ["x_y", "x_uv"]
    config = read_config(".fast_perf/net_config.yaml", model_inputs)
    assert config.compiler.opt == 2
    assert config.inputs[0].runtime_type == "nv12"
    assert main(["--fast-perf", "-m", "net.onnx", "--march", "nash-e"]) == 0
    assert len(list(folder.glob("model_output*/net.hbm"))) == 2


def test_fast_perf_feeds_integers_as_they_are(folder: Path) -> None:
    from hbir import Hbm

    write_network(folder / "net.onnx", elem_type=TensorProto.UINT8)
    assert main(["--fast-perf", "-m", "net.onnx", "--march", "nash-e"]) == 0
    (port,) = Hbm("model_output/net.hbm").graphs[0].flatten_inputs
    assert (port.name, port.type.np_dtype) == ("x", np.uint8)


def test_an_open_input_takes_its_shape_from_the_command_line(folder: Path) -> None:
    from hbir import Hbm

    write_network(folder / "net.onnx", {"x": ("n", 3, "h", 8)})
    assert main(["-m", "net.onnx", "--march", "nash-e", "-i", "x", "1x3x12x8"]) == 0
    (port,) = Hbm(".hb_compile/net.hbm").graphs[0].flatten_inputs
    assert port.type.shape == (1, 3, 12, 8)


def test_a_bc_compiles_again_into_the_same_bytes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(folder, {MODEL: {"remove_node_type": "Dequantize"}})
    assert main(["-c", "net.yaml"]) == 0
    compiled = (folder / "out" / "net.hbm").read_bytes()
    assert main(["-m", "out/net_quantized_model.bc", "--march", "nash-e"]) == 0
    assert (folder / "model_output" / "net.hbm").read_bytes() == compiled
    (folder / "out" / "net.hbm").unlink()
    capsys.readouterr()
    arguments = ["-c", "net.yaml", "-m", "out/net_quantized_removed_model.bc", "--skip", "export"]
    assert main([*arguments, "--march", "nash-p", "--workers", "2"]) == 0
    printed = capsys.readouterr().out
    for option in ("--skip", "--march", "--workers"):
        assert f"WARNING {option} has no effect in bc mode" in printed
    assert (folder / "out" / "net.hbm").read_bytes() == compiled


def test_a_calibrated_bc_is_converted_first_and_a_float_one_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import hbir

    monkeypatch.setenv("HORIZON_TC_UI_DEBUG", "1")
    write_config(folder)
    assert main(["-c", "net.yaml"]) == 0
    assert main(["-m", "out/net_inserted_model.bc", "--march", "nash-e"]) == 0
    sample = {"x": np.load(folder / "data" / "0.npy")}
    (wanted,) = hbir.Hbm("out/net.hbm").graphs[0].feed(sample).values()
    (found,) = hbir.Hbm("model_output/net_inserted_model.hbm").graphs[0].feed(sample).values()
    np.testing.assert_array_equal(wanted, found)
    assert (folder / "model_output" / "net_inserted_model_quantized_model.bc").is_file()
    hbir.save(hbir.onnx.export("net.onnx"), "float.bc")
    capsys.readouterr()
    printed = _fails(capsys, "-m", "float.bc", "--march", "nash-e")
    assert "float.bc: a float module; calibrate it first" in printed


def test_a_bc_of_another_march_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(folder)
    assert main(["-c", "net.yaml", "--skip", "compile"]) == 0
    capsys.readouterr()
    printed = _fails(capsys, "-m", "out/net_quantized_model.bc", "--march", "nash-p")
    assert "was converted for nash-e, so it can't be compiled for nash-p" in printed


def test_the_same_configuration_gives_the_same_files(folder: Path) -> None:
    write_config(folder)
    assert main(["-c", "net.yaml"]) == 0
    first = _contents(folder / "out")
    assert main(["-c", "net.yaml"]) == 0
    assert first == _contents(folder / "out")
    assert [name for name, data in first.items() if str(folder).encode() in data] == []


def _contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in _files(folder)}


@pytest.mark.parametrize("last", ["net_quant_info.json", "net_quantized_model.bc", "net.hbm"])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_run_that_ends_early_leaves_whole_files_and_no_others(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    last: str,
    failure: BaseException,
) -> None:
    """Whether the disk is full, or the user has had enough."""
    write_config(folder, {"compiler_parameters": {"optimize_level": "O0"}})
    assert main(["-c", "net.yaml"]) == 0
    before = _contents(folder / "out")
    replace = os.replace

    def limited(source: str, target: Path) -> None:
        if Path(target).name == last:
            raise failure
        replace(source, target)

    monkeypatch.setattr("os.replace", limited)
    capsys.readouterr()
    assert main(["-c", "net.yaml"]) == 255
    printed = capsys.readouterr().out
    reason = "interrupted" if isinstance(failure, KeyboardInterrupt) else f"out/{last}: can't be"
    assert len([line for line in printed.splitlines() if line.startswith("ERROR ")]) == 1
    assert reason in printed
    assert _contents(folder / "out") == before


def test_aliases_that_make_a_document_endless_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_config(folder).read_text()
    lines = ["  extra_params:", "    a: &a [x, x, x, x, x, x, x, x]"]
    for before, name in pairwise("abcdefghijkl"):
        lines.append(f"    {name}: &{name} [{', '.join([f'*{before}'] * 8)}]")
    where = "compiler_parameters:\n"
    for added in ("\n".join(lines), "  extra_params: &m {a: *m}"):
        (folder / "net.yaml").write_text(text.replace(where, f"{where}{added}\n"))
        printed = _fails(capsys, "-c", "net.yaml")
        assert "net.yaml: not a configuration: more than 100000 values or 32 levels" in printed


def test_a_failure_leaves_earlier_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(folder)
    assert main(["-c", "net.yaml"]) == 0
    before = (folder / "out" / "net.hbm").read_bytes()
    np.save(folder / "data" / "3.npy", np.zeros((1, 3, 8, 9), np.float32))
    assert main(["-c", "net.yaml"]) == 255
    assert "3.npy: input 'x' takes arrays of shape [1, 3, 8, 8]" in capsys.readouterr().out
    assert (folder / "out" / "net.hbm").read_bytes() == before
