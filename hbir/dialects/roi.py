"""What the float and the integer roi_resize share: the rule of planes, roi and result."""

from __future__ import annotations

from collections.abc import Sequence

from hbir.dialects.checks import expect, expect_one_of, expect_rank, int_list
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI32, UI8, AnyTensor, open_axes
from hbir.kernels.float.grid_sample import EXPANSION_MODES
from hbir.kernels.roi import INTERPOLATE_MODES, MAX_EXTENT, PLANES

OPEN_AXES = (1, 2)
"""H and W of a plane: each image brings its own."""

PADS = range(-128, 256)
"""Of a byte: as si8 or as ui8."""


def roi_resized_shape(planes: Operands, roi: AnyTensor, params: Params) -> Shape:
    """(1, H, W, C) of open planes, ui8, and a roi, si32 (1, 4)."""
    mode: str = params["mode"]
    expect_one_of(mode, tuple(PLANES), "mode")
    expect_one_of(params["interpolate_mode"], INTERPOLATE_MODES, "interpolateMode")
    expect_one_of(params["expansion_mode"], EXPANSION_MODES, "expansionMode")
    height, width = int_list(params, "size", 2, minimum=1)
    expect(
        max(height, width) <= MAX_EXTENT, f"size must be at most {MAX_EXTENT}, got {height}x{width}"
    )
    pads: Sequence[int] = params["pad_value"]
    expect(
        len(pads) == 2 and all(pad in PADS for pad in pads),
        f"padValue must be a byte for Y and one for UV, {PADS[0]}...{PADS[-1]}, got {list(pads)}",
    )
    expect(
        roi.get_shape() == (1, 4) and roi.get_element_type() == SI32 and not open_axes(roi),
        f"roi must be tensor<1x4xsi32> (left, top, right, bottom), got {roi}",
    )
    expect(
        len(planes) == len(PLANES[mode]),
        f"{mode} has {len(PLANES[mode])} plane{'s'[: len(PLANES[mode]) - 1]}, got {len(planes)}",
    )
    _, rows, columns, _ = expect_rank(planes[0], "y", 4, "(1, H, W, 1)")
    for name, plane, (channels, pixels) in zip(("y", "uv"), planes, PLANES[mode], strict=False):
        expect(plane.get_element_type() == UI8, f"planes must be ui8, got {plane}")
        expected = (1, rows // pixels, columns // pixels, channels)
        expect(plane.get_shape() == expected, f"{name} must be {list(expected)}, got {plane}")
        expect(
            open_axes(plane) == OPEN_AXES, f"{name} must have dynamic_dims [-2, -3], got {plane}"
        )
        expect(
            height % pixels == width % pixels == rows % pixels == columns % pixels == 0,
            f"{mode} needs an even height and width, got {rows}x{columns} and size"
            f" {height}x{width}",
        )
    expect(max(rows, columns) <= MAX_EXTENT, f"planes have at most {MAX_EXTENT} rows and columns")
    return 1, height, width, sum(channels for channels, _ in PLANES[mode])
