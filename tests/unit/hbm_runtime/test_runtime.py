"""The board's runtime on a laptop: what it says of models, forms of calls, mistakes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hbir
from hbir.backend.isa.builder import ProgramBuilder
from hbir.backend.isa.descriptor import dense
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.isa.program import Program, Tensor
from hbir.errors import HbirError
from hbir.hbm.writer import write_program
from hbir.hbm_runtime import HB_HBMRuntime, SchedParam, hbDNNDataType, hbDNNQuantiType
from hbir.ptq import compile_yaml
from tests.unit.ptq.small_network import write_config, write_data, write_network
from tests.unit.runtime.programs import tiled_convolution

Array = np.ndarray[Any, Any]
SHAPE = (1, 8, 8, 8)


def pack() -> Program:
    """Two models: `first` hands `a` through, `larger` gives the larger of `a` and `b`."""
    builder = ProgramBuilder("nash-p", l1_bytes=1 << 16, information={"desc": "a pack"})
    for name, inputs in (("first", ["a"]), ("larger", ["a", "b"])):
        graph = builder.graph(name, f"about {name}")
        for port in inputs:
            tensor = Tensor.dense(port, DType.SI8, SHAPE, f"the {port}")
            graph.input(replace(tensor, scales=(0.5,), zero_points=(3,)) if port == "b" else tensor)
        graph.output(Tensor.dense("y", DType.SI8, SHAPE))
        call = graph.function_call()
        places = [dense(Space.L1, 1024 * i, DType.SI8, SHAPE) for i in range(3)]
        loaded = 0
        for i in range(len(inputs)):
            source = dense(Space.INPUT, 0, DType.SI8, SHAPE, i)
            loaded = call.append(0, Engine.LOAD, "load", (places[i], source))
        operands = (places[2], places[0], places[len(inputs) - 1])
        done = call.append(0, Engine.VAE, "max", operands, {}, {(0, Engine.LOAD): loaded})
        out = dense(Space.OUTPUT, 0, DType.SI8, SHAPE)
        call.append(0, Engine.STORE, "store", (out, places[2]), waits={(0, Engine.VAE): done})
    return builder.finish()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A file of two models, and one of one."""
    write_program(pack(), tmp_path / "pack.hbm")
    write_program(tiled_convolution(), tmp_path / "conv.hbm")
    return [str(tmp_path / "pack.hbm"), str(tmp_path / "conv.hbm")]


def image(seed: int) -> Array:
    return np.random.default_rng(seed).integers(-128, 128, SHAPE).astype(np.int8)


def test_what_is_loaded(files: list[str]) -> None:
    session = HB_HBMRuntime(files)
    assert HB_HBMRuntime.version == session.version == hbir.__version__
    assert session.model_names == ["first", "larger", "main"]
    assert session.model_count == 3
    assert session.model_descs == {"first": "about first", "larger": "about larger", "main": ""}
    assert session.hbm_descs == {files[0]: "a pack", files[1]: ""}
    assert session.compile_bpu_core_num == {"first": 1, "larger": 1, "main": 1}
    assert session.input_counts == {"first": 1, "larger": 2, "main": 1}
    assert session.output_counts == {"first": 1, "larger": 1, "main": 1}
    assert session.input_names["larger"] == ["a", "b"]
    assert session.output_names["larger"] == ["y"]
    assert session.input_descs["larger"] == {"a": "the a", "b": "the b"}
    assert session.output_descs["main"] == {"y": ""}
    assert session.input_shapes["main"] == {"x": list(SHAPE)}
    assert session.output_shapes["main"] == {"y": [1, 8, 8, 16]}
    assert session.input_dtypes["main"] == {"x": hbDNNDataType.S8}
    assert session.output_dtypes["main"]["y"].name == "S8"
    assert session.output_strides["main"] == {"y": [1024, 128, 16, 1]}
    plain, quantized = session.input_quants["larger"].values()
    assert (plain.quant_type, plain.scale.size, plain.axis) == (hbDNNQuantiType.NONE, 0, 0)
    assert quantized.quant_type is hbDNNQuantiType.SCALE
    assert (quantized.scale.tolist(), quantized.zero_point.tolist()) == ([0.5], [3])
    assert session.output_quants["main"]["y"].quant_type is hbDNNQuantiType.NONE


