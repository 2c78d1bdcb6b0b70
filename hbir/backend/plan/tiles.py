"""Tiles of a layer that takes no turns with others, its tensors on chip where they can be."""

from __future__ import annotations

from hbir.backend.layer import Layer
from hbir.backend.march import Machine
from hbir.backend.memory import align
from hbir.backend.plan.network import constant_bytes
from hbir.backend.regions import layer_regions
from hbir.backend.tile_grid_cost import OUTPUT
from hbir.backend.tiling import Tiling, onchip_bytes, search_tiling

SLAB_BYTES = 64 * 1024
"""Constants below this are loaded at once: shorter transfers are mostly latency."""


def resident_layer(layer: Layer, resident: frozenset[int]) -> bool:
    """Whether nothing but constants is moved for a layer."""
    slots = {i for i, spec in enumerate(layer.inputs) if not spec.constant} | {OUTPUT}
    return slots <= resident or (layer.moves_only and OUTPUT in resident)


def whole_tiling(layer: Layer) -> Tiling:
    """One tile."""
    extents = layer_regions(layer).extents
    return Tiling(extents, tuple(range(len(extents))), 2)


def slab_tiling(machine: Machine, layer: Layer, slab_bytes: int) -> Tiling:
    """Tiles of output channels whose constants take about `slab_bytes`."""
    regions = layer_regions(layer)
    total = constant_bytes(machine, layer)
    if regions.reduction_axis is None or regions.channel_granule > 1 or total <= slab_bytes:
        return whole_tiling(layer)
    extents = regions.extents
    parts = -(-total // max(slab_bytes, 1))
    channels = min(extents[3], align(-(-extents[3] // parts), machine.tae.unroll_cout))
    return Tiling((*extents[:3], channels, extents[4]), (0, 3, 1, 2, 4), 2)


def streamed_tiling(
    machine: Machine, layer: Layer, resident: frozenset[int], free_bytes: int
) -> Tiling:
    """The searched tiles of a layer that reads or writes DDR, or whose constants need a K split."""
    tiling = search_tiling(machine, layer, free_bytes, resident)
    if onchip_bytes(machine, layer, tiling, resident) > free_bytes:
        single = Tiling(tiling.tile, tiling.order, 1)
        return single
    return tiling
