"""Image inputs: camera planes to channels, colour spaces and normalisation, in float64 inside."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.kernels.float.image import COLOUR_SPACES, SIGNED_OFFSET
from hbir.kernels.roi import FRACTION_BITS, PLANES


@exports("hbir.image_convert")
def image_convert(node: NodeExport) -> None:
    """The planes less 128, chroma repeated 2x2 by a Resize."""
    planes = [node.emit("Cast", node.tensor(0), to=TensorProto.INT32)]
    if node.params["mode"] == "NV12":
        chroma = node.emit("Cast", node.tensor(1), to=TensorProto.INT32)
        factors = node.array(np.array([1, 2, 2, 1], np.float32), "scales")
        planes.append(
            node.emit(
                "Resize",
                chroma,
                "",
                factors,
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        )
    channels = node.emit("Concat", *planes, axis=3) if len(planes) > 1 else planes[0]
    centred = node.emit("Sub", channels, node.number(SIGNED_OFFSET, np.int32))
    node.finish("Cast", centred, to=TensorProto.INT8)


ONE = 1 << FRACTION_BITS


@exports("hbir.roi_resize")
def roi_resize(node: NodeExport) -> None:
    """Positions and weights of `hbir.kernels.roi` in int64; pixels gathered, weighted in float64.

    The model's planes are as open as the op's. A roi that makes no sense isn't told."""
    p = node.params
    *planes, roi = range(len(node.operands))
    corners = node.emit("Cast", node.reshape(node.tensor(roi), [4]), to=TensorProto.INT64)
    channels: list[str] = []
    for plane, (_, pixels), pad in zip(planes, PLANES[p["mode"]], p["pad_value"], strict=False):
        taps = [
            _axis_taps(node, corners, axis, p["size"][axis] // pixels, pixels) for axis in (0, 1)
        ]
        outside = None if p["expansion_mode"] == "border" else float(pad & 0xFF)
        (rows, wy), (columns, wx) = taps
        if p["interpolate_mode"] == "nearest":
            rows, columns = rows[:1], columns[:1]
        read = [[_pixels(node, node.tensor(plane), r, c, outside) for c in columns] for r in rows]
        across = [_blended(node, row, node.reshape(wx, [-1, 1])) for row in read]
        value = _blended(node, across, node.reshape(wy, [-1, 1, 1]))
        value = node.emit("Floor", node.emit("Add", value, node.number(0.5, np.float64)))
        for axis in (0, 1) if pixels > 1 else ():
            repeated = [i // pixels for i in range(p["size"][axis])]
            value = node.emit("Gather", value, node.integers(repeated, "repeated"), axis=axis + 1)
        channels.append(value)
    image = node.emit("Concat", *channels, axis=3) if len(channels) > 1 else channels[0]
    centred = node.emit("Sub", image, node.number(SIGNED_OFFSET, np.float64))
    node.finish("Cast", centred, to=TensorProto.INT8)


def _axis_taps(
    node: NodeExport, corners: str, axis: int, target: int, pixels: int
) -> tuple[list[str], str]:
    """The two places that each result reads along an axis, and the weight of the second."""

    def number(value: int) -> str:
        return node.number(value, np.int64)

    def halved(value: str) -> str:
        """Rounded down; Div rounds towards zero."""
        below = node.emit("Sub", value, node.emit("Mod", value, number(pixels)))
        return node.emit("Div", below, number(pixels))

    low = halved(node.emit("Gather", corners, number(1 - axis)))
    high = halved(node.emit("Gather", corners, number(3 - axis)))
    last = node.emit("Sub", high, low)
    end = node.emit("Mul", last, number(ONE))
    step = number(0)
    if target > 1:
        rounded = node.emit("Add", end, number((target - 1) // 2))
        step = node.emit("Div", rounded, number(target - 1))
    position = node.emit("Mul", node.integers(range(target), "index"), step)
    position = node.emit("Min", position, end)
    if node.params["interpolate_mode"] == "nearest":
        position = node.emit("Add", position, number(ONE // 2))
    first = node.emit("Div", position, number(ONE))
    rest = node.emit("Sub", position, node.emit("Mul", first, number(ONE)))
    second = node.emit("Min", node.emit("Add", first, number(1)), last)
    weight = node.emit("Cast", rest, to=TensorProto.DOUBLE)
    weight = node.emit("Div", weight, node.number(ONE, np.float64))
    return [node.emit("Add", low, place) for place in (first, second)], weight


def _pixels(node: NodeExport, plane: str, rows: str, columns: str, outside: float | None) -> str:
    """plane at rows x columns, float64; beyond the image `outside`, or where None the nearest."""
    zero = node.number(0, np.int64)
    inside: list[str] = []
    taken = plane
    for axis, (places, shape) in enumerate(((rows, [-1, 1, 1]), (columns, [-1, 1]))):
        extent = node.emit("Gather", node.emit("Shape", plane), node.number(axis + 1, np.int64))
        last = node.emit("Sub", extent, node.number(1, np.int64))
        limited = node.emit("Max", node.emit("Min", places, last), zero)
        taken = node.emit("Gather", taken, limited, axis=axis + 1)
        inside.append(node.reshape(node.emit("Equal", places, limited), shape))
    value = node.emit("Cast", taken, to=TensorProto.DOUBLE)
    if outside is None:
        return value
    return node.emit("Where", node.emit("And", *inside), value, node.number(outside, np.float64))


def _blended(node: NodeExport, pair: list[str], weight: str) -> str:
    """The weighted mean of two; one alone stays."""
    if len(pair) == 1:
        return pair[0]
    other = node.emit("Sub", node.number(1, np.float64), weight)
    return node.emit("Add", node.emit("Mul", pair[0], other), node.emit("Mul", pair[1], weight))


@exports("hbir.image_preprocess")
def image_preprocess(node: NodeExport) -> None:
    """((csc(x + 128) / divisor) − mean) / sd."""
    p = node.params

    def row(values: object) -> str:
        return node.array(np.asarray(values, np.float64), "row")

    x = node.emit("Cast", node.tensor(0), to=TensorProto.DOUBLE)
    if p["signed"]:
        x = node.emit("Add", x, row(SIGNED_OFFSET))
    if p["csc"] != "skip":
        matrix, offset, clipped = COLOUR_SPACES[p["csc"]]
        x = node.emit("MatMul", node.emit("Sub", x, row(offset)), row(matrix.T))
        if clipped:
            x = node.emit("Clip", x, row(0.0), row(255.0))
    x = node.emit("Div", x, row(p["divisor"]))
    x = node.emit("Div", node.emit("Sub", x, row(p["mean"])), row(p["sd"]))
    node.finish("Cast", x, to=TensorProto.FLOAT)
