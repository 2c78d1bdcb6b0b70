"""The scheduled interpreter gives the quantized interpreter's bits for any legal tiling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.backend.regions import layer_regions
from hbir.backend.tiling import Tiling
from hbir.compiler import schedule_module
from hbir.dialects.layers import body_ops, layer_of, set_schedule
from hbir.module import Module
from tests.unit.networks import SI8, Network, feeds, random_network


def assert_same_bits(module: Module, other: Module, seed: int = 0) -> None:
    inputs = feeds(module, seed)
    expected = module.functions[0].feed(inputs)
    for name, array in other.functions[0].feed(inputs).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


@settings(max_examples=40)
@given(st.integers(0, 100_000), st.data())
def test_any_tiling_gives_the_same_bits(seed: int, data: st.DataObject) -> None:
    module = random_network(seed)
    scheduled = schedule_module(module, opt=0)
    for number, body_op in enumerate(body_ops(scheduled.functions[0].op)):
        if body_op.is_layer:
            set_schedule(body_op.op, number, draw_tiling(body_op.op, data))
    assert_same_bits(module, scheduled, seed)


def draw_tiling(op: object, data: st.DataObject) -> Tiling:
    """A legal tiling of at most some dozen tiles."""
    from xdsl.ir import Operation

    assert isinstance(op, Operation)
    regions = layer_regions(layer_of(op))
    tile = list(regions.extents)
    for axis, extent in enumerate(regions.extents):
        if axis not in regions.whole_axes:
            parts = data.draw(st.integers(1, min(3, extent)))
            tile[axis] = -(-extent // parts)
    granule = regions.channel_granule
    if granule:
        multiple = max(1, tile[3] // granule) * granule
        divisor = max(d for d in range(1, granule + 1) if granule % d == 0 and d <= tile[3])
        tile[3] = data.draw(st.sampled_from([multiple, divisor]))
    order = data.draw(st.permutations(range(4 if regions.reduction_axis else len(tile))))
    inner = () if regions.reduction_axis is None else (4,)
    return Tiling(tuple(tile), (*order, *inner), data.draw(st.integers(1, 2)))


@pytest.mark.parametrize("element", ["si8", "si16"])
def test_a_split_reduction_is_exact(element: str) -> None:
    from tests.unit.networks import SI16

    kind = SI8 if element == "si8" else SI16
    net = Network({"x": ((1, 3, 3, 500), kind)})
    residual = net.conv(net.inputs[0], 6, 1)
    y = net.conv(net.inputs[0], 6, 3, residual=residual, pad=[1, 1, 1, 1], pad_value=4)
    module = net.finish({"y": y})
    scheduled = schedule_module(module, opt=0)
    for body_op in body_ops(scheduled.functions[0].op):
        set_schedule(body_op.op, 0, Tiling((1, 2, 3, 4, 77), (3, 0, 2, 1, 4), 1))
    assert_same_bits(module, scheduled)


def test_a_value_is_reported_by_its_name() -> None:
    net = Network({"x": ((1, 4, 4, 8), SI8)})
    module = schedule_module(net.finish({"y": net.conv(net.inputs[0], 3)}), opt=1)
    seen: list[str] = []
    module.functions[0].feed(feeds(module), listener=lambda name, array, op: seen.append(name))
    assert seen == ["x", "conv2d_1"]
