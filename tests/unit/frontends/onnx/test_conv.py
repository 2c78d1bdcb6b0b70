"""Conv and ConvTranspose against onnxruntime, and what has no BPU form."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hbir.errors import HbirError
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import (
    OPSETS,
    check,
    count,
    model_of,
    node,
    random,
    reasons,
    single,
)


@pytest.mark.parametrize("opset", OPSETS)
def test_conv_in_every_opset(opset: int) -> None:
    weight, bias = random(6, 4, 3, 3), random(6, seed=1)
    module = check(single("Conv", (2, 4, 9, 8), [weight, bias], opset, pads=[1, 0, 2, 1]))
    assert count(module, "hbir.transpose") == 2


@settings(max_examples=40)
@given(
    st.sampled_from([1, 2, 4]),
    st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
    st.lists(st.integers(1, 3), min_size=2, max_size=2),
    st.lists(st.integers(1, 2), min_size=2, max_size=2),
    st.lists(st.integers(1, 3), min_size=2, max_size=2),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
)
def test_conv_with_any_window(
    group: int,
    auto_pad: str,
    strides: list[int],
    dilations: list[int],
    kernel: list[int],
    pads: list[int],
) -> None:
    # onnxruntime refuses SAME together with dilations
    assume(auto_pad in ("NOTSET", "VALID") or dilations == [1, 1])
    more: dict[str, Any] = {"pads": pads} if auto_pad == "NOTSET" else {"auto_pad": auto_pad}
    weight = random(8, 4 // group, *kernel)
    check(
        single(
            "Conv",
            (1, 4, 7, 9),
            [weight],
            group=group,
            strides=strides,
            dilations=dilations,
            kernel_shape=kernel,
            **more,
        )
    )


def test_conv_1d_is_a_row() -> None:
    module = check(single("Conv", (2, 4, 11), [random(6, 2, 3)], group=2, pads=[2, 1], strides=[2]))
    assert count(module, "hbir.conv2d") == 1


def test_conv_3d_has_no_bpu_form() -> None:
    module = check(single("Conv", (1, 2, 4, 4, 4), [random(3, 2, 2, 2, 2)]), on_cpu=["Conv"])
    assert reasons(module) == ["Conv: it must have 1 or 2 spatial dimensions, it has 3"]


@settings(max_examples=40)
@given(
    st.sampled_from([1, 2]),
    st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
    st.lists(st.integers(1, 3), min_size=2, max_size=2),
    st.lists(st.integers(1, 2), min_size=2, max_size=2),
    st.lists(st.integers(2, 4), min_size=2, max_size=2),
    st.lists(st.integers(0, 1), min_size=4, max_size=4),
    st.booleans(),
)
def test_conv_transpose_with_any_window(
    group: int,
    auto_pad: str,
    strides: list[int],
    dilations: list[int],
    kernel: list[int],
    pads: list[int],
    extra: bool,
) -> None:
    more: dict[str, Any] = {"pads": pads} if auto_pad == "NOTSET" else {"auto_pad": auto_pad}
    if extra and auto_pad == "NOTSET":  # onnxruntime wants it less than the stride
        more["output_padding"] = [stride - 1 for stride in strides]
    # a kernel smaller than its stride makes SAME crop below nothing, where implementations differ
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    assume(auto_pad == "NOTSET" or all(r >= s for r, s in zip(reach, strides, strict=True)))
    check(
        single(
            "ConvTranspose",
            (1, 4, 5, 4),
            [random(4, 3, *kernel), random(3 * group, seed=1)],
            group=group,
            strides=strides,
            dilations=dilations,
            **more,
        )
    )


@pytest.mark.parametrize("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER"])
def test_conv_transpose_to_an_output_shape(auto_pad: str) -> None:
    model = single(
        "ConvTranspose",
        (1, 3, 4, 5),
        [random(3, 2, 4, 4)],
        strides=[3, 2],
        output_shape=[12, 11],
        auto_pad=auto_pad,
    )
    check(model)


def test_conv_transpose_1d() -> None:
    check(single("ConvTranspose", (2, 3, 7), [random(3, 4, 3)], strides=[2], output_padding=[1]))


def test_a_weight_that_does_not_fit_is_an_error() -> None:
    model = single("Conv", (1, 4, 8, 8), [random(6, 3, 3, 3)])
    with pytest.raises(HbirError, match=r"Conv node 'Conv_0'.*4 channels.*3"):
        export(model)


def test_a_computed_weight_is_transposed_by_ops() -> None:
    nodes = [node("Conv", ["x", "w"], pads=[1, 1, 1, 1])]
    check(model_of(nodes, {"x": (1, 3, 5, 5), "w": (4, 3, 3, 3)}, ["y"]))


def test_weights_are_channel_last() -> None:
    weight = random(5, 3, 2, 2)
    module = export(single("Conv", (1, 3, 4, 4), [weight]))
    (constant,) = [op for op in module.functions[0].operations if op.name == "hbir.constant"]
    stored = module.weights.array(constant.properties["values"])
    np.testing.assert_array_equal(stored, weight.transpose(0, 2, 3, 1))
