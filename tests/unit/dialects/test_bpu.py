"""The bpu dialect as a whole: ops and kernels agree, and ops can be made."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from xdsl.dialects.test import TestOp as SourceOp

from hbir.dialects.bpu import dialect
from hbir.dialects.bpu.conv import Conv2dOp
from hbir.dialects.bpu.elementwise import AddOp
from hbir.dialects.bpu.schedule import AllocAttr, MemorySpace, ScheduleAttr
from hbir.ir.op import ShapeError, TensorOp, snake_case
from hbir.ir.types import SI8, SI16, SI32, AnyTensor, tensor
from hbir.kernels.parameters import add_parameters
from hbir.kernels.table import find_kernel, kernel_names

OPS = {op.name: op for op in dialect().operations if issubclass(op, TensorOp)}


def values(*types: AnyTensor):
    """Values of the given types."""
    return SourceOp(result_types=types).results


def test_every_op_has_a_kernel_and_every_kernel_an_op():
    assert sorted(OPS) == kernel_names("bpu")
    assert len(OPS) >= 17


@pytest.mark.parametrize("name", sorted(OPS))
def test_properties_are_the_kernels_keyword_arguments(name: str):
    op = OPS[name]
    definition = op.get_irdl_definition()
    properties = {snake_case(p) for p in definition.properties if p not in op.HIDDEN_PROPERTIES}
    if op.PASSES_DTYPE:
        properties.add("dtype")
    parameters = inspect.signature(find_kernel(name)).parameters.values()
    keywords = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert properties == keywords


@pytest.mark.parametrize("name", sorted(OPS))
def test_defaults_are_the_kernels_defaults(name: str):
    defaults = OPS[name].default_params()
    parameters = inspect.signature(find_kernel(name)).parameters
    for key, value in defaults.items():
        default = parameters[key].default
        if default is not inspect.Parameter.empty:
            assert default == value, key


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_op_states_its_formula(name: str):
    text = inspect.getdoc(OPS[name])
    assert text is not None
    assert len(text) > 40


def test_make_infers_the_shape_and_takes_the_element():
    x, w, qpp = values(tensor((1, 8, 8, 16), SI8), tensor((4, 3, 3, 16), SI8), tensor((4, 3), SI32))
    op = Conv2dOp.make(x, w, qpp, element=SI16, stride=(2, 2), pad=(1, 1, 1, 1), pad_value=-4)
    op.verify()
    assert op.output_type == tensor((1, 4, 4, 4), SI16)
    params = op.params()
    assert params["pad_value"] == -4
    assert params["dtype"] == np.dtype(np.int16)


def test_make_refuses_operands_that_do_not_fit():
    x, w, qpp = values(tensor((1, 8, 8, 3), SI8), tensor((4, 3, 3, 16), SI8), tensor((4, 3), SI32))
    with pytest.raises(ShapeError, match="takes 16 input channels, x has 3"):
        Conv2dOp.make(x, w, qpp, element=SI8)


def test_parameters_are_properties_as_they_are():
    x, y = values(tensor((1, 4), SI8), tensor((4,), SI8))
    op = AddOp.make(x, y, element=SI8, **add_parameters(0.1, 0.2, 0.15))
    op.verify()
    assert op.params()["multipliers"] == add_parameters(0.1, 0.2, 0.15)["multipliers"]


def test_schedule_and_alloc_hold_python_values():
    schedule = ScheduleAttr.of(3, (1, 8, 8, 64, 32), (3, 0, 1, 2, 4), 2)
    assert schedule.tile_extents == (1, 8, 8, 64, 32)
    assert schedule.loop_order == (3, 0, 1, 2, 4)
    alloc = AllocAttr.of("l2", 64, 128)
    assert alloc.space.data is MemorySpace.L2
    assert (alloc.offset.data, alloc.bytes.data) == (64, 128)


def test_memory_spaces_are_the_programs():
    from hbir.backend.isa.enums import SPACE_NAMES

    assert [space.value for space in MemorySpace] == list(SPACE_NAMES.values())
