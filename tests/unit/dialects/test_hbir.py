"""Ops of hbir as builders make them: inferred types, defaults, properties by either name."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import FloatAttr, f32
from xdsl.ir import Block, SSAValue

from hbir.dialects.hbir.activation import ClipOp
from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.conv import Conv2dOp
from hbir.dialects.hbir.move import SliceOp
from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.dialects.qnt import ConstFakeQuantOp, QuantizeOp
from hbir.errors import HbirError
from hbir.ir.op import ShapeError
from hbir.ir.types import F32, SI8, SI16, element_of, shape_of, tensor
from hbir.ir.weights import WeightStore


def value(*shape: int) -> SSAValue:
    """A f32 value of a shape."""
    return Block(arg_types=[tensor(shape, F32)]).args[0]


def test_the_result_type_is_inferred() -> None:
    op = Conv2dOp.make(value(2, 9, 9, 4), value(6, 3, 3, 2), stride=(2, 2), group_num=2)
    op.verify()
    assert shape_of(op.output) == (2, 4, 4, 6)
    assert op.params() == {
        "stride": (2, 2),
        "pad": (0, 0, 0, 0),
        "dilation": (1, 1),
        "group_num": 2,
    }


def test_published_property_names_work_too() -> None:
    op = Conv2dOp.make(value(1, 9, 9, 4), value(6, 3, 3, 2), groupNum=2)
    assert op.group_num.value.data == 2


def test_what_does_not_fit_is_refused_when_made() -> None:
    with pytest.raises(ShapeError, match="takes 2 input channels, x has 4"):
        Conv2dOp.make(value(1, 9, 9, 4), value(6, 3, 3, 2))
    with pytest.raises(HbirError, match="has no property 'strides'"):
        Conv2dOp.make(value(1, 9, 9, 4), value(6, 3, 3, 4), strides=(1, 1))


def test_optional_properties_may_be_none() -> None:
    op = SliceOp.make(value(4, 9), begin=(0, 2), end=(4, 9), step=None)
    op.verify()
    assert "step" not in op.params()
    fake = ConstFakeQuantOp.make(value(4, 9), min=[-1.0], max=[1.0], axis=None)
    fake.verify()
    assert "axis" not in fake.params()


def test_numpy_scalars_are_properties() -> None:
    op = ClipOp.make(value(4), min=np.float32(0.0), max=np.float64(6.0))
    op.verify()
    assert op.params() == {"min": 0.0, "max": 6.0}
    softmax = SoftmaxOp.make(value(4, 3), dim=np.int64(0))
    softmax.verify()
    assert softmax.params() == {"dim": 0}


def test_the_builder_chooses_the_element_where_it_must() -> None:
    op = CastTypeOp.make(value(4), element=SI16)
    op.verify()
    assert element_of(op.output) == SI16
    assert op.params() == {"dtype": np.dtype(np.int16)}
    with pytest.raises(ShapeError, match="element type"):
        CastTypeOp.make(value(4))


def test_scales_are_float32() -> None:
    op = QuantizeOp.make(value(4), scale=0.1, element=SI8)
    op.verify()
    assert op.scale == FloatAttr(float(np.float32(0.1)), f32)
    assert np.float32(op.params()["scale"]) == np.float32(0.1)


@pytest.mark.parametrize("size", [3, 1000])
def test_a_constant_has_its_values_type(size: int) -> None:
    weights = WeightStore()
    array = np.arange(size, dtype=np.int16)
    op = ConstantOp.make(values=weights.attribute(array))
    op.verify()
    assert shape_of(op.output) == (size,)
    assert element_of(op.output) == SI16
    np.testing.assert_array_equal(weights.array(op.values), array)
