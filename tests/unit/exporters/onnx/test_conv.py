"""Convolutions and their transposes, of all strides, pads (cropping ones too) and groups."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir.conv import Conv2dOp, ConvTransposeOp
from hbir.ir.op import ShapeError
from tests.unit.exporters.onnx.oracle import Net, numbers, operators, seeds

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(
    data=st.data(), kernel=pairs, stride=pairs, dilation=pairs, groups=st.integers(1, 3), seed=seeds
)
@settings(max_examples=40)
def test_convolutions(
    data: st.DataObject,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    seed: int,
) -> None:
    transposed = data.draw(st.booleans())
    pad = data.draw(st.lists(st.integers(-2, 3), min_size=4, max_size=4))
    cin, cout = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2))
    net = Net(numbers((2, cin, 7, 6), seed))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    shape = (cin, *kernel, cout // groups) if transposed else (cout, *kernel, cin // groups)
    operands = [x, net.constant(numbers(shape, seed + 1))]
    if data.draw(st.booleans()):
        operands.append(net.constant(numbers((cout,), seed + 2)))
    geometry = {
        "stride": list(stride),
        "pad": pad,
        "dilation": list(dilation),
        "groupNum": groups,
    }
    try:
        y = net.op(ConvTransposeOp if transposed else Conv2dOp, *operands, **geometry)
    except ShapeError:
        assume(False)
        raise
    net.check(net.transposed(y, (0, 3, 1, 2)))


def test_an_image_network_has_no_transposes() -> None:
    net = Net(numbers((1, 3, 8, 8), 0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    x = net.op(Conv2dOp, x, net.constant(numbers((4, 3, 3, 3), 1)), pad=[1, 1, 1, 1])
    x = net.op(Conv2dOp, x, net.constant(numbers((2, 1, 1, 4), 2)))
    assert operators(net.check(net.transposed(x, (0, 3, 1, 2)))) == ["Conv", "Conv"]
