"""Layers and machines for tests of the backend, without any IR."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine

INT8 = np.dtype(np.int8)
INT32 = np.dtype(np.int32)


def with_l1(machine: Machine, l1_bytes: int) -> Machine:
    """The machine with another on-chip memory."""
    memory = replace(machine.memory, l1_bytes=l1_bytes)
    return replace(machine, name=f"{machine.name}-l1-{l1_bytes}", memory=memory)


def conv_layer(
    output: tuple[int, ...], cin: int, kernel: int, groups: int = 1, stride: int = 1
) -> Layer:
    """A same-padded int8 convolution with this output."""
    n, h, w, cout = output
    pad = kernel // 2
    x = TensorSpec((n, h * stride, w * stride, cin), INT8)
    weights = TensorSpec((cout, kernel, kernel, cin // groups), INT8, True)
    params = {
        "stride": (stride, stride),
        "pad": (pad, pad, pad, pad),
        "dilation": (1, 1),
        "group_num": groups,
    }
    qpp = TensorSpec((cout, 3), INT32, True)
    return Layer("conv2d", (x, weights, qpp), TensorSpec(output, INT8), params, "conv")


def pool_layer(output: tuple[int, ...]) -> Layer:
    """A 3x3 max pool with stride 2 and this output."""
    n, h, w, c = output
    params = {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1, 1, 1), "dilation": (1, 1)}
    x = TensorSpec((n, 2 * h, 2 * w, c), INT8)
    return Layer("max_pool", (x,), TensorSpec(output, INT8), params, "pool")
