"""Resize and Upsample: sampling of H and W.

A coordinate mode is accepted when the source position is step · i + offset: those of
`hbir.frontends.sampling`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from xdsl.ir import SSAValue

from hbir.errors import HbirError
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.windows import spatial_rank
from hbir.frontends.sampling import (
    COORDINATE_MODES,
    Position,
    align_corners,
    asymmetric,
    rounded_position,
)
from hbir.frontends.windows import pair

_MODES = {"nearest": "nearest", "linear": "bilinear", "bilinear": "bilinear"}


@imports("Upsample")
def upsample(node: NodeImport) -> SSAValue:
    """Upsample → resize2d. Scales must be constant, of H and W only."""
    scales = _scales(node, 1)
    return _resized(node, scales, None, asymmetric, "floor")


@imports("Resize")
def resize(node: NodeImport) -> SSAValue:
    """Resize → resize2d. Scales or sizes must be constant, of H and W only."""
    if node.version < 11:  # before coordinate modes: what Upsample did
        return _resized(node, _scales(node, 1), None, asymmetric, "floor")
    coordinates = node.str_("coordinate_transformation_mode", "half_pixel")
    if coordinates not in COORDINATE_MODES:
        raise NoBpuForm(
            f"coordinate_transformation_mode must be one of {', '.join(COORDINATE_MODES)}, got"
            f" {coordinates!r}"
        )
    if node.int_("antialias", 0):
        raise NoBpuForm("antialias must be 0")
    policy = node.str_("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch":
        raise NoBpuForm(f"keep_aspect_ratio_policy must be stretch, got {policy!r}")
    rounding = node.str_("nearest_mode", "round_prefer_floor")
    shape = node.shape(0)
    axes = node.ints("axes", range(len(shape))) or list(range(len(shape)))
    axes = [axis % len(shape) for axis in axes]
    if node.has(3) and len(sizes := node.constant_ints(3, "sizes")):
        full = list(shape)
        _check_count(node, "sizes", len(sizes), axes)
        for axis, size in zip(axes, sizes, strict=True):
            full[axis] = size
        return _resized(
            node,
            [Fraction(after, before) for after, before in zip(full, shape, strict=True)],
            full,
            COORDINATE_MODES[coordinates],
            rounding,
        )
    scales = [Fraction(1)] * len(shape)
    given = _scales(node, 2)
    _check_count(node, "scales", len(given), axes)
    for axis, scale in zip(axes, given, strict=True):
        scales[axis] = scale
    return _resized(node, scales, None, COORDINATE_MODES[coordinates], rounding)


def _check_count(node: NodeImport, what: str, count: int, axes: Sequence[int]) -> None:
    if count != len(axes):
        raise HbirError(f"{node.node}: {what} must have {len(axes)} entries, got {count}")


def _scales(node: NodeImport, index: int) -> list[Fraction]:
    values = [float(v) for v in node.constant(index, "scales").reshape(-1)]
    if not all(math.isfinite(v) and v > 0 for v in values):
        raise HbirError(f"{node.node}: scales must be positive, got {values}")
    return [Fraction(value) for value in values]


def _resized(
    node: NodeImport,
    scales: Sequence[Fraction],
    sizes: Sequence[int] | None,
    position: Position,
    rounding: str,
) -> SSAValue:
    rank = spatial_rank(node)
    shape = node.shape(0)
    if len(scales) != len(shape):
        raise HbirError(f"{node.node}: scales must have {len(shape)} entries, got {_texts(scales)}")
    if scales[0] != 1 or scales[1] != 1:
        raise NoBpuForm(f"N and C must stay, their scales are {_texts(scales[:2])}")
    mode = node.str_("mode", "nearest")
    if mode not in _MODES:
        raise NoBpuForm(f"mode must be one of {', '.join(_MODES)}, got {mode!r}")
    before = shape[2:]
    if sizes is None:
        # The specification's floor(extent · scale); the scale is an f32, the product is exact.
        after = [math.floor(b * s) for b, s in zip(before, scales[2:], strict=True)]
        if position is align_corners and any(
            b * s != a for b, s, a in zip(before, scales[2:], after, strict=True)
        ):
            raise NoBpuForm(
                "align_corners with scales that don't give whole extents is computed differently by"
                f" different implementations: {list(before)} by {_texts(scales[2:])}"
            )
    else:
        after = list(sizes[2:])
    exact = [position(b, a, s) for b, a, s in zip(before, after, scales[2:], strict=True)]
    steps = [rounded_position(step, offset, mode, rounding) for step, offset in exact]
    if rank == 1:
        steps.insert(0, (1.0, 0.0))
    return node.spatial_result(
        "resize2d",
        node.spatial_input(0),
        size=pair(after, 1),
        step=[step for step, _ in steps],
        initial_offset=[offset for _, offset in steps],
        mode=_MODES[mode],
        nearest_mode=rounding if mode == "nearest" else None,
    )


def _texts(scales: Sequence[Fraction]) -> list[float]:
    return [float(scale) for scale in scales]
