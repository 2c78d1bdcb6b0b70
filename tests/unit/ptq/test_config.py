"""The YAML file: what it comes to, and what each mistake is answered with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml

from hbir.errors import HbirError
from hbir.ptq.config import Config, read_config
from hbir.ptq.description import description
from hbir.ptq.inputs import ModelInput, model_inputs_of
from hbir.ptq.keys import KEYS, SECTIONS
from hbir.ptq.yaml_file import ConfigError, read_sections

IMAGE = (ModelInput("image", (1, 3, 224, 224)),)
TWO = (ModelInput("image", (1, 3, 224, 224)), ModelInput("points", (1, 100, 4)))

Changes = dict[str, Any]
BASE: dict[str, Changes] = {
    "model_parameters": {"onnx_model": "net.onnx", "march": "nash-e"},
    "input_parameters": {
        "input_type_rt": "nv12",
        "input_type_train": "rgb",
        "input_layout_train": "NCHW",
    },
    "calibration_parameters": {"cal_data_dir": "data"},
    "compiler_parameters": {},
}


def _write(folder: Path, **changes: Changes) -> Path:
    """The base configuration with changed keys per section, and the files that it names."""
    (folder / "net.onnx").write_bytes(b"")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "ops.py").write_text("")
    document = {
        section: {**BASE.get(section, {}), **changes.get(section, {})}
        for section in SECTIONS
        if section in BASE or section in changes
    }
    file = folder / "net.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def _read(folder: Path, given: tuple[ModelInput, ...] = IMAGE, **changes: Changes) -> Config:
    return read_config(_write(folder, **changes), lambda _: given)


def test_defaults_are_those_of_the_vendors_manual(tmp_path: Path) -> None:
    config = _read(tmp_path)
    assert config.model.prefix == "model"
    assert config.model.working_dir == tmp_path / "model_output"
    assert (config.model.enable_vpu, config.model.enable_spu) == (True, True)
    assert config.calibration.type == "default"
    assert config.calibration.folders == {"image": tmp_path / "data"}
    compiler = config.compiler
    assert (compiler.balance, compiler.opt, compiler.core_num, compiler.jobs) == (100, 2, 1, 16)
    assert (compiler.max_time_per_fc, compiler.cache_mode, compiler.debug) == (0, "disable", True)
    assert compiler.input_source == {"image": "pyramid"}
    (image,) = config.inputs
    assert (image.runtime_type, image.train_type, image.layout) == ("nv12", "rgb", "NCHW")
    assert image.size == (224, 224)
    assert config.warnings == ()


def test_lists_are_joined_by_semicolons_and_may_end_with_one(tmp_path: Path) -> None:
    config = _read(
        tmp_path,
        TWO,
        input_parameters={
            "input_name": "points;image;",
            "input_type_rt": "featuremap;nv12;",
            "input_type_train": "featuremap;bgr",
            "input_layout_train": "NCHW;NHWC"[:4] + ";NCHW",
            "mean_value": "None;123.675 116.28, 103.53",
            "scale_value": "None;0.5",
        },
        calibration_parameters={"cal_data_dir": "data;data;"},
        model_parameters={"remove_node_type": "Quantize;Dequantize;", "output_nodes": "a; b"},
    )
    image, points = config.inputs
    assert (image.name, points.name) == ("image", "points")
    assert image.mean == (123.675, 116.28, 103.53)
    assert image.std == (2.0,)
    assert points.mean == points.std == ()
    assert config.model.remove_node_types == ("Quantize", "Dequantize")
    assert config.model.output_nodes == ("a", "b")


def test_values_belong_to_the_input_that_is_named_at_their_place(tmp_path: Path) -> None:
    """Whatever the order of the model's inputs is."""
    (tmp_path / "clouds").mkdir()
    config = _read(
        tmp_path,
        TWO,
        input_parameters={
            "input_name": "points;image",
            "input_type_rt": "featuremap;nv12",
            "input_type_train": "featuremap;bgr",
            "input_layout_train": "NCHW;NCHW",
        },
        calibration_parameters={"cal_data_dir": "clouds;data"},
    )
    assert [spec.runtime_type for spec in config.inputs] == ["nv12", "featuremap"]
    folders = {"image": tmp_path / "data", "points": tmp_path / "clouds"}
    assert config.calibration.folders == folders
    assert description(config)["CAL_DATA_DIR"] == "data;clouds"


