"""Resizing of H and W by sampling.

Resize says positions by one of a few rules, in float32; where one of them gives hbir's positions
it is used, else the elements are gathered by constant indices and mixed by constant weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hbir.exporters.onnx.node_export import IMAGE, NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.ir.types import Array
from hbir.kernels.float.resize import nearest_elements, source_positions

# i: result positions, scale: extent ratio, n and m: extents of x and of the result.
_RULES: dict[str, Callable[[Array, np.float32, int, int], Array]] = {
    "asymmetric": lambda i, scale, n, m: i / scale,
    "half_pixel": lambda i, scale, n, m: (i + np.float32(0.5)) / scale - np.float32(0.5),
    "pytorch_half_pixel": lambda i, scale, n, m: (
        (i + np.float32(0.5)) / scale - np.float32(0.5) if m > 1 else i * np.float32(0)
    ),
    "align_corners": lambda i, scale, n, m: (
        i * np.float32(n - 1) / np.float32(max(m - 1, 1)) if m > 1 else i * np.float32(0)
    ),
}

_TOLERANCE = 2.0**-16
"""Elements by which a bilinear position may differ, per element of the axis: float32's error."""


@exports("hbir.resize2d")
def resize2d(node: NodeExport) -> None:
    """Resize to given sizes, or by Gather."""
    rule = next((name for name in _RULES if _gives(node, name)), None)
    x = node.tensor(0, IMAGE)
    if rule is None:
        _gathered(node, x)
        return
    nearest = node.params["mode"] == "nearest"
    batch, _, _, channels = node.shape()
    sizes = node.integers([batch, channels, *node.params["size"]], "sizes")
    node.finish(
        "Resize",
        x,
        "",
        "",
        sizes,
        layout=IMAGE,
        mode="nearest" if nearest else "linear",
        coordinate_transformation_mode=rule,
        nearest_mode=node.params["nearest_mode"] if nearest else None,
    )


def _gives(node: NodeExport, rule: str) -> bool:
    """Whether a rule takes the elements that hbir takes, on both axes."""
    p = node.params
    for axis in (0, 1):
        extent, size = node.shape()[axis + 1], p["size"][axis]
        wanted = source_positions(extent, size, p["step"][axis], p["initial_offset"][axis])
        scale = np.float32(size) / np.float32(extent)
        index = np.arange(size, dtype=np.float32)
        got = np.clip(_RULES[rule](index, scale, extent, size), 0, extent - 1)
        if p["mode"] == "nearest":
            mode = p["nearest_mode"]
            if not np.array_equal(nearest_elements(wanted, mode), nearest_elements(got, mode)):
                return False
        elif np.abs(wanted - got).max(initial=0) > _TOLERANCE * extent:
            return False
    return True


def _gathered(node: NodeExport, x: str) -> None:
    p = node.params
    for axis in (0, 1):
        extent = node.shape()[axis + 1]
        positions = source_positions(
            extent, p["size"][axis], p["step"][axis], p["initial_offset"][axis]
        )
        last = axis == 1
        if p["mode"] == "nearest":
            x = _gather(node, x, nearest_elements(positions, p["nearest_mode"]), axis)
        else:
            x = _mixed(node, x, positions, axis)
        if last:
            node.finish("Identity", x, layout=IMAGE)


def _gather(node: NodeExport, x: str, elements: Sequence[int] | Array, axis: int) -> str:
    return node.emit("Gather", x, node.integers(list(elements), "elements"), axis=axis + 2)


def _mixed(node: NodeExport, x: str, positions: Array, axis: int) -> str:
    """x₀ + (x₁ − x₀) · weight along one axis."""
    below = np.floor(positions).astype(np.int64)
    above = np.minimum(below + 1, node.shape()[axis + 1] - 1)
    shape = [1, 1, -1, 1] if axis == 0 else [1, 1, 1, -1]
    weights = (positions - below).astype(np.float32).reshape(shape)
    first, second = _gather(node, x, below, axis), _gather(node, x, above, axis)
    share = node.emit("Mul", node.emit("Sub", second, first), node.array(weights, "weights"))
    return node.emit("Add", first, share)
