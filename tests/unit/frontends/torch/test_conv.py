"""Convolutions against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hbir.errors import HbirError
from tests.unit.frontends.torch.oracle import check, operations, random


@settings(max_examples=8, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    bias=st.booleans(),
)
def test_conv2d(
    kernel: Any, stride: int, padding: int, dilation: int, groups: int, bias: bool
) -> None:
    layer = nn.Conv2d(4, 6, kernel, stride, padding, dilation, groups, bias)
    check(layer, random(2, 4, 9, 11))


@pytest.mark.parametrize("kernel", [2, 3, (3, 4)])
def test_same_padding_puts_the_odd_element_after(kernel: Any) -> None:
    check(nn.Conv2d(3, 4, kernel, padding="same", dilation=2), random(1, 3, 8, 8))


def test_conv1d_and_without_a_batch() -> None:
    check(nn.Conv1d(3, 5, 3, padding=1, groups=1), random(2, 3, 9))
    check(nn.Conv1d(3, 5, 3, padding="valid"), random(3, 9))
    check(nn.Conv2d(3, 5, 3), random(3, 6, 7))


@pytest.mark.parametrize(("stride", "extra"), [(1, 0), (2, 1), (3, 2)])
def test_transposed_convolution(stride: int, extra: int) -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, stride, 1, extra, groups=2)
    exported = check(layer, random(1, 4, 5, 6))
    assert "hbir.convtranspose" in operations(exported)
    check(nn.ConvTranspose1d(4, 2, 4, stride, 1, extra), random(1, 4, 5))


def test_conv3d_runs_on_the_cpu() -> None:
    check(nn.Conv3d(2, 3, 2, 2, 1), random(1, 2, 4, 5, 6), on_cpu=["onnx::Conv"])


def test_a_transposed_conv3d_is_refused_by_name() -> None:
    with pytest.raises(HbirError, match=r"ConvTranspose3d: .*aten\.\S+.* is not supported"):
        check(nn.ConvTranspose3d(2, 2, 2), random(1, 2, 3, 3, 3))
