"""Origins: fusing, permuting, and their text form."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.parser import Parser

import hbir
import hbir.onnx
from hbir.ir.context import make_context
from hbir.ir.origin import Node, Origin, OriginAttr, origin_of_op, parse_origin

names = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), min_size=1
)
origins = st.builds(
    Origin,
    tensor=names,
    perm=st.permutations(range(4)).map(tuple),
    nodes=st.lists(st.builds(Node, names, names), max_size=3).map(tuple),
    scale=st.none() | st.floats(2**-20, 2**20, width=32),
    zero_point=st.integers(-128, 127),
)


@given(origins)
def test_text_round_trip(origin: Origin) -> None:
    attribute = origin.attribute()
    ctx = make_context()
    parsed = Parser(ctx, str(attribute)).parse_attribute()
    assert isinstance(parsed, OriginAttr)
    assert Origin.of_attribute(parsed) == origin


def test_fusing_keeps_the_name_and_puts_earlier_nodes_first() -> None:
    conv = Origin("conv_out", nodes=(Node("Conv_0", "Conv"),))
    relu = Origin("relu_out", nodes=(Node("Relu_1", "Relu"),))
    fused = relu.fused_with([conv])
    assert fused.tensor == "relu_out"
    assert [node.name for node in fused.nodes] == ["Conv_0", "Relu_1"]
    assert fused.fused_with([conv]) == replace(fused)


def test_permutation_composes_and_cancels() -> None:
    source = Origin("x")
    channel_last = source.permuted((0, 2, 3, 1))
    assert channel_last.perm == (0, 2, 3, 1)
    assert channel_last.permuted((0, 3, 1, 2)).perm == ()


def test_the_nodes_of_a_fused_op_are_in_the_order_they_are_computed() -> None:
    names: list[str] = []
    module = hbir.onnx.export("examples/mnist/model.onnx")
    images = np.zeros((1, 1, 28, 28), np.float32)
    quantized = hbir.convert(hbir.calibrate(module, [{"image": images}]), "nash-e")
    for op in quantized.functions[0].operations:
        origin = origin_of_op(op)
        if origin is not None and origin.tensor == "residual_relu" and len(origin.nodes) > 1:
            names = [node.type for node in origin.nodes]
    assert names == ["Conv", "BatchNormalization", "Add", "Relu"]
    assert hbir.statistics(quantized)[0]["fused BatchNormalization"] == 5


@pytest.mark.parametrize(
    "text",
    [
        '#hbir.origin<"a">',
        '#hbir.origin<"a/b:0", perm [0, 3, 1, 2]>',
        '#hbir.origin<"a", from "n" "Conv">',
        '#hbir.origin<"a", perm [1, 0], from "n" "Conv", "m" "Relu", scale 1.000000e-01 : f32, zero_point -3>',
        '#hbir.origin<"a", scale 5.0e-324 : f32>',
        '#hbir.origin<"a", from "n" "Conv", scale dense_resource<w1> : tensor<2x32xf32>, zero_point 3>',
    ],
)
def test_the_fast_parser_gives_what_the_parser_gives(text: str) -> None:
    assert parse_origin(text) == Parser(make_context(), text).parse_attribute()


@pytest.mark.parametrize(
    "text",
    [
        '#hbir.origin<"a\\22b">',
        '#hbir.origin<"a", scale dense<1.0> : tensor<2xf32>>',
        '#hbir.origin<"a", scale 0x7FC00000 : f32>',
        '#hbir.origin<"a" >',
        '#hbir.origin<"a">x',
    ],
)
def test_the_fast_parser_leaves_the_rest_to_the_parser(text: str) -> None:
    assert parse_origin(text) is None
