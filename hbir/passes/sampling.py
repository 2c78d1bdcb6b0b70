"""Which coordinates of a grid matter: those beyond the image all read the same."""

from __future__ import annotations

from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.ir.types import shape_of


def coordinates_read(op: GridSampleOp, observed: tuple[float, float]) -> tuple[float, float]:
    """The part of a grid's range in which the sample still changes.

    One element outside the image, nothing but padding (or the border) is read: a place that a
    network marks as invalid by a coordinate of 1e6 costs no resolution.
    """
    _, height, width, _ = shape_of(op.x)
    align: bool = op.params()["align_corner"]
    limit = 1.0 + max(2.0 / max(e - 1, 1) if align else 1.0 / e for e in (height, width))
    return max(observed[0], -limit), min(observed[1], limit)