def test_numbers_and_lists_that_yaml_reads_are_taken(tmp_path: Path) -> None:
    config = _read(tmp_path, input_parameters={"mean_value": 128.0, "std_value": [1, 2, 4]})
    assert config.inputs[0].mean == (128.0,)
    assert config.inputs[0].std == (1.0, 2.0, 4.0)
    named = _read(tmp_path, model_parameters={"remove_node_type": ["Quantize", "Dequantize"]})
    assert named.model.remove_node_types == ("Quantize", "Dequantize")


def test_the_last_of_a_list_may_be_nothing(tmp_path: Path) -> None:
    config = _read(
        tmp_path,
        TWO,
        input_parameters={
            "input_name": "image;points",
            "input_type_rt": "nv12;featuremap",
            "input_type_train": "rgb;featuremap",
            "input_layout_train": "NCHW;",
            "input_space_and_range": "bt601_video;",
            "mean_value": "1 2 3;",
        },
        calibration_parameters={"cal_data_dir": "data;data"},
    )
    image, points = config.inputs
    assert (image.mean, image.video_range) == ((1.0, 2.0, 3.0), True)
    assert (points.mean, points.video_range) == ((), False)


def test_node_info_both_ways(tmp_path: Path) -> None:
    short = _read(tmp_path, model_parameters={"node_info": "Conv_0:int16;a:b:int8;"})
    assert short.model.node_info == {
        "Conv_0": {"InputType": "int16", "OutputType": "int16"},
        "a:b": {"InputType": "int8", "OutputType": "int8"},
    }
    settings = {"Softmax_1": {"ON": "BPU", "InputType0": "int16", "OutputType": "int16"}}
    assert _read(tmp_path, model_parameters={"node_info": settings}).model.node_info == settings


def test_quant_config_inline_or_from_a_file(tmp_path: Path) -> None:
    settings = {"model_config": {"all_node_type": "int16"}}
    inline = _read(tmp_path, calibration_parameters={"quant_config": settings})
    (tmp_path / "q.json").write_text('{"model_config": {"all_node_type": "int16"}}')
    filed = _read(tmp_path, calibration_parameters={"quant_config": "q.json"})
    assert inline.calibration.quant_config == filed.calibration.quant_config == settings


@pytest.mark.parametrize(
    ("changes", "balance"),
    [
        ({}, 100),
        ({"compile_mode": "bandwidth"}, 0),
        ({"compile_mode": "balance", "balance_factor": 40}, 40),
        ({"compile_mode": "latency", "balance_factor": 40}, 100),
    ],
)
def test_balance(tmp_path: Path, changes: Changes, balance: int) -> None:
    config = _read(tmp_path, compiler_parameters=changes)
    assert config.compiler.balance == balance
    ignored = "balance_factor" in changes and changes["compile_mode"] != "balance"
    assert bool(config.warnings) == ignored


def test_without_data_calibration_is_skipped_with_an_info(tmp_path: Path) -> None:
    config = _read(tmp_path, calibration_parameters={"cal_data_dir": None})
    assert config.calibration.type == "skip"
    assert config.calibration.skipped_for_want_of_data
    assert "the calibration method is modified to skip" in config.warnings[0]


