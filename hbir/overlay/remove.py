"""Removals at a function's inputs and outputs: ops there that users do themselves, or not at all.

Without its quantize an input is integers, without its dequantize an output; scale and zero point
then stand among the port's attributes (`hbir.scale`, `hbir.zero_point`).
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from xdsl.dialects.builtin import DenseArrayBase, FloatAttr, IntegerAttr, f32, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.rewriter import Rewriter

from hbir.dialects.bpu.move import ReshapeOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.qnt import DequantizeOp, QuantizeOp
from hbir.ir.function import argument_attribute, input_names, output_names, return_of
from hbir.ir.op import TensorOp
from hbir.ir.origin import name_of, origin_of_op
from hbir.ir.text import op_text
from hbir.ir.weights import WeightStore
from hbir.overlay.ports import (
    insert_input,
    rename_input,
    replace_input,
    set_input_attribute,
    set_output_attribute,
    set_outputs,
)

SCALE, ZERO_POINT = "hbir.scale", "hbir.zero_point"

REMOVABLE: dict[str, str] = {
    "qnt.quantize": "Quantize",
    "qnt.dequantize": "Dequantize",
    "hbir.transpose": "Transpose",
    "bpu.transpose": "Transpose",
    "hbir.cast_type": "Cast",
    "hbir.reshape": "Reshape",
    "bpu.reshape": "Reshape",
    "hbir.softmax": "Softmax",
    "bpu.softmax": "Softmax",
}
"""Op → the type that `remove_io_op` knows it by."""

TYPES = tuple(dict.fromkeys(REMOVABLE.values()))
OUTPUT_ONLY = ("Softmax", "Dequantize")
INPUT_ONLY = ("Quantize",)


def attached_to_input(argument: BlockArgument) -> tuple[TensorOp | None, str]:
    """The op that could go at an input, or None and why none can."""
    uses = list(argument.uses)
    if len(uses) != 1:
        return None, f"{name_of(argument)} has {_how_many(len(uses))} uses. cannot remove."
    op = uses[0].operation
    if not isinstance(op, TensorOp) or len(_data_operands(op)) != 1:
        return None, f"{_text(op)} is not a single input and single output op"
    if uses[0].index != 0:
        return None, f"{_text(op)} does not read it as its data"
    if _is_of_the_machine(op):
        return None, f"{_text(op)} is how the machine reads it, not part of the network"
    return _known(op, OUTPUT_ONLY)


def attached_to_output(function: FuncOp, index: int) -> tuple[TensorOp | None, str]:
    """The op that could go at an output, or None and why none can."""
    value = return_of(function).operands[index]
    op = value.owner
    if not isinstance(op, TensorOp) or len(_data_operands(op)) != 1 or len(op.results) != 1:
        text = _text(op) if isinstance(op, Operation) else name_of(value)
        return None, f"{text} is not a single input and single output op"
    uses = list(value.uses)
    if len(uses) != 1 or not isinstance(uses[0].operation, ReturnOp):
        name = output_names(function)[index]
        return None, f"{name} has {_how_many(len(uses))} uses. cannot remove."
    return _known(op, INPUT_ONLY)


def remove_at_input(function: FuncOp, argument: BlockArgument) -> tuple[BlockArgument, bool, str]:
    """The input that is left (another one, if an op went), whether one went, and why not."""
    op, reason = attached_to_input(argument)
    if op is None:
        return argument, False, reason
    name, index = input_names(function)[argument.index], argument.index
    new = insert_input(function, index + 1, f"{name}//", op.results[0].type)
    op.results[0].replace_all_uses_with(new)
    Rewriter.erase_op(op)
    replace_input(function, argument, new)
    rename_input(function, new.index, name)
    if isinstance(op, QuantizeOp):
        params = op.params()
        scale, zero = params["scale"], params["zero_point"]
        set_input_attribute(function, new.index, SCALE, FloatAttr(float(scale), f32))
        set_input_attribute(function, new.index, ZERO_POINT, IntegerAttr(int(zero), i64))
    return new, True, ""


def remove_at_output(function: FuncOp, index: int, weights: WeightStore) -> tuple[bool, str]:
    """Whether an op went, and why not. weights: the function's constants."""
    op, reason = attached_to_output(function, index)
    if op is None:
        return False, reason
    source: SSAValue = op.operands[0]
    set_outputs(function, index, [(output_names(function)[index], source)])
    if isinstance(op, DequantizeOp):
        scale = _scale_of(op, weights)
        if scale is not None:
            set_output_attribute(function, index, SCALE, scale)
            zero = IntegerAttr(int(op.params()["zero_point"]), i64)
            set_output_attribute(function, index, ZERO_POINT, zero)
    constants = [value.owner for value in op.operands[1:]]
    Rewriter.erase_op(op)
    for constant in constants:
        if isinstance(constant, Operation) and constant.results[0].first_use is None:
            Rewriter.erase_op(constant)
    return True, ""


