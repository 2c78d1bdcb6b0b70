"""`ModuleArgument`: an input or output of a function in IR, where insertions and removals start.

Names and habits are those of the published overlay API. An insertion returns the new arguments;
the old one is no longer part of the function, and using it again is a ValueError.

`insert` is imported where it is called: it needs the definitions of many ops, which would take
longer than compiling a network that has none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import override
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue

from hbir.errors import HbirError
from hbir.interface import Argument, ArgumentType, QuantInfo
from hbir.ir.function import body_of, input_names, output_names, return_of
from hbir.ir.types import dtype_of, open_axes, shape_of
from hbir.ir.weights import WeightStore
from hbir.overlay import remove
from hbir.overlay.ports import erase_input, set_input_attribute, set_output_attribute


class InvalidArgument(HbirError, ValueError):
    """An argument that is no longer part of its function."""


class ModuleArgument(Argument):
    """One input or output. `name` and `type` are as they were when it was looked up."""

    def __init__(
        self,
        function: FuncOp,
        name: str,
        value: SSAValue,
        attributes: dict[str, Attribute],
        *,
        is_input: bool,
        weights: WeightStore,
    ) -> None:
        shape = shape_of(value)
        quantization = _quantization(attributes, len(shape) - 1)
        type_ = ArgumentType(shape, dtype_of(value), quantization, open_axes(value))
        super().__init__(name, type_, _text(attributes.get("hbir.desc")))
        self._function = function
        self._value = value
        self._is_input = is_input
        self._weights = weights

    @override
    def __setattr__(self, key: str, value: Any) -> None:
        if key == "desc" and "_function" in self.__dict__:
            self._write("hbir.desc", StringAttr(str(value)))
        super().__setattr__(key, value)

    # ------------------------------------------------------------------- insertions

    def insert_transpose(self, permutes: Sequence[int]) -> ModuleArgument:
        """One transpose {dims = permutes}; input: new → transpose → old; output: old → new."""
        from hbir.overlay import insert

        if self._is_input:
            (new,) = insert.transpose_input(self._function, self._argument(), permutes)
            return self._input(new)
        insert.transpose_output(self._function, self._index(), permutes)
        return self._output(self._name_index())

    def insert_image_convert(self, mode: str = "nv12") -> Any:
        """Camera planes as inputs: nv12 gives (y, uv), gray gives y."""
        from hbir.overlay import insert

        self._expect_input("insert_image_convert")
        new = insert.convert_image(self._function, self._argument(), mode)
        return self._one_or_tuple(new)

    def insert_image_preprocess(
        self,
        mode: str | None = None,
        divisor: float | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        is_signed: bool = True,
        bit_width: int = 8,
        image_layout: str | None = None,
    ) -> ModuleArgument:
        """((csc(x) / divisor) − mean) / std behind an input of bytes. divisor: 256 by default."""
        from hbir.overlay import insert

        self._expect_input("insert_image_preprocess")
        (new,) = insert.preprocess_image(
            self._function,
            self._argument(),
            mode=mode,
            divisor=divisor,
            mean=mean,
            std=std,
            is_signed=is_signed,
            bit_width=bit_width,
            image_layout=image_layout,
        )
        return self._input(new)

    def insert_split(self, dim: int) -> Any:
        """One input or output per element of an axis: `<name>_0`, …"""
        from hbir.overlay import insert

        if self._is_input:
            return self._one_or_tuple(
                insert.split_input(self._function, self._argument(), dim), always=True
            )
        index = self._index()
        count = insert.split_output(self._function, index, dim)
        return tuple(self._output(index + i) for i in range(count))

    def insert_roi_resize(
        self,
        mode: str = "nv12",
        interp_mode: str = "bilinear",
        pad_mode: str = "constant",
        pad_value: Sequence[int] = (0, -128),
    ) -> Any:
        """A camera's image of any size up to 8192x8192 and a region of interest as inputs, which
        the resizer crops and resizes: nv12 gives (y, uv, roi), gray gives (y, roi).

        interp_mode: bilinear or nearest. pad_mode: beyond the image, `constant` is pad_value (bytes
        of Y and of UV, modulo 256: black) and `border` its nearest pixel.
        """
        from hbir.overlay import insert

        self._expect_input("insert_roi_resize")
        new = insert.resize_roi(
            self._function,
            self._argument(),
            mode=mode,
            interp_mode=interp_mode,
            pad_mode=pad_mode,
            pad_value=pad_value,
        )
        return self._one_or_tuple(new)

    # --------------------------------------------------------------------- removals

    @property
    def get_attached_op(self) -> list[Operation]:
        """The op that removal would take, if there is one."""
        op, _ = self._attached()
        return [] if op is None else [op]

    @property
    def is_removable(self) -> tuple[bool, str]:
        """Whether `remove_attached_op` would succeed, and why not."""
        op, reason = self._attached()
        return op is not None, reason

    def remove_attached_op(self) -> tuple[bool, str]:
        """Remove the op at this port; whether one went, and why not."""
        if not self._is_input:
            index = self._index()
            done, reason = remove.remove_at_output(self._function, index, self._weights)
            self._refresh(return_of(self._function).operands[index])
            return done, reason
        new, done, reason = remove.remove_at_input(self._function, self._argument())
        self._refresh(new)
        return done, reason

    def erase(self) -> tuple[bool, str]:
        """Remove an input that nothing reads; whether it went, and why not."""
        self._expect_input("erase")
        argument = self._argument()
        if argument.first_use is not None:
            return False, f"{self.name} is used. cannot erase."
        erase_input(self._function, argument.index)
        return True, ""

    # ------------------------------------------------------------------------- within

    def _attached(self) -> tuple[Operation | None, str]:
        if self._is_input:
            return remove.attached_to_input(self._argument())
        return remove.attached_to_output(self._function, self._index())

    def _argument(self) -> BlockArgument:
        value = self._value
        if not isinstance(value, BlockArgument) or value not in body_of(self._function).args:
            raise self._gone()
        return value

    def _index(self) -> int:
        """An output's position; it is found by its name."""
        index = self._name_index()
        if return_of(self._function).operands[index] is not self._value:
            raise self._gone()
        return index

    def _name_index(self) -> int:
        names = output_names(self._function)
        if self.name not in names:
            raise self._gone()
        return names.index(self.name)

    def _gone(self) -> InvalidArgument:
        return InvalidArgument(
            f"argument {self.name!r} is no longer part of function"
            f" {self._function.sym_name.data!r}; look it up again"
        )

    def _expect_input(self, what: str) -> None:
        if not self._is_input:
            raise HbirError(f"{what}: {self.name!r} is an output; it is for inputs")

    def _write(self, key: str, value: Attribute) -> None:
        if self._is_input:
            set_input_attribute(self._function, self._argument().index, key, value)
        else:
            set_output_attribute(self._function, self._index(), key, value)

    def _refresh(self, value: SSAValue) -> None:
        self._value = value
        look_up = inputs_of if self._is_input else outputs_of
        ports = look_up(self._function, self._weights)
        self.type = next(port.type for port in ports if port.name == self.name)

    def _input(self, value: BlockArgument) -> ModuleArgument:
        return inputs_of(self._function, self._weights)[value.index]

    def _output(self, index: int) -> ModuleArgument:
        return outputs_of(self._function, self._weights)[index]

    def _one_or_tuple(self, new: list[BlockArgument], *, always: bool = False) -> Any:
        arguments = tuple(self._input(value) for value in new)
        return arguments[0] if len(arguments) == 1 and not always else arguments


