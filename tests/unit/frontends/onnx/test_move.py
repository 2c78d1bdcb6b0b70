"""Moves against onnxruntime, alone and between two convolutions."""

from typing import Any

import numpy as np
import onnx
import pytest

from hbir.errors import HbirError
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import (
    Array,
    check,
    count,
    ints,
    model_of,
    node,
    random,
    reasons,
    single,
)


@pytest.mark.parametrize("opset", [9, 11, 13, 17])
def test_concat_behind_convolutions(opset: int) -> None:
    nodes = [
        node("Conv", ["x", "v"], ["a"]),
        node("Conv", ["x", "w"], ["b"]),
        node("Concat", ["a", "b"], ["y"], axis=1),
    ]
    constants = {"v": random(3, 2, 1, 1), "w": random(5, 2, 1, 1)}
    module = check(model_of(nodes, {"x": (2, 2, 4, 3)}, ["y"], constants, opset))
    assert count(module, "hbir.transpose") == 2


@pytest.mark.parametrize("shape", [[0, -1], [2, 3, 4], [4, 3, 2], [-1], [0, 0, 2, 2]])
def test_reshape(shape: list[int]) -> None:
    check(single("Reshape", (2, 3, 4), [ints(*shape)]))


@pytest.mark.parametrize("shape", [[5, -1], [2, 3], [0, 5, -1]])
def test_reshape_to_a_wrong_size_is_an_error(shape: list[int]) -> None:
    with pytest.raises(HbirError, match=r"Reshape node 'Reshape_0'.*24 elements can't take shape"):
        export(single("Reshape", (2, 3, 4), [ints(*shape)]))


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1])
def test_flatten(axis: int) -> None:
    check(single("Flatten", (2, 3, 4), (), 13, axis=axis))


@pytest.mark.parametrize("axes", [[1], [1, 3], [-1], None])
def test_squeeze(axes: list[int] | None) -> None:
    old: dict[str, Any] = {} if axes is None else {"axes": axes}
    check(single("Squeeze", (2, 1, 3, 1), (), 11, **old))
    check(single("Squeeze", (2, 1, 3, 1), [] if axes is None else [ints(*axes)], 13))


@pytest.mark.parametrize("axes", [[0], [1, 3], [-1]])
def test_unsqueeze(axes: list[int]) -> None:
    check(single("Unsqueeze", (2, 3), (), 11, axes=axes))
    check(single("Unsqueeze", (2, 3), [ints(*axes)], 13))


@pytest.mark.parametrize("perm", [None, [0, 2, 3, 1], [3, 0, 1, 2]])
def test_transpose(perm: list[int] | None) -> None:
    given: dict[str, Any] = {} if perm is None else {"perm": perm}
    check(single("Transpose", (2, 3, 4, 5), **given))


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "steps"),
    [
        ([1, 0], [3, 2], None, None),
        ([1], [-1], [2], None),
        ([-3], [9999], [-1], [2]),
        ([0, 1], [4, 4], [0, 3], [3, 1]),
    ],
)
def test_slice(
    starts: list[int], ends: list[int], axes: list[int] | None, steps: list[int] | None
) -> None:
    shape = (4, 5, 6, 7)
    lists: list[Array | None] = [ints(*starts), ints(*ends)]
    lists += [None if axes is None else ints(*axes), None if steps is None else ints(*steps)]
    check(single("Slice", shape, lists, 13))
    if steps is None:
        old: dict[str, Any] = {} if axes is None else {"axes": axes}
        check(single("Slice", shape, (), 9, starts=starts, ends=ends, **old))


def test_a_slice_backwards_is_a_cpu_op() -> None:
    lists = [ints(-1), ints(-9999), ints(1), ints(-1)]
    module = check(single("Slice", (2, 5), lists), on_cpu=["Slice"])
    assert reasons(module) == ["Slice: steps must be positive, got [-1]"]


@pytest.mark.parametrize(("opset", "lengths"), [(11, [2, 4]), (13, [2, 4]), (13, None)])
def test_split(opset: int, lengths: list[int] | None) -> None:
    attribute: dict[str, Any] = {"split": lengths} if opset == 11 else {}
    as_input = lengths is not None and opset == 13
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Split", ["c", "n"] if as_input else ["c"], ["a", "b"], axis=1, **attribute),
        node("Relu", ["b"], ["y"]),
    ]
    constants = {"w": random(6, 2, 1, 1)} | ({"n": ints(*(lengths or []))} if as_input else {})
    module = check(model_of(nodes, {"x": (1, 2, 4, 4)}, ["a", "y"], constants, opset))
    assert count(module, "hbir.transpose") == 3


