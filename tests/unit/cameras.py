"""Quantized networks behind the resizer, from a seed, and images with a roi to feed them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hbir.dialects.bpu.image import RoiResizeOp
from hbir.dialects.bpu.pool import MaxPoolOp
from hbir.ir.types import SI32, UI8, AnyTensor, open_tensor, tensor
from hbir.kernels.roi import PLANES
from hbir.module import Module
from tests.unit.networks import Network

Array = np.ndarray[Any, Any]

OPEN = (-2, -3)


def camera_network(seed: int, march: str = "nash-e") -> Module:
    """The resizer in any of its modes, its result whole and behind a few layers."""
    random = np.random.default_rng(seed)
    mode = ("NV12", "GRAY")[int(random.integers(2))]
    # Corner to corner needs two rows, of chroma too.
    height, width = (int(2 * n) for n in random.integers(2, 40, 2))
    inputs: dict[str, AnyTensor] = {
        name: open_tensor((1, 512 // pixels, 512 // pixels, channels), UI8, OPEN)
        for name, (channels, pixels) in zip(("y", "uv"), PLANES[mode], strict=False)
    }
    net = Network({**inputs, "roi": tensor((1, 4), SI32)}, seed)
    *planes, roi = net.inputs
    image = net.add(
        RoiResizeOp,
        roi,
        *planes,
        size=[height, width],
        mode=mode,
        interpolate_mode=("bilinear", "nearest")[int(random.integers(4) == 0)],
        expansion_mode=("constant", "border")[int(random.integers(2))],
        pad_value=[int(byte) for byte in random.integers(-128, 256, 2)],
    )
    x = net.conv(image, int(random.integers(1, 30)), 3, pad=[1, 1, 1, 1])
    x = net.add(MaxPoolOp, net.as_si8(x), kernel=[2, 2], stride=[2, 2], pad=[0, 0, 0, 0])
    outputs = {"out": net.dequantize(x)}
    if random.integers(2):
        outputs["image"] = image
    return net.finish(outputs, march)


def camera_feed(module: Module, seed: int) -> dict[str, Array]:
    """An image of another size for each seed, and a roi that the resizer takes; it may reach beyond
    the image."""
    random = np.random.default_rng(seed)
    ports = {port.name: port.type for port in module.functions[0].flatten_inputs}
    (op,) = (op for op in module.functions[0].operations if op.name.endswith(".roi_resize"))
    assert isinstance(op, RoiResizeOp)
    extents = [int(2 * n) for n in random.integers(1, 80, 2)]
    feed: dict[str, Array] = {}
    for name, (channels, pixels) in zip(("y", "uv"), PLANES[op.mode.data], strict=False):
        shape = (1, extents[0] // pixels, extents[1] // pixels, channels)
        values = [0, 255] if seed % 3 == 0 else range(256)
        feed[name] = random.choice(np.array(values), shape).astype(ports[name].np_dtype)
    roi = [0, 0, 0, 0]
    size: tuple[int, int] = op.params()["size"]
    for axis, (extent, target) in enumerate(zip(extents, size, strict=True)):
        most: int = 4 * (target - 1)
        length = int(random.integers(1, most + 1))
        first = int(random.integers(1 - length, extent))
        roi[1 - axis], roi[3 - axis] = first, first + length - 1
    return {**feed, "roi": np.array([roi], np.int32)}
