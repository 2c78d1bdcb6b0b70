"""The `hbir` dialect: what a network computes, in float, on channel-last tensors.

One file per op family. Op names, property names and layouts follow the published HBIR: activations
(N, H, W, C), convolution weights (Cout, KH, KW, Cin/group), pads [top, left, bottom, right]. Every
op has one result, whose shape is inferred from operands and properties.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from hbir.dialects import collect_dialect
from hbir.ir.origin import OriginAttr


def dialect() -> Dialect:
    """The dialect of the ops in this folder and of `#hbir.origin`."""
    return collect_dialect("hbir", __name__, [OriginAttr])
