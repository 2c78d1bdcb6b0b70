"""GridSample."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_MODES = {"bilinear": "bilinear", "linear": "bilinear", "nearest": "nearest"}
_EXPANSION_MODES = {"zeros": "constant", "border": "border"}


@imports("GridSample")
def grid_sample(node: NodeImport) -> SSAValue:
    """GridSample of images → grid_sample."""
    mode = node.str_("mode", "linear")
    if mode not in _MODES:
        raise NoBpuForm(f"mode must be one of {', '.join(_MODES)}, got {mode!r}")
    padding = node.str_("padding_mode", "zeros")
    if padding not in _EXPANSION_MODES:
        known = ", ".join(_EXPANSION_MODES)
        raise NoBpuForm(f"padding_mode must be one of {known}, got {padding!r}")
    if len(node.shape(0)) != 4:
        raise NoBpuForm(f"its input must have rank 4, it has {len(node.shape(0))}")
    return node.spatial_result(
        "grid_sample",
        node.spatial_input(0),
        node.value(1),
        mode=_MODES[mode],
        expansion_mode=_EXPANSION_MODES[padding],
        align_corner=bool(node.int_("align_corners", 0)),
    )
