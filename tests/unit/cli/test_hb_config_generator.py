"""hb_config_generator: templates that load, filled in from models, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

import hbir
from hbir.cli.hb_config_generator import main
from hbir.ptq.build import recompilation
from hbir.ptq.config import read_config
from hbir.ptq.inputs import ModelInput
from hbir.ptq.keys import KEYS
from hbir.ptq.model_inputs import model_inputs
from hbir.ptq.templates import image_layout
from tests.e2e import mnist
from tests.unit.ptq.small_network import write_network


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_full_template_has_every_living_key_and_loads(folder: Path) -> None:
    assert main(["-f", "-m", str(mnist.MODEL), "--march", "nash-p"]) == 0
    file = folder / "full_compile_config.yaml"
    sections = yaml.safe_load(file.read_text())
    for key in KEYS:
        assert (key.name in sections[key.section]) == (not key.deprecated), key.name
    (folder / "calibration_data").mkdir()
    config = read_config(file, model_inputs)
    assert config.model.machine == "nash-p"
    assert config.model.prefix == "model"
    (image,) = config.inputs
    assert (image.name, image.shape, image.runtime_type) == ("image", (1, 1, 28, 28), "featuremap")


def test_the_simple_template_has_what_most_users_set(folder: Path) -> None:
    assert main(["-s"]) == 0
    sections = yaml.safe_load((folder / "simple_compile_config.yaml").read_text())
    assert sections == {
        "model_parameters": {
            "onnx_model": "",
            "caffe_model": "",
            "prototxt": "",
            "march": "nash-e",
        },
        "input_parameters": {
            "input_type_rt": "",
            "input_type_train": "",
            "input_layout_train": "",
        },
        "compiler_parameters": {"optimize_level": "O2"},
    }


def test_the_simple_template_of_a_model_loads(folder: Path) -> None:
    """One with two inputs needs their names, one of open shapes their sizes."""
    write_network(folder / "net.onnx", {"a": (1, 3, 8, 8), "b": ("n", 3, 8, "w")})
    assert main(["-s", "-m", "net.onnx"]) == 0
    config = read_config(folder / "simple_compile_config.yaml", model_inputs)
    assert [(given.name, given.shape) for given in config.inputs] == [
        ("a", (1, 3, 8, 8)),
        ("b", (1, 3, 8, 1)),
    ]


def test_the_template_of_a_bc_compiles_it_again(folder: Path) -> None:
    module = hbir.onnx.export(str(mnist.MODEL))
    data = [{"image": np.ones((1, 1, 28, 28), np.float32)}]
    hbir.save(hbir.convert(hbir.calibrate(module, data), "nash-m"), "net.bc")
    assert main(["-s", "-m", "net.bc"]) == 0
    wanted = recompilation(Path("net.bc"), folder / "simple_compile_config.yaml", None)
    assert wanted.model.machine == "nash-m"


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1, 3, 224, 224), "NCHW"),
        ((None, 224, 224, 3), "NHWC"),
        ((1, 3, 223, 224), None),
        ((1, 3, None, 224), None),
        ((1, 1, 28, 28), None),
        ((1, 3), None),
    ],
)
def test_images_are_recognised(shape: tuple[int | None, ...], layout: str | None) -> None:
    assert image_layout(ModelInput("x", shape)) == layout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Please specify one mode to run"),
        (["-s", "-f"], "We only support specify one mode"),
        (["-s", "-m", "net.caffemodel"], "Unsupport model net.caffemodel"),
        (["-s", "-p", "net.prototxt"], "give it with -m/--model"),
        (["-s", "-m", "net.txt"], "Unsupport model net.txt"),
        (["-s", "-m", "none.onnx"], "none.onnx: no such file"),
        (["-s", "--march", "nash-x"], "invalid choice: 'nash-x'"),
    ],
)
def test_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 255
    assert message in capsys.readouterr().out
    assert message in (folder / "hb_config_generator.log").read_text()
    assert list(folder.glob("*.yaml")) == []
