"""Broken files end as one message, never as a crash, a hang or an allocation."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from hbir.errors import HbirError
from hbir.onnx import export, statistics
from tests.unit.frontends.onnx.oracle import check, ints, model_of, node, random, single

_make: Any = helper
_onnx: Any = onnx  # its `load` and `save` are typed only in part


def small_model() -> onnx.ModelProto:
    nodes = [
        node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["a", "s", "s", "s", "s"], ["b"]),
        node("Relu", ["b"], ["c"]),
        node("Shape", ["c"], ["n"]),
        node("Gather", ["n", "zero"], ["m"]),
        node("Unsqueeze", ["m"], ["k"], axes=[0]),
        node("Concat", ["k", "rest"], ["shape"], axis=0),
        node("Reshape", ["c", "shape"], ["f"]),
        node("Softmax", ["f"], ["y"]),
    ]
    constants = {
        "w": random(4, 3, 3, 3),
        "s": np.abs(random(4)),
        "zero": np.array(0, np.int64),
        "rest": ints(-1),
    }
    return model_of(nodes, {"x": (1, 3, 6, 6)}, ["y"], constants, opset=11)


def test_the_small_model_is_sound() -> None:
    check(small_model())
    assert statistics(small_model())["Conv"] == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\x00" * 100, "not an ONNX model"),
        (b"hello, world", "not an ONNX model"),
        (b"\x08\x07", "it has no graph"),
    ],
)
def test_files_that_are_no_models(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(data)
    with pytest.raises(HbirError, match=message) as error:
        export(path)
    assert str(path) in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match="no such file"):
        export(tmp_path / "none.onnx")


def outcome(data: bytes, path: Path) -> None:
    """Exporting gives a module or an HbirError of one line; anything else fails the test."""
    path.write_bytes(data)
    message = "-"
    try:
        export(path)
    except HbirError as error:
        message = str(error)
    assert len(message.splitlines()) == 1


@settings(max_examples=60)
@given(where=st.floats(0, 1))
def test_truncated_files(where: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = small_model().SerializeToString()
    outcome(data[: int(where * len(data))], tmp_path_factory.getbasetemp() / "cut.onnx")


@settings(max_examples=300)
@given(flips=st.lists(st.tuples(st.floats(0, 0.9999), st.integers(1, 255)), min_size=1, max_size=3))
def test_flipped_bytes(
    flips: list[tuple[float, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(small_model().SerializeToString())
    for where, change in flips:
        data[int(where * len(data))] ^= change
    outcome(bytes(data), tmp_path_factory.getbasetemp() / "flipped.onnx")


def with_external_data(folder: Path) -> Path:
    model = single("Conv", (1, 3, 6, 6), [random(4, 3, 3, 3)])
    path = folder / "model.onnx"
    _onnx.save(
        model,
        path,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="weights.bin",
        size_threshold=0,
    )
    return path


def test_external_data_is_read(tmp_path: Path) -> None:
    path = with_external_data(tmp_path)
    feeds = {"x": random(1, 3, 6, 6)}
    got = export(path).functions[0].feed(feeds)["y"]
    same = export(_onnx.load(path)).functions[0].feed(feeds)["y"]
    np.testing.assert_array_equal(got, same)


def test_missing_and_truncated_external_data(tmp_path: Path) -> None:
    path = with_external_data(tmp_path)
    data = tmp_path / "weights.bin"
    data.write_bytes(data.read_bytes()[:10])
    with pytest.raises(HbirError, match="'c0'"):
        export(path)
    data.unlink()
    with pytest.raises(HbirError, match="external data of tensor 'c0' can't be read"):
        export(path)


def test_a_proto_without_its_external_data(tmp_path: Path) -> None:
    model = _onnx.load(with_external_data(tmp_path), load_external_data=False)
    with pytest.raises(HbirError, match="tensor 'c0' keeps its data in another file"):
        export(model)


@pytest.mark.parametrize(
    ("dims", "data_type", "message"),
    [
        ([2**40, 2**40], TensorProto.FLOAT, "would take"),
        ([-4], TensorProto.FLOAT, "negative extent"),
        ([7], TensorProto.FLOAT, "data that don't fit"),
        ([4], 99, "unknown element type 99"),
        ([1] * 12, TensorProto.FLOAT, "rank 12"),
    ],
)
def test_weights_that_do_not_fit(dims: list[int], data_type: int, message: str) -> None:
    model = single("Add", (4,), [random(4)])
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    model.graph.initializer[0].data_type = data_type
    with pytest.raises(HbirError, match=message) as error:
        export(model)
    assert "'c0'" in str(error.value)


@pytest.mark.parametrize("opset", [1, 8, 999])
def test_opsets_that_are_not_read(opset: int) -> None:
    with pytest.raises(HbirError, match=rf"opset {opset} is not supported, expected 9 to"):
        export(single("Relu", (4,), (), opset))


def test_a_model_without_opset() -> None:
    model = single("Relu", (4,))
    del model.opset_import[:]
    with pytest.raises(HbirError, match="opset version"):
        export(model)


def test_local_functions_are_inlined() -> None:
    model = single("Relu", (4,))
    body = [node("Relu", ["a"], ["b"]), node("Neg", ["b"], ["c"])]
    opset = _make.make_opsetid("", 17)
    model.functions.append(_make.make_function("mine", "Twice", ["a"], ["c"], body, [opset]))
    model.opset_import.append(_make.make_opsetid("mine", 1))
    model.graph.node[0].op_type = "Twice"
    model.graph.node[0].domain = "mine"
    check(model)
