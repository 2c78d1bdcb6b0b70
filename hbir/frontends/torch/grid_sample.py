"""grid_sample."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_MODES = ("bilinear", "nearest", "bicubic")
_EXPANSION_MODES = ("constant", "border", "reflection")


@imports("grid_sampler.default", "grid_sampler_2d.default")
def grid_sample(node: NodeImport) -> SSAValue:
    """grid_sample of images → grid_sample. Not bicubic, nor padded by reflection."""
    mode = _MODES[node.int_("interpolation_mode")]
    padding = _EXPANSION_MODES[node.int_("padding_mode")]
    if mode == "bicubic" or padding == "reflection":
        raise NoBpuForm("mode must be bilinear or nearest, padding_mode zeros or border")
    return node.spatial_result(
        2,
        "grid_sample",
        node.spatial_input("input", 2),
        node.value("grid"),
        mode=mode,
        expansion_mode=padding,
        align_corner=node.bool_("align_corners"),
    )