def test_a_key_misspelt_in_the_open_section_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without its data a model would be calibrated on made-up ones."""
    _read(tmp_path, calibration_parameters={"cal_data_dirs": "data", "cal_data_dir": None})
    text = "calibration_parameters.cal_data_dirs is unknown; ignored; did you mean 'cal_data_dir'?"
    assert text in caplog.text


def test_a_default_input_source_holds_for_the_types_that_can_have_it(tmp_path: Path) -> None:
    for train, wanted in (("gray", "ddr"), ("rgb", "pyramid")):
        config = _read(
            tmp_path,
            input_parameters={
                "input_type_train": train,
                "input_type_rt": "nv12" if train == "rgb" else train,
            },
            compiler_parameters={"input_source": {"_default_value": "ddr"}},
        )
        assert config.compiler.input_source == {"image": wanted}


def test_a_cache_path_alone_turns_the_cache_on(tmp_path: Path) -> None:
    config = _read(tmp_path, compiler_parameters={"cache_path": "data"})
    assert config.compiler.cache_mode == "enable"


def test_none_of_max_l2m_size_is_all_that_there_is(tmp_path: Path) -> None:
    for march in ("nash-p", "nash-e"):
        changes = {"march": march}
        said = _read(tmp_path, model_parameters=changes, compiler_parameters={"max_l2m_size": None})
        assert said.compiler.max_l2m_size is None
        assert _read(tmp_path, model_parameters=changes).compiler.max_l2m_size == 0


@pytest.mark.parametrize(("march", "cores"), [("bernoulli2", 2), ("bayes", 2), ("nash-h", 3)])
def test_core_num_is_up_to_what_the_march_has(tmp_path: Path, march: str, cores: int) -> None:
    for core_num in range(1, cores + 1):
        config = _read(
            tmp_path,
            model_parameters={"march": march},
            compiler_parameters={"core_num": core_num},
        )
        assert config.compiler.core_num == core_num
    with pytest.raises(ConfigError, match=rf"Wrong core_num {cores + 1} specified"):
        _read(
            tmp_path,
            model_parameters={"march": march},
            compiler_parameters={"core_num": cores + 1},
        )


@pytest.mark.parametrize(
    ("norm_type", "message"),
    [
        ("data_mean", "scale_value is given and counts"),
        ("data_mean_and_scale", ""),
        ("data_mean_and_std", ""),
        ("no_preprocess", "mean_value is given and counts"),
        ("", ""),
        ("data_mean;data_mean", ""),
    ],
)
def test_a_norm_type_that_says_otherwise_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, norm_type: str, message: str
) -> None:
    numbers = {"mean_value": "1", "scale_value": "2", "norm_type": norm_type}
    _read(tmp_path, input_parameters=numbers)
    assert message in caplog.text
    assert ("counts" in caplog.text) == bool(message)


def test_dynamic_inputs_take_their_shape(tmp_path: Path) -> None:
    dynamic = model_inputs_of([("image", ("N", 3, 0, None))])
    config = _read(tmp_path, dynamic, input_parameters={"input_shape": "1x3x64x32"})
    assert config.inputs[0].shape == (1, 3, 64, 32)


LEGACY = """
model_parameters:
  onnx_model: 'net.onnx'
  march: "bernoulli2"
  layer_out_dump: False
  working_dir: 'model_output'
  output_model_file_prefix: 'older'
input_parameters:
  input_name: ""
  input_type_rt: 'nv12'
  input_layout_rt: ''
  input_type_train: 'bgr'
  input_layout_train: 'NCHW'
  input_shape: ''
  #input_batch: 1
  norm_type: 'data_mean_and_scale'
  mean_value: 111.0 109.0 118.0
  scale_value: 0.0078125 0.001215 0.003680
calibration_parameters:
  cal_data_dir: './data'
  cal_data_type: 'float32'
  preprocess_on: False
  calibration_type: 'default'
  # max_percentile: 0.99996
compiler_parameters:
  compile_mode: 'latency'
  debug: False
  # core_num: 2
  optimize_level: 'O3'
