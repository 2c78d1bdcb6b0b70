"""The description of a compilation: what the YAML says, and back again."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbir.ptq.config import read_config
from hbir.ptq.description import as_text, description, input_specs, read_description
from hbir.ptq.inputs import ModelInput
from tests.unit.ptq.small_network import write_config, write_network

TWO = (ModelInput("a", (1, 3, 8, 8)), ModelInput("b", (1, 3, 8, 8)))
INPUTS = {
    "input_name": "a;b",
    "input_type_rt": "nv12;rgb",
    "input_type_train": "rgb;rgb",
    "input_layout_train": "NCHW;NHWC",
}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"NORM_TYPE": "no_preprocess;no_preprocess"}),
        (
            {"mean_value": "1 2 3;4", "scale_value": "0.01712475 0.017507 0.01742919;0.5"},
            {
                "NORM_TYPE": "data_mean_and_scale;data_mean_and_scale",
                "MEAN_VALUE": "1 2 3;4",
                "SCALE_VALUE": "0.01712475 0.017507 0.01742919;0.5",
            },
        ),
        ({"std_value": "2;4"}, {"NORM_TYPE": "data_std;data_std", "STD_VALUE": "2;4"}),
        (
            {"mean_value": ";7", "scale_value": "0.1;", "std_value": ";3"},
            {
                "NORM_TYPE": "data_scale;data_mean_and_std",
                "MEAN_VALUE": ";7",
                "SCALE_VALUE": "0.1;",
                "STD_VALUE": ";3",
            },
        ),
    ],
)
def test_numbers_stand_under_the_key_that_said_them(
    said: dict[str, str], expected: dict[str, str], tmp_path: Path
) -> None:
    """What isn't said is null, and the description gives the inputs again, to the bit."""
    write_network(tmp_path / "net.onnx", {"a": (1, 3, 8, 8), "b": (1, 3, 8, 8)})
    changes = {
        "input_parameters": {**INPUTS, **said},
        "calibration_parameters": {"cal_data_dir": None, "calibration_type": "skip"},
    }
    config = read_config(write_config(tmp_path, changes), lambda _: TWO)
    values = description(config)
    keys = ("NORM_TYPE", "MEAN_VALUE", "SCALE_VALUE", "STD_VALUE")
    assert {key: values[key] for key in keys} == dict.fromkeys(keys) | expected
    read = read_description(as_text(values))
    assert read is not None
    assert read == values
    assert input_specs(read) == config.inputs
