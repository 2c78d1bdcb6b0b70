"""Pools: ceil mode, dilation, pads that count or not."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir.pool import AvgPoolOp, MaxPoolOp
from hbir.ir.op import ShapeError
from tests.unit.exporters.onnx.oracle import Net, numbers, seeds

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(
    data=st.data(),
    kernel=pairs,
    stride=pairs,
    dilation=pairs,
    ceil_mode=st.booleans(),
    mean=st.booleans(),
    seed=seeds,
)
@settings(max_examples=60)
def test_pools(
    data: st.DataObject,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    ceil_mode: bool,
    mean: bool,
    seed: int,
) -> None:
    reach = [(kernel[axis] - 1) * dilation[axis] for axis in (0, 1)]
    pad = [data.draw(st.integers(0, reach[side % 2])) for side in range(4)]
    net = Net(numbers((1, 2, 7, 6), seed))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    parameters = {
        "kernel": list(kernel),
        "stride": list(stride),
        "pad": pad,
        "dilation": list(dilation),
        "ceilMode": ceil_mode,
    }
    try:
        if mean:
            counted = data.draw(st.booleans())
            y = net.op(AvgPoolOp, x, countIncludePad=counted, **parameters)
        else:
            y = net.op(MaxPoolOp, x, **parameters)
    except ShapeError:
        assume(False)
        raise
    net.check(net.transposed(y, (0, 3, 1, 2)))
