"""Property definitions of hbir's ops: how each kind of Python value is held as an attribute.

Integers are i64, floats f64, truth values i1, lists arrays of these, names strings: what
`hbir.ir.op.to_attribute` makes of Python values and MLIR's text gives without a type suffix. A
property's default is given here, at its op's definition, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from xdsl.dialects.builtin import (
    I1,
    I64,
    ArrayAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    f64,
    i1,
    i64,
)
from xdsl.irdl import BaseAttr, EqAttrConstraint, opt_prop_def, prop_def

from hbir.ir.op import to_attribute

IntAttribute: TypeAlias = IntegerAttr[I64]
BoolAttribute: TypeAlias = IntegerAttr[I1]
FloatAttribute: TypeAlias = FloatAttr[Float64Type]
IntListAttribute: TypeAlias = ArrayAttr[IntAttribute]
FloatListAttribute: TypeAlias = ArrayAttr[FloatAttribute]

# xDSL's `constr` functions are typed by the attribute they make; the helpers below say which.
_INT: Any = IntegerAttr.constr(EqAttrConstraint(i64))
_BOOL: Any = IntegerAttr.constr(EqAttrConstraint(i1))
_FLOAT: Any = FloatAttr.constr(EqAttrConstraint(f64))
_INT_LIST: Any = ArrayAttr.constr(_INT)
_FLOAT_LIST: Any = ArrayAttr.constr(_FLOAT)


def _default(value: Any) -> Any:
    return None if value is None else to_attribute(value)


def int_property(default: int | None = None, name: str | None = None) -> IntAttribute:
    """An integer; required when it has no default. `name` is the published (camelCase) name."""
    return prop_def(_INT, _default(default), prop_name=name)


def optional_int_property(name: str | None = None) -> IntAttribute | None:
    """An integer that may be left out."""
    return opt_prop_def(_INT, prop_name=name)


def int_list_property(
    default: Sequence[int] | None = None, name: str | None = None
) -> IntListAttribute:
    """A list of integers."""
    return prop_def(_INT_LIST, _default(default), prop_name=name)


def optional_int_list_property(name: str | None = None) -> IntListAttribute | None:
    """A list of integers that may be left out."""
    return opt_prop_def(_INT_LIST, prop_name=name)


def float_property(default: float | None = None, name: str | None = None) -> FloatAttribute:
    """A float (f64)."""
    return prop_def(_FLOAT, _default(default), prop_name=name)


def float_list_property(
    default: Sequence[float] | None = None, name: str | None = None
) -> FloatListAttribute:
    """A list of floats (f64)."""
    return prop_def(_FLOAT_LIST, _default(default), prop_name=name)


def bool_property(default: bool | None = None, name: str | None = None) -> BoolAttribute:
    """A truth value."""
    return prop_def(_BOOL, _default(default), prop_name=name)


def string_property(default: str | None = None, name: str | None = None) -> StringAttr:
    """A name, such as a mode."""
    return prop_def(StringAttr, _default(default), prop_name=name)


def flag_property(name: str | None = None) -> UnitAttr | None:
    """A mark that is there or not."""
    return opt_prop_def(BaseAttr(UnitAttr), prop_name=name)
