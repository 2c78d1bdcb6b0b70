"""`TensorOp`: the base of hbir's single-result tensor ops.

It ties four things to one list of properties: the result's shape (inferred when the op is made,
compared when it is verified), the Python values of the properties (`params`), the keyword
arguments of the kernel of the same name, and the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeAlias, cast

from typing_extensions import override
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    FloatAttr,
    FloatData,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    f64,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.utils.exceptions import VerifyException

from hbir.errors import HbirError
from hbir.ir.names import value_name
from hbir.ir.origin import Origin, set_origin
from hbir.ir.types import BOOL, AnyTensor, element_of, numpy_dtype, shape_of, tensor, tensor_type

Operands: TypeAlias = Sequence[AnyTensor]
"""The types of an op's operands."""
Params: TypeAlias = Mapping[str, Any]
"""An op's properties as Python values by snake_case name."""
Shape: TypeAlias = tuple[int, ...]

_SEGMENTS = "operandSegmentSizes"


class ShapeError(HbirError):
    """Operands and properties that an op has no result for."""


@lru_cache(maxsize=4096)
def snake_case(name: str) -> str:
    """`groupNum` → `group_num`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)


def to_attribute(value: Any) -> Attribute:
    """A Python value as a property: ints are i64, floats f64, sequences arrays of these."""
    match value:
        case Attribute():
            return value
        case bool():
            return IntegerAttr(int(value), BOOL)
        case int():
            return IntegerAttr(value, i64)
        case float():
            return FloatAttr(value, f64)
        case str():
            return StringAttr(value)
        case list() | tuple():
            items = cast(Sequence[Any], value)
            if set(map(type, items)) == {float}:
                return _of_floats(tuple(items))
            return ArrayAttr(map(to_attribute, items))
        case _:
            pass
    if hasattr(value, "item"):  # a NumPy scalar
        return to_attribute(value.item())
    raise TypeError(f"{value!r} can't be a property")


def _double(value: float) -> FloatAttr:
    """`FloatAttr(value, f64)` in a tenth of the time: ranges per channel are lists of thousands.

    Nothing is left out that could fail: xDSL rounds the value to the type, and checks parameters
    whose classes are known here.
    """
    data = FloatData.__new__(FloatData)
    object.__setattr__(data, "data", value)  # both classes are frozen
    attribute = FloatAttr.__new__(FloatAttr)
    object.__setattr__(attribute, "value", data)
    object.__setattr__(attribute, "type", f64)
    return attribute


_FLOATS = "_hbir_floats"
"""Where an array attribute of floats keeps them as Python has them: a weight's ranges are asked for
by every level, and attributes never change."""


def _of_floats(items: tuple[float, ...]) -> Attribute:
    attribute = ArrayAttr(map(_double, items))
    vars(attribute)[_FLOATS] = items
    return attribute


def _floats(attribute: ArrayAttr[Attribute]) -> tuple[float, ...]:
    """The numbers of an array of nothing but floats; empty for any other."""
    known = vars(attribute).get(_FLOATS)
    if known is None:
        floats = cast(tuple[FloatAttr, ...], attribute.data)
        known = () if set(map(type, floats)) != {FloatAttr} else tuple(f.value.data for f in floats)
        vars(attribute)[_FLOATS] = known
    return known


def to_python(attribute: Attribute) -> Any:
    """A property as a Python value; attributes without one come back as they are."""
    match attribute:
        case IntegerAttr():
            boolean = isinstance(attribute.type, IntegerType) and attribute.type.width.data == 1
            return bool(attribute.value.data) if boolean else attribute.value.data
        case FloatAttr():
            return attribute.value.data
        case StringAttr():
            return attribute.data
        case UnitAttr():
            return True
        case ArrayAttr():
            return _floats(attribute) or tuple(map(to_python, attribute.data))
        case DenseArrayBase():
            dense = cast(Any, attribute)
            return tuple(dense.get_values())
        case _:
            return attribute


class TensorOp(IRDLOperation):
    """An op with one ranked-tensor result whose shape follows from operands and properties.

    Subclasses say `infer_shape`, and `infer_element` where the result's element isn't the first
    operand's. A subclass whose element the builder chooses (the integer ops, casts) returns None
    from `infer_element` and names the allowed ones in `ELEMENTS`.
    """

    ELEMENTS: ClassVar[tuple[Attribute, ...]] = ()
    """Element types that the result may have; empty for any."""

    PASSES_DTYPE: ClassVar[bool] = False
    """Whether the kernel takes the result's NumPy dtype as `dtype`."""

    HIDDEN_PROPERTIES: ClassVar[frozenset[str]] = frozenset({_SEGMENTS})
    """Properties that the kernel doesn't take."""

    @classmethod
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        """The result's shape. Raises ShapeError when operands and params don't fit each other."""
        raise NotImplementedError(f"{cls.name} has no shape inference")

    @classmethod
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        """The result's element type; None when the builder chooses it."""
        return operands[0].get_element_type()

    @classmethod
    def default_params(cls) -> dict[str, Any]:
        """The properties that have a default, as Python values by snake_case name."""
        return dict(_defaults(cls))

    @classmethod
    def make(
        cls,
        *operands: SSAValue | Operation,
        origin: Origin | None = None,
        element: Attribute | None = None,
        **properties: Any,
    ) -> Self:
        """The op over `operands` with its result type inferred.

        `properties` go by snake_case or published (camelCase) name, as Python values or
        attributes; None leaves one out. Raises ShapeError when the op has no result for them, and
        HbirError for a property that the op doesn't have.
        """
        values = [SSAValue.get(operand) for operand in operands]
        attributes = _properties(cls, properties)
        op = cls.create(operands=values, properties=attributes, result_types=[])
        try:
            types = [tensor_type(value) for value in values]
            params = op.params_without_result()
            inferred = cls.infer_element(types, params)
            chosen = inferred if element is None else element
            if chosen is None:
                raise ShapeError(f"{cls.name}: the builder must say the result's element type")
            result = tensor(cls.infer_shape(types, params), chosen)
        finally:
            op.drop_all_references()  # a failed attempt must not count as a use of its operands
        op = cls.create(operands=values, properties=attributes, result_types=[result])
        if origin is not None:
            set_origin(op, origin)
            op.results[0].name_hint = value_name(origin.tensor)
        return op

    @property
    def output(self) -> SSAValue:
        """The op's one result."""
        return self.results[0]

    @property
    def output_type(self) -> AnyTensor:
        """The type of the op's one result."""
        return tensor_type(self.results[0])

    def params_without_result(self) -> dict[str, Any]:
        """`params` without the result's dtype (the result may not exist yet)."""
        params = dict(_defaults(type(self)))
        for name, attribute in self.properties.items():
            if name not in self.HIDDEN_PROPERTIES:
                params[snake_case(name)] = to_python(attribute)
        return params

    def params(self) -> dict[str, Any]:
        """The properties as Python values by snake_case name, defaults filled in.

        Exactly the keyword arguments of the kernel of this op's name.
        """
        params = self.params_without_result()
        if self.PASSES_DTYPE:
            params["dtype"] = numpy_dtype(element_of(self.results[0]))
        return params

    @override
    def verify_(self) -> None:
        types = [tensor_type(operand) for operand in self.operands]
        result = tensor_type(self.results[0])
        params = self.params_without_result()
        try:
            shape = self.infer_shape(types, params)
            element = self.infer_element(types, params)
        except HbirError as error:
            raise VerifyException(str(error)) from error
        if shape_of(result) != tuple(shape):
            raise VerifyException(
                f"result has shape {list(shape_of(result))}, operands and properties give"
                f" {list(shape)}"
            )
        if element is not None and result.get_element_type() != element:
            raise VerifyException(
                f"result has element type {result.get_element_type()}, expected {element}"
            )
        if self.ELEMENTS and result.get_element_type() not in self.ELEMENTS:
            allowed = ", ".join(str(e) for e in self.ELEMENTS)
            raise VerifyException(
                f"result has element type {result.get_element_type()}, allowed are {allowed}"
            )


@lru_cache(maxsize=1024)
def _property_names(cls: type[TensorOp]) -> dict[str, str]:
    """snake_case and published names of an op's properties → published name."""
    names: dict[str, str] = {}
    for name in cls.get_irdl_definition().properties:
        names[name] = name
        names[snake_case(name)] = name
    return names


@lru_cache(maxsize=1024)
def _defaults(cls: type[TensorOp]) -> dict[str, Any]:
    definition = cls.get_irdl_definition().properties
    return {
        snake_case(name): to_python(prop.default_value)
        for name, prop in definition.items()
        if prop.default_value is not None and name not in cls.HIDDEN_PROPERTIES
    }


def _properties(cls: type[TensorOp], given: Mapping[str, Any]) -> dict[str, Attribute]:
    names = _property_names(cls)
    definition = cls.get_irdl_definition().properties
    attributes = {
        name: prop.default_value
        for name, prop in definition.items()
        if prop.default_value is not None
    }
    for key, value in given.items():
        if key not in names:
            known = ", ".join(definition) or "none"
            raise HbirError(f"{cls.name} has no property {key!r}; it has {known}")
        if value is not None:
            attributes[names[key]] = to_attribute(value)
    return attributes