"""


def test_files_of_the_older_generation_load_with_warnings(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _write(tmp_path)
    (tmp_path / "old.yaml").write_text(LEGACY)
    with caplog.at_level(logging.WARNING, "hbir.ptq"):
        config = read_config(tmp_path / "old.yaml", lambda _: IMAGE)
    assert config.model.machine == "bernoulli2"
    assert config.compiler.opt == 2
    assert any("O3" in note for note in config.warnings)
    for key in ("norm_type", "cal_data_type"):
        assert any(key in record.getMessage() for record in caplog.records)
    assert config.inputs[0].std[0] == pytest.approx(128.0)


MISTAKES: list[tuple[dict[str, Changes], str]] = [
    (
        {"model_parameters": {"caffe_model": "a.caffemodel"}},
        "It is not supported to specify both onnx_model and caffe_model",
    ),
    (
        {"model_parameters": {"onnx_model": None, "caffe_model": "a", "prototxt": "b"}},
        "convert the model to ONNX",
    ),
    ({"model_parameters": {"onnx_model": None}}, "The model file has not been correctly specified"),
    ({"model_parameters": {"onnx_model": "no.onnx"}}, "no.onnx does not exist"),
    (
        {"model_parameters": {"march": "nash-x"}},
        "The specified march 'nash-x' is invalid, the march parameter only supports values in [",
    ),
    ({"model_parameters": {"march": None}}, "Missing key 'march' in model_parameters"),
    (
        {"model_parameters": {"output_model_file_prefix": "a/b"}},
        "expected a name without folders",
    ),
    ({"model_parameters": {"remove_node_type": "Conv"}}, "Unsupport removing Conv now"),
    (
        {"model_parameters": {"node_info": "Conv_0"}},
        "currently we only support the following format: Conv_0:int16;Conv_1:int16",
    ),
    ({"model_parameters": {"node_info": {"Conv_0": {"ON": "GPU"}}}}, "expected BPU or CPU"),
    ({"model_parameters": {"node_info": {"Conv_0": {"Type": "x"}}}}, "unknown 'Type'"),
    (
        {"model_parameters": {"layer_out_dump": "yes"}},
        "Wrong parameter 'layer_out_dump' specified, bool value is required but get type str",
    ),
    ({"model_parameters": {"marche": "nash-e"}}, "did you mean 'march'?"),
    (
        {"input_parameters": {"input_name": "a;b"}},
        "Wrong num of input_name specified. Num of input_name specified: 2, while model file has 1"
        " inputs",
    ),
    (
        {"input_parameters": {"input_name": "a"}},
        "The specified input_name a does not exist in model file. The name list should be"
        " specified: ['image']",
    ),
    ({"input_parameters": {"input_shape": "1x3xabc"}}, "The input_shape parse failed."),
    ({"input_parameters": {"input_shape": "1x3x8x8"}}, "which doesn't fit the model's"),
    (
        {"input_parameters": {"input_layout_train": None}},
        "This model has non-featuremap inputs, please specify the input_layout_train",
    ),
    (
        {"input_parameters": {"input_type_rt": "gray"}},
        "The input_type_train 'rgb' of the input 0 is not supported to be transformed to"
        " input_type_rt 'gray' now",
    ),
    ({"input_parameters": {"input_type_rt": "cmyk"}}, "The specified input_type_rt 'cmyk'"),
    (
        {"input_parameters": {"scale_value": "1", "std_value": "1"}},
        "Only one of scale_value and std_value can be specified",
    ),
    ({"input_parameters": {"mean_value": "1 2"}}, "has 2 numbers, expected 1 or 3"),
    ({"input_parameters": {"mean_value": "1 two 3"}}, "expected numbers"),
    ({"input_parameters": {"mean_value": "1 nan 3"}}, "expected numbers"),
    ({"input_parameters": {"std_value": "1e999"}}, "expected numbers"),
    ({"input_parameters": {"scale_value": "0"}}, "holds 0"),
    (
        {
            "input_parameters": {
                "input_type_rt": "yuv_bt601_full",
                "input_space_and_range": "bt601_video",
            }
        },
        "input_space_and_range is bt601_video, but input_type_rt yuv_bt601_full; keep one",
    ),
    (
        {"input_parameters": {"separate_batch": True, "separate_name": "image"}},
        "Only one of separate_batch and separate_name",
    ),
    (
        {"calibration_parameters": {"calibration_type": "best"}},
        "The specified calibration_type 'best' is invalid, it can only be specified as values in [",
    ),
    (
        {"calibration_parameters": {"cal_data_dir": "data;data"}},
        "Wrong cal_data_dir num received.",
    ),
    ({"calibration_parameters": {"cal_data_dir": "none"}}, "none does not exist"),
    (
        {"calibration_parameters": {"max_percentile": 1.5}},
        "The specified max_percentile 1.5 is invalid, avaliable range: 0~1",
    ),
    ({"calibration_parameters": {"optimization": "magic"}}, "The specified optimization 'magic'"),
    ({"calibration_parameters": {"quant_config": "q.json"}}, "q.json: no such file"),
    (
        {"compiler_parameters": {"optimize_level": "O3"}},
        "The specified optimize_level 'O3' is invalid, it can only be specified as values in"
        " ['O0', 'O1', 'O2']",
    ),
    (
        {"compiler_parameters": {"core_num": 2}},
        "Wrong core_num 2 specified, it can only be specified as values in range [1]",
    ),
    (
        {"compiler_parameters": {"compile_mode": "balance"}},
        "Parameter compile_mode is set to balance, please set balance_factor to use this mode",
    ),
    (
        {"compiler_parameters": {"max_time_per_fc": 5}},
        "The specified max_time_per_fc is invalid, it can only be specified as 0 or range"
        " 1000-10000000",
    ),
    (
        {"compiler_parameters": {"cache_mode": "enable"}},
        "The cache_path must be specified when the cache_mode is not disable",
    ),
    (
        {"compiler_parameters": {"max_l2m_size": 1024}},
        "The specified march nash-e does not support setting max_l2m_size",
    ),
    ({"compiler_parameters": {"input_source": {"image": "ddr"}}}, "takes pyramid, resizer"),
    ({"compiler_parameters": {"jobs": "many"}}, "int value is required but get type str"),
    ({"compiler_parameters": {"advice": -1}}, "advice is -1.0, expected 0 or more"),
    ({"custom_op": {"op_register_files": "none.py"}}, "none.py does not exist"),
    ({"custom_op": {"custom_op_method": "register"}}, "custom_op names no op_register_files"),
    ({"model_parameters": {"output_nodes": [["a"]]}}, "str value is required but get type list"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES, ids=[text for _, text in MISTAKES])
def test_mistakes(tmp_path: Path, changes: dict[str, Changes], message: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011  (its kind and text are checked below)
        read_config(_write(tmp_path, **changes), lambda _: IMAGE)
    assert isinstance(raised.value, HbirError)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("inputs", "changes", "message"),
    [
        (
            TWO,
            {},
            "Model has more than one input! It is necessary to explicitly specify all the"
            " input_name",
        ),
        (TWO, {"input_name": "image;image"}, "Input names duplicated: 'image'"),
        (
            (ModelInput("image", (1, 3, 224, 223)),),
            {},
            "The input shape: [1, 3, 224, 223] is invalid, nv12 type does not support odd number"
            " input size",
        ),
        (
            (ModelInput("image", (1, 100)),),
            {},
            "The specified input_type_rt is nv12, but the input_shape is not four-dimensional,"
            " please set the input_type_rt and input_type_train to featuremap",
        ),
        (
            (ModelInput("image", (None, 3, 224, 224)),),
            {},
            "The model is a dynamically input model. Please specify the 'input_shape' parameter",
        ),
        (
            (ModelInput("image", (2, 3, 224, 224)),),
            {"input_batch": 4},
            "The first dimension of input_shape must be 1, got 2",
        ),
    ],
)
def test_mistakes_about_the_model(
    tmp_path: Path, inputs: tuple[ModelInput, ...], changes: Changes, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        _read(tmp_path, inputs, input_parameters=changes)
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "net.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "not YAML"),
        ("- 1", "expected the sections"),
        ("", "expected the sections"),
        ("model_parameters: {march: nash-e, march: nash-m}", "'march' is given twice"),
        ("models: {}", "unknown section: 'models'"),
        ("model_parameters: 5", "expected keys, got int"),
        ("[" * 100_000, "nested too deeply"),
        ("a: !!python/object/apply:os.system ['true']", "not YAML"),
        ("\0", "not YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_sections(file)


def test_every_key_says_what_it_is_or_what_to_do_instead() -> None:
    assert len({(key.section, key.name) for key in KEYS}) == len(KEYS)
    for key in KEYS:
        assert key.meaning.endswith(".") != bool(key.deprecated), key.name