def test_split_in_parts_that_are_not_even() -> None:
    nodes = [node("Split", ["x"], ["a", "b", "y"], axis=1, num_outputs=3)]
    check(model_of(nodes, {"x": (2, 7)}, ["a", "b", "y"], opset=18))


def test_split_into_too_much_is_an_error() -> None:
    nodes = [node("Split", ["x"], ["a", "y"], axis=0, split=[3, 3])]
    with pytest.raises(HbirError, match="Split node 'Split_0'"):
        export(model_of(nodes, {"x": (4, 2)}, ["a", "y"], opset=11))


@pytest.mark.parametrize("pads", [[0, 0, 1, 2, 0, 0, 3, 0], [0, 1, -1, 2, 0, 0, -2, 0]])
def test_pad(pads: list[int]) -> None:
    value = np.array(0.75, np.float32)
    check(single("Pad", (1, 2, 5, 4), [ints(*pads), value], 13))
    check(single("Pad", (1, 2, 5, 4), (), 10, pads=pads, value=0.75))


def test_pad_of_some_axes() -> None:
    check(single("Pad", (1, 2, 5, 4), [ints(1, 2, 0, 1), None, ints(3, -2)], 18))


@pytest.mark.parametrize("mode", ["reflect", "edge"])
def test_pad_with_other_modes_is_a_cpu_op(mode: str) -> None:
    model = single("Pad", (1, 2, 5, 4), [ints(0, 0, 1, 1, 0, 0, 1, 1)], 13, mode=mode)
    assert reasons(check(model, on_cpu=["Pad"])) == [f"Pad: mode must be constant, got {mode!r}"]


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(mode: str) -> None:
    check(single("DepthToSpace", (2, 12, 3, 4), (), 13, blocksize=2, mode=mode))


def test_space_to_depth() -> None:
    check(single("SpaceToDepth", (2, 3, 6, 4), (), 13, blocksize=2))


def between_convolutions(*nodes: onnx.NodeProto, channels: int = 4) -> onnx.ModelProto:
    """x → 1x1 conv → a → `nodes` → b → 1x1 conv → y."""
    first, last = node("Conv", ["x", "v"], ["a"]), node("Conv", ["b", "w"], ["y"])
    constants = {
        "v": random(4, 3, 1, 1),
        "w": random(2, channels, 1, 1),
        "shape": ints(0, 2, 2, 6, 6),
    }
    return model_of([first, *nodes, last], {"x": (1, 3, 6, 6)}, ["y"], constants, opset=11)


def test_pixel_shuffle_keeps_its_one_transpose() -> None:
    shuffle = node("DepthToSpace", ["a"], ["b"], blocksize=2)
    module = check(between_convolutions(shuffle, channels=1))
    assert count(module, "hbir.transpose") == 3  # input, output, and the shuffle itself


def test_a_channel_shuffle_keeps_its_one_transpose() -> None:
    nodes = [
        node("Reshape", ["a", "shape"], ["g"]),
        node("Transpose", ["g"], ["h"], perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["h", "back"], ["b"]),
    ]
    model = between_convolutions(*nodes)
    model.graph.initializer.append(onnx.numpy_helper.from_array(ints(1, 4, 6, 6), "back"))
    module = check(model)
    assert count(module, "hbir.transpose") == 3


@pytest.mark.parametrize(
    "op",
    [
        node("Pad", ["a"], ["b"], pads=[0, 0, 1, 0, 0, 0, 0, 2]),
        node("Slice", ["a"], ["b"], starts=[1, 2], ends=[5, 6], axes=[2, 3]),
        node("Softmax", ["a"], ["b"], axis=3),
        node("ReduceMean", ["a"], ["b"], axes=[3]),
        node("Clip", ["a"], ["b"]),
    ],
    ids=lambda op: op.op_type,
)
def test_moves_are_made_channel_last(op: onnx.NodeProto) -> None:
    model = between_convolutions(op)
    if op.op_type in ("Pad", "Slice", "Softmax", "Clip"):
        model.opset_import[0].version = 9
    assert count(check(model), "hbir.transpose") == 2


@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 1), (2, 3, 1), (5, 1, 3, 4)])
def test_expand_repeats(shape: tuple[int, ...]) -> None:
    check(single("Expand", (1, 3, 1), [ints(*shape)]))


@pytest.mark.parametrize("repeats", [(1, 2, 3), (1, 1, 1), (2, 1, 1)])
def test_tile(repeats: tuple[int, ...]) -> None:
    check(single("Tile", (2, 3, 4), [ints(*repeats)]))