def test_enumerations_print_as_on_the_board() -> None:
    assert str(hbDNNDataType.F32) == "hbDNNDataType.F32"
    assert repr(hbDNNDataType.U8) == "<hbDNNDataType.U8: 3>"
    assert repr(hbDNNDataType.S32) == "<hbDNNDataType.S32: 8>"


def test_what_is_told_cannot_be_changed(files: list[str]) -> None:
    session = HB_HBMRuntime(files[1])
    session.input_shapes["main"]["x"][0] = 9
    session.sched_params["main"].bpu_cores.append(3)
    assert session.input_shapes == {"main": {"x": list(SHAPE)}}
    assert session.sched_params == {"main": SchedParam()}
    with pytest.raises(AttributeError):
        session.model_names = []  # pyright: ignore[reportAttributeAccessIssue]  # the point


def test_all_forms_of_a_call(files: list[str]) -> None:
    session = HB_HBMRuntime(files)
    a, b = image(1), image(2)
    larger = {"larger": {"y": np.maximum(a, b)}}
    both = {"first": {"a": a}, "larger": {"a": a, "b": b}}
    calls: list[tuple[dict[str, dict[str, Array]], dict[str, dict[str, Array]]]] = [
        (session.run(a, "first"), {"first": {"y": a}}),
        (session.run(input_tensor=a, model_name="first"), {"first": {"y": a}}),
        (session.run({"b": b, "a": a}, model_name="larger"), larger),
        (session.run(input_tensors={"a": a, "b": b}, model_name="larger"), larger),
        (session.run(both), {"first": {"y": a}, **larger}),
        (session.run(multi_input_tensors=both, model_name="larger"), larger),
        (session.run(np.asfortranarray(a), "first"), {"first": {"y": a}}),
    ]
    for got, wanted in calls:
        assert {name: list(made) for name, made in got.items()} == {n: ["y"] for n in wanted}
        for name, made in got.items():
            np.testing.assert_array_equal(made["y"], wanted[name]["y"])


