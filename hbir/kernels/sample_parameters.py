"""Fixed-point positions of `bpu.grid_sample`, derived from the scale of its grid."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hbir.errors import HbirError
from hbir.kernels.parameters import RESIZE_FRACTION_BITS

_STEP_LIMIT = 1 << 45
"""|step · 2^16 + offset| stays below 2^62."""


def grid_sample_parameters(
    scale: float, zero_point: int, size: Sequence[int], *, align_corner: bool
) -> dict[str, tuple[int, int]]:
    """`step` and `initial_offset` of [H, W]: the position of the coordinate q is step · q + offset.

    A coordinate g = scale · (q − zero_point) stands for the position g · half + (extent − 1) / 2,
    half being extent / 2, or with align_corner (extent − 1) / 2. size: [H, W] of the image. Raises
    HbirError for a grid whose range is absurd.
    """
    steps: list[int] = []
    offsets: list[int] = []
    for extent in size:
        half = Fraction(extent - 1 if align_corner else extent, 2)
        step = round(Fraction(scale) * half * (1 << RESIZE_FRACTION_BITS))
        if abs(step) > _STEP_LIMIT:
            raise HbirError(f"a step of its grid is {float(scale * half):.3g} elements")
        steps.append(step)
        centre = (extent - 1) << (RESIZE_FRACTION_BITS - 1)
        offsets.append(centre - step * zero_point)
    return {"step": (steps[0], steps[1]), "initial_offset": (offsets[0], offsets[1])}