def _is_of_the_machine(op: Operation) -> bool:
    """Whether it is how the machine reads a plane, by rows, and nothing of the network."""
    return isinstance(op, ReshapeOp) and origin_of_op(op) is None


def _scale_of(op: DequantizeOp, weights: WeightStore) -> Attribute | None:
    """What a dequantize multiplies by: a number, or one per channel of its operand's last axis."""
    constant = op.scale.owner
    if not isinstance(constant, ConstantOp):
        return None
    scales = [float(number) for number in weights.array(constant.values).reshape(-1)]
    return FloatAttr(scales[0], f32) if len(scales) == 1 else DenseArrayBase.from_list(f32, scales)


def kept_at_input(argument: BlockArgument, kinds: Container[str]) -> Iterator[tuple[str, str]]:
    """(type, why) of the ops of some types that follow an input but can't go, or not yet."""
    value: SSAValue = argument
    between = ""
    while True:
        readers = [use.operation for use in value.uses]
        if any(map(_is_of_the_machine, readers)):
            return
        for op in readers:
            if type_of(op) in kinds and type_of(op) not in OUTPUT_ONLY:
                yield type_of(op), between or attached_to_input(argument)[1]
        if len(readers) != 1 or not type_of(readers[0]):
            return
        between = between or f"a {type_of(readers[0])} stands before it"
        value = readers[0].results[0]


def kept_at_output(
    function: FuncOp, index: int, kinds: Container[str]
) -> Iterator[tuple[str, str]]:
    """(type, why) of the ops of some types that lead to an output but can't go, or not yet."""
    value = return_of(function).operands[index]
    between = ""
    while isinstance(op := value.owner, Operation) and type_of(op):
        kind = type_of(op)
        if kind in kinds and kind not in INPUT_ONLY:
            yield kind, between or attached_to_output(function, index)[1]
        between = between or f"a {kind} stands behind it"
        value = op.operands[0]


def type_of(op: Operation) -> str:
    """The name by which `remove_io_op` knows an op; empty for what it doesn't remove."""
    return REMOVABLE.get(op.name, "")


def _known(op: TensorOp, elsewhere: tuple[str, ...]) -> tuple[TensorOp | None, str]:
    kind = type_of(op)
    if not kind or kind in elsewhere:
        return None, f"{_text(op)} can't be removed there; {', '.join(TYPES)} can"
    return op, ""


def _data_operands(op: Operation) -> list[SSAValue]:
    """The operands that aren't constants."""
    return [
        value
        for value in op.operands
        if not (isinstance(value.owner, Operation) and value.owner.name == "hbir.constant")
    ]


def _how_many(count: int) -> str:
    return "multiple" if count > 1 else "no"


def _text(op: Operation) -> str:
    return op_text(op)


def input_quantization(argument: BlockArgument) -> tuple[float | None, int]:
    """Scale and zero point of an input whose quantize was removed; None and 0 for any other."""
    scale = argument_attribute(argument, SCALE)
    zero = argument_attribute(argument, ZERO_POINT)
    if not isinstance(scale, FloatAttr) or not isinstance(zero, IntegerAttr):
        return None, 0
    return float(scale.value.data), int(zero.value.data)