def inputs_of(function: FuncOp, weights: WeightStore) -> list[ModuleArgument]:
    """The inputs of a function, in order. weights: its constants."""
    names, values = input_names(function), body_of(function).args
    return _ports(function, names, values, function.arg_attrs, weights, is_input=True)


def outputs_of(function: FuncOp, weights: WeightStore) -> list[ModuleArgument]:
    """The outputs of a function, in order. weights: its constants."""
    names, values = output_names(function), return_of(function).operands
    return _ports(function, names, values, function.res_attrs, weights, is_input=False)


def _ports(
    function: FuncOp,
    names: Sequence[str],
    values: Sequence[SSAValue],
    attributes: ArrayAttr[DictionaryAttr] | None,
    weights: WeightStore,
    *,
    is_input: bool,
) -> list[ModuleArgument]:
    given = [dict(entry.data) for entry in attributes] if attributes is not None else []
    given += [{} for _ in names[len(given) :]]
    return [
        ModuleArgument(function, name, value, entry, is_input=is_input, weights=weights)
        for name, value, entry in zip(names, values, given, strict=True)
    ]


def _text(attribute: Attribute | None) -> str:
    return attribute.data if isinstance(attribute, StringAttr) else ""


def _quantization(attributes: dict[str, Attribute], last_axis: int) -> QuantInfo:
    """One scale, or one per channel of the last axis, which all have zero point 0."""
    scale, zero = attributes.get(remove.SCALE), attributes.get(remove.ZERO_POINT)
    if isinstance(scale, DenseArrayBase):
        scales = tuple(float(number) for number in scale.get_values())
        return QuantInfo(scales, (0,) * len(scales), last_axis)
    if not isinstance(scale, FloatAttr) or not isinstance(zero, IntegerAttr):
        return QuantInfo()
    return QuantInfo((float(scale.value.data),), (int(zero.value.data),))
