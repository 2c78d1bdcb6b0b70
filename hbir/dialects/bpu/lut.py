"""A function of one element, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure

from hbir.dialects.bpu.base import ACTIVATIONS, expect_elements, expect_table
from hbir.dialects.checks import expect
from hbir.ir.op import TensorOp
from hbir.ir.types import SI16, SI32, AnyTensor
from hbir.kernels.lut_tables import SEGMENT_COLUMNS, SEGMENTS_MAX


@irdl_op_definition
class LutOp(TensorOp):
    """y = table[x + 128], or for si16 x a line between two of the table's knots.

    x: si8 of any shape; table: (256) si8 or si16, which is also the result's element type.
    x: si16 of any shape; table: (N, 67) si32, N <= 64 segments in rising order, of which a row is
    the first code, the shift s, and 65 knots in 2^-8 steps of the result, 2^s codes apart. With
    k, f = divmod(x − first, 2^s) in the last segment whose first code is <= x,
    y = sat((knot[k]·2^s + (knot[k+1] − knot[k])·f + 2^(s+7)) >> (s + 8)), si8 or si16.
    """

    name = "bpu.lut"

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    ELEMENTS: ClassVar = ACTIVATIONS
    PASSES_DTYPE: ClassVar = True

    x = operand_def(TensorType)
    table = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x `,` $table attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        x, table = operands
        if x.get_element_type() != SI16:
            expect_table(table, "table", (256,))
            return x.get_shape()
        shape = tuple(table.get_shape())
        expect(
            len(shape) == 2 and 1 <= shape[0] <= SEGMENTS_MAX and shape[1] == SEGMENT_COLUMNS,
            f"table must have shape [N, {SEGMENT_COLUMNS}] with N in 1..{SEGMENTS_MAX} for si16 x,"
            f" got {list(shape)}",
        )
        return x.get_shape()

    @classmethod
    @override
    def infer_element(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> Attribute | None:
        if operands[0].get_element_type() == SI16:
            expect_elements(cls, operands, (ACTIVATIONS, (SI32,)))
            return None
        expect_elements(cls, operands, (ACTIVATIONS, ACTIVATIONS))
        return operands[1].get_element_type()
