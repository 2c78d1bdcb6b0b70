"""Tilings are legal, fit, and are no worse than what an exhaustive search of small layers finds."""

from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine, load_march
from hbir.backend.regions import layer_regions
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tiling import (
    Tiling,
    areas,
    choose_tiling,
    estimate,
    first_tiling,
    onchip_bytes,
    search_tiling,
    stack_areas,
)
from hbir.errors import HbirError
from tests.unit.layers import conv_layer, pool_layer, with_l1

INT8 = np.dtype(np.int8)


@given(
    st.tuples(*(st.integers(1, n) for n in (2, 30, 30, 300, 200))),
    st.sampled_from([1, 3]),
    st.sampled_from([4096, 16384, 1 << 20]),
    st.integers(0, 2),
)
def test_chosen_tilings_are_legal_and_fit(
    size: tuple[int, ...], kernel: int, l1_bytes: int, opt: int
) -> None:
    machine = with_l1(load_march("nash-e"), l1_bytes)
    layer = conv_layer(size[:4], size[4], kernel)
    check(machine, layer, choose_tiling(machine, layer, opt))


@pytest.mark.parametrize("opt", [0, 1, 2])
@pytest.mark.parametrize("groups", [2, 24, 96])
def test_tiles_respect_the_groups(groups: int, opt: int) -> None:
    machine = with_l1(load_march("nash-e"), 8192)
    layer = conv_layer((1, 40, 40, 192), 192, 3, groups)
    tiling = choose_tiling(machine, layer, opt)
    check(machine, layer, tiling)
    per_group = 192 // groups
    assert tiling.tile[3] % per_group == 0 or per_group % tiling.tile[3] == 0


def check(machine: Machine, layer: Layer, tiling: Tiling) -> None:
    extents = layer_regions(layer).extents
    assert len(tiling.tile) == len(extents)
    assert all(1 <= t <= n for t, n in zip(tiling.tile, extents, strict=True))
    assert sorted(tiling.order) == list(range(len(extents)))
    assert onchip_bytes(machine, layer, tiling) <= machine.memory.l1_bytes
    needed = areas(machine, layer, tiling.tile, tiling.buffers)
    spans = sorted(
        (offset, area.bytes_per_buffer)
        for area, buffers in zip(needed, stack_areas(layer, needed), strict=True)
        for offset in buffers
    )
    assert spans[0][0] >= 0
    assert all(a + n <= b for (a, n), (b, _) in pairwise(spans))
    assert spans[-1][0] + spans[-1][1] <= machine.memory.l1_bytes


def test_areas_hold_the_largest_box_of_any_tile() -> None:
    machine = load_march("nash-e")
    layer = conv_layer((1, 23, 17, 40), 20, 3)
    tile = (1, 5, 4, 16, 20)
    sizes = {area.operand: area.bytes_per_buffer for area in areas(machine, layer, tile, 1)}
    grid = TileGrid(layer_regions(layer), tile)
    for index in grid.indices((0, 1, 2, 3, 4)):
        for operand, padded in ((0, True), (1, False), (2, False)):
            box = grid.operand_box(operand, index)
            assert box is not None
            shape = [high - low for low, high in box]
            last = shape[-1] * layer.inputs[operand].itemsize
            last = -(-last // 16) * 16 if padded else last
            assert prod(shape[:-1]) * last <= sizes[operand]


def test_a_reduction_too_deep_for_one_channel_is_split() -> None:
    machine = with_l1(load_march("nash-e"), 4096)
    layer = conv_layer((1, 4, 4, 8), 5000, 1)
    for opt in (0, 1, 2):
        tiling = choose_tiling(machine, layer, opt)
        assert tiling.tile[4] < 5000
        assert tiling.order[-1] == 4  # partial sums stay on chip
        check(machine, layer, tiling)


def test_what_can_not_fit_is_named() -> None:
    machine = with_l1(load_march("nash-e"), 1024)
    params: dict[str, Any] = {"dims": (1, 2), "keep_dim": True}
    spec = TensorSpec((1, 100, 100, 8), INT8)
    layer = Layer("reduce_mean", (spec,), TensorSpec((1, 1, 1, 8), INT8), params, "head")
    for opt in (0, 1, 2):
        with pytest.raises(HbirError, match=r"head: reduce_mean of \[1, 1, 1, 8\] doesn't fit"):
            choose_tiling(machine, layer, opt)


@pytest.mark.parametrize("layer", [conv_layer((1, 20, 20, 48), 16, 3), pool_layer((1, 12, 12, 32))])
def test_the_search_is_close_to_the_best_of_all_tilings(layer: Layer) -> None:
    machine = with_l1(load_march("nash-e"), 16384)
    extents = layer_regions(layer).extents
    sizes = [sorted({-(-n // parts) for parts in range(1, n + 1)}) for n in extents]
    orders = [tuple(range(len(extents)))]
    if len(extents) == 5:
        sizes[4] = [extents[4]]
        orders.append((3, 0, 1, 2, 4))
    best = min(
        estimate(machine, layer, tiling).cycles
        for tile, order in product(product(*sizes), orders)
        if onchip_bytes(machine, layer, tiling := Tiling(tile, order, 2)) <= 16384
    )
    found = estimate(machine, layer, search_tiling(machine, layer)).cycles
    assert best <= found <= 1.1 * best


def test_searching_is_never_worse_than_the_first_that_fits() -> None:
    machine = load_march("nash-e")
    for layer in (conv_layer((1, 56, 56, 256), 64, 1), conv_layer((1, 7, 7, 512), 512, 3)):
        first = estimate(machine, layer, first_tiling(machine, layer)).cycles
        assert estimate(machine, layer, search_tiling(machine, layer)).cycles <= first


def test_what_an_operand_needs_whole_gives_way_first() -> None:
    """Of an indexed table that doesn't fit, columns are cut; cutting the indices gains nothing."""
    table, index = TensorSpec((30000, 64), INT8, True), TensorSpec((128,), np.dtype(np.int64))
    layer = Layer("index", (table, index), TensorSpec((128, 64), INT8), {"dim": 0}, "embedding")
    machine = with_l1(load_march("nash-e"), 1 << 20)
    assert first_tiling(machine, layer).tile == (128, 32)
