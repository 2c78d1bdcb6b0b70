"""Upsampling of H and W."""

from __future__ import annotations

from fractions import Fraction

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.sampling import (
    align_corners,
    asymmetric,
    half_pixel,
    rounded_position,
)
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.windows import pair

_MODES = {
    "upsample_nearest1d": ("nearest", asymmetric, "floor"),
    "upsample_nearest2d": ("nearest", asymmetric, "floor"),
    "upsample_nearest_exact1d": ("nearest", half_pixel, "round_prefer_ceil"),
    "upsample_nearest_exact2d": ("nearest", half_pixel, "round_prefer_ceil"),
    "upsample_linear1d": ("bilinear", half_pixel, "round_prefer_floor"),
    "upsample_bilinear2d": ("bilinear", half_pixel, "round_prefer_floor"),
}


@imports(
    "upsample_nearest1d.vec",
    "upsample_nearest2d.vec",
    "_upsample_nearest_exact1d.vec",
    "_upsample_nearest_exact2d.vec",
    "upsample_linear1d.vec",
    "upsample_bilinear2d.vec",
)
def upsample(node: NodeImport) -> SSAValue:
    """upsample (interpolate) → resize2d."""
    mode, position, rounding = _MODES[node.kind]
    before, after = node.shape("input")[2:], node.shapes[0][2:]
    if "align_corners" in node.names and node.bool_("align_corners"):
        position = align_corners
    exact = [
        position(b, a, s)
        for b, a, s in zip(before, after, _scales(node, before, after), strict=True)
    ]
    steps = [rounded_position(step, offset, mode, rounding) for step, offset in exact]
    if len(steps) == 1:
        steps.insert(0, (1.0, 0.0))
    return node.spatial_result(
        len(before),
        "resize2d",
        node.spatial_input("input", len(before)),
        size=pair(after, 1),
        step=[step for step, _ in steps],
        initial_offset=[offset for _, offset in steps],
        mode=mode,
        nearest_mode=rounding if mode == "nearest" else None,
    )


def _scales(node: NodeImport, before: tuple[int, ...], after: tuple[int, ...]) -> list[Fraction]:
    """Those given, which torch samples with, or the ratio of the extents."""
    if not node.has("scale_factors"):
        return [Fraction(a, b) for a, b in zip(after, before, strict=True)]
    scales = [float(scale) for scale in node.argument("scale_factors")]
    if not all(scale > 0 for scale in scales):
        raise NoBpuForm(f"scale_factors must be positive, got {scales}")
    return [Fraction(scale) for scale in scales]