def test_threads_take_turns(files: list[str]) -> None:
    session = HB_HBMRuntime(files[1])
    graph = hbir.Hbm(files[1]).graphs[0]
    images = [image(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(session.run, images))
    for x, result in zip(images, results, strict=True):
        np.testing.assert_array_equal(result["main"]["y"], graph.feed({"x": x})["y"])


def test_scheduling_parameters_stay_until_they_are_set_again(files: list[str]) -> None:
    session = HB_HBMRuntime(files[0])
    session.set_scheduling_params(priority={"first": 200}, bpu_cores={"larger": [0, 3]})
    session.set_scheduling_params(custom_id={"first": 7}, device_id={"first": 0})
    assert session.sched_params == {
        "first": SchedParam(priority=200, customId=7),
        "larger": SchedParam(bpu_cores=[0, 3]),
    }
    session.run(image(0), "first", priority={"first": 1}, bpu_cores={"first": [1]})
    assert session.sched_params["first"].priority == 200


RUNS: list[tuple[Callable[[HB_HBMRuntime], object], str]] = [
    (lambda s: s.run(image(0)), "several models are loaded .first, larger, main.: give model_name"),
    (lambda s: s.run(image(0), "nix"), "no model 'nix' is loaded; there is first, larger"),
    (lambda s: s.run(image(0), "larger"), "'larger' has 2 inputs .a, b., one array was given"),
    (lambda s: s.run({"a": image(0)}, "larger"), "no array for input 'b'; it takes a, b"),
    (lambda s: s.run({"c": image(0)}, "first"), "no input 'c'; it takes a"),
    (lambda s: s.run(image(0)[0], "first"), r"has shape \[1, 8, 8, 8\], got \[8, 8, 8\]"),
    (lambda s: s.run(image(0).astype(float), "first"), "input 'a' is int8, got float64"),
    (lambda s: s.run({"a": [1]}, "first"), "input 'a' is a list, not a NumPy array"),
    (lambda s: s.run({}), "input name -> array, or model name"),
    (lambda s: s.run({"a": image(0), "first": {}}), "input name -> array, or model name"),
    (lambda s: s.run({"nix": {"a": image(0)}}), "no model 'nix'"),
    (lambda s: s.run({"first": {"a": image(0)}}, "main"), "no inputs are given for model 'main'"),
    (lambda s: s.run([image(0)], "first"), "arrays? or dictionaries of them, got list"),
    (lambda s: s.run(), "takes inputs once, got them 0 times"),
    (lambda s: s.run(image(0), input_tensor=image(0)), "takes inputs once, got them 2 times"),
    (lambda s: s.run(image(0), "first", priority={"first": 256}), "256 is not in 0...255"),
    (lambda s: s.set_scheduling_params(priority={"nix": 1}), "no model 'nix' is loaded"),
    (lambda s: s.set_scheduling_params(priority={"first": True}), "expected an integer, got True"),
    (lambda s: s.set_scheduling_params(bpu_cores={"first": [4]}), "4 is not in -1...3"),
    (lambda s: s.set_scheduling_params(bpu_cores={"main": [1]}), "1 is not in -1...0"),
    (lambda s: s.set_scheduling_params(bpu_cores={"first": []}), "expected a list"),
    (lambda s: s.set_scheduling_params(bpu_cores={"first": [1, 1]}), "names a core twice"),
    (lambda s: s.set_scheduling_params(device_id={"first": 1}), "1 is not in 0...0"),
    (lambda s: s.set_scheduling_params(5), "priority is per model"),  # pyright: ignore[reportArgumentType]  # the point
]


@pytest.mark.parametrize(("call", "message"), RUNS)
def test_mistakes_are_value_errors(
    files: list[str], call: Callable[[HB_HBMRuntime], object], message: str
) -> None:
    session = HB_HBMRuntime(files)
    with pytest.raises(ValueError, match=message) as caught:
        call(session)
    assert isinstance(caught.value, HbirError)
    assert session.sched_params == dict.fromkeys(session.model_names, SchedParam())


def test_an_unknown_argument_is_a_type_error(files: list[str]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'input'"):
        HB_HBMRuntime(files[1]).run(input=image(0))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "takes the path of a .hbm file"),
        ("nowhere.hbm", "nowhere.hbm: no such file"),
        ("model.bc", "should end with .hbm"),
    ],
)
def test_files_that_are_no_models(given: str | list[str], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        HB_HBMRuntime(given)


def test_models_of_one_name_cannot_be_told_apart(files: list[str], tmp_path: Path) -> None:
    write_program(tiled_convolution(), tmp_path / "same.hbm")
    with pytest.raises(ValueError, match=r"same\.hbm: a model 'main' is loaded already"):
        HB_HBMRuntime(model_files=[files[1], tmp_path / "same.hbm"])


def test_a_camera_model_as_a_script_of_the_board_runs_it(tmp_path: Path) -> None:
    write_network(tmp_path / "net.onnx")
    write_data(tmp_path / "data")
    inputs = {"input_type_rt": "nv12", "input_type_train": "rgb", "input_layout_train": "NCHW"}
    inputs |= {"mean_value": "128 128 128", "scale_value": "0.02 0.02 0.02"}
    compile_yaml(write_config(tmp_path, {"input_parameters": inputs}))
    session = HB_HBMRuntime(tmp_path / "out" / "net.hbm")
    (name,) = session.model_names
    assert session.input_shapes[name] == {"x_y": [1, 8, 8, 1], "x_uv": [1, 4, 4, 2]}
    assert set(session.input_dtypes[name].values()) == {hbDNNDataType.U8}
    assert '"INPUT_TYPE_RT": "nv12"' in session.model_descs[name]
    rng = np.random.default_rng(0)
    feed = {
        port: rng.integers(0, 256, shape).astype(np.uint8)
        for port, shape in session.input_shapes[name].items()
    }
    (output,) = session.output_names[name]
    expected = hbir.Hbm(tmp_path / "out" / "net.hbm").graphs[0].feed(feed)[output]
    np.testing.assert_array_equal(session.run(feed)[name][output], expected)
