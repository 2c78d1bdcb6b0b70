"""The regions of layers: whole axes, pieces, and what the machine can't do."""

import numpy as np
import pytest

from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.regions import layer_regions
from hbir.backend.tile_grid import TileGrid
from hbir.errors import HbirError

INT8 = np.dtype(np.int8)


def test_concat_pieces_and_their_places() -> None:
    specs = tuple(TensorSpec((1, n), INT8) for n in (3, 2, 4))
    layer = Layer("concat", specs, TensorSpec((1, 9), INT8), {"dim": -1})
    grid = TileGrid(layer_regions(layer), (1, 4))
    boxes = [[grid.operand_box(o, (0, i)) for o in range(3)] for i in range(3)]
    assert boxes[0] == [((0, 1), (0, 3)), ((0, 1), (0, 1)), None]
    assert boxes[1] == [None, ((0, 1), (1, 2)), ((0, 1), (0, 3))]
    assert boxes[2] == [None, None, ((0, 1), (3, 4))]
    assert grid.place(1, (0, 0)) == (0, 3)
    assert grid.place(2, (0, 1)) == (0, 1)


def test_the_softmax_axis_and_groups_of_k_stay_whole() -> None:
    spec = TensorSpec((2, 3, 4), INT8)
    layer = Layer("softmax", (spec,), spec, {"dim": -2})
    assert layer_regions(layer).whole_axes == {1}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Layer("nms", (), TensorSpec((1,), INT8), {}, "scores"), "scores: no tiling is known"),
        (Layer("lut", (), TensorSpec((1,) * 7, INT8), {}, "deep"), "deep: 7 axes"),
    ],
)
def test_what_the_machine_can_not_do_is_named(layer: Layer, message: str) -> None:
    with pytest.raises(HbirError, match=message):
        layer_regions(layer)
