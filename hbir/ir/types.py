"""Tensor types and their NumPy counterparts.

xDSL does not intern attributes, so a freshly built `TensorType` costs microseconds to make, hash
and compare; `tensor` caches them. Integer tensors carry their signedness in the element type
(`si8`, `ui8`), never a scale: scales live in the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    ArrayAttr,
    BFloat16Type,
    DictionaryAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IntegerAttr,
    IntegerType,
    NoneAttr,
    Signedness,
    TensorType,
    f16,
    f32,
    f64,
    i1,
    i64,
)
from xdsl.ir import Attribute, SSAValue

from hbir.errors import HbirError

Array: TypeAlias = npt.NDArray[Any]
AnyTensor: TypeAlias = TensorType[Attribute]

F16 = f16
F32 = f32
F64 = f64
BOOL = i1
SI8 = IntegerType(8, Signedness.SIGNED)
SI16 = IntegerType(16, Signedness.SIGNED)
SI32 = IntegerType(32, Signedness.SIGNED)
SI64 = IntegerType(64, Signedness.SIGNED)
UI8 = IntegerType(8, Signedness.UNSIGNED)
UI16 = IntegerType(16, Signedness.UNSIGNED)
UI32 = IntegerType(32, Signedness.UNSIGNED)
UI64 = IntegerType(64, Signedness.UNSIGNED)

_DTYPE_OF_ELEMENT: dict[Attribute, np.dtype[Any]] = {
    F16: np.dtype(np.float16),
    F32: np.dtype(np.float32),
    F64: np.dtype(np.float64),
    BOOL: np.dtype(np.bool_),
    SI8: np.dtype(np.int8),
    SI16: np.dtype(np.int16),
    SI32: np.dtype(np.int32),
    SI64: np.dtype(np.int64),
    UI8: np.dtype(np.uint8),
    UI16: np.dtype(np.uint16),
    UI32: np.dtype(np.uint32),
    UI64: np.dtype(np.uint64),
}
_ELEMENT_OF_DTYPE = {dtype: element for element, dtype in _DTYPE_OF_ELEMENT.items()}
# Signless integers come from files of other tools; they hold the same bytes as signed ones.
_DTYPE_OF_SIGNLESS_WIDTH = {8: np.int8, 16: np.int16, 32: np.int32, 64: np.int64}


@lru_cache(maxsize=65536)
def _cached_tensor(shape: tuple[int, ...], element: Attribute) -> AnyTensor:
    return TensorType(element, shape)


def tensor(shape: Sequence[int], element: Attribute = F32) -> AnyTensor:
    """The (cached) ranked tensor type of `shape` and `element`."""
    return _cached_tensor(tuple(int(d) for d in shape), element)


DYNAMIC_DIMS = "dynamic_dims"
"""Key of a tensor's encoding: the axes, counted from the end (-1 the last), whose extents are known
only when it runs. The type's shape holds their maxima."""


def open_tensor(shape: Sequence[int], element: Attribute, axes: Sequence[int]) -> AnyTensor:
    """The type of a tensor whose `axes` are open up to `shape`: `{dynamic_dims = [-2, -3]}`."""
    dims = ArrayAttr([IntegerAttr(axis, i64) for axis in axes])
    return TensorType(element, shape, DictionaryAttr({DYNAMIC_DIMS: dims}))


def open_axes(value: SSAValue | Attribute) -> tuple[int, ...]:
    """The axes of a tensor whose extents are known only when it runs, counted from the start.

    Raises HbirError for an encoding that says anything else.
    """
    type_ = tensor_type(value)
    encoding = type_.encoding
    if isinstance(encoding, NoneAttr):
        return ()
    entries = dict(encoding.data) if isinstance(encoding, DictionaryAttr) else {}
    dims = entries.pop(DYNAMIC_DIMS, None)
    items = cast(ArrayAttr[Attribute], dims).data if isinstance(dims, ArrayAttr) else ()
    rank = len(type_.get_shape())
    axes = {
        rank + dim.value.data
        for dim in items
        if isinstance(dim, IntegerAttr) and -rank <= dim.value.data < 0
    }
    if entries or not items or len(axes) != len(items):
        raise HbirError(
            f"{type_}: the encoding of a tensor must be {{dynamic_dims = [...]}} with axes from"
            f" {-rank} to -1"
        )
    return tuple(sorted(axes))


def element_type(dtype: npt.DTypeLike) -> Attribute:
    """The IR element type of a NumPy dtype. Raises HbirError for one the IR has no name for."""
    element = _ELEMENT_OF_DTYPE.get(np.dtype(dtype).newbyteorder("="))
    if element is None:
        names = ", ".join(str(d) for d in _ELEMENT_OF_DTYPE)
        raise HbirError(f"dtype {np.dtype(dtype)} has no tensor element type; use one of {names}")
    return element


def numpy_dtype(element: Attribute) -> np.dtype[Any]:
    """The NumPy dtype that holds `element`. Raises HbirError for types without one."""
    dtype = _DTYPE_OF_ELEMENT.get(element)
    if dtype is not None:
        return dtype
    if element.name == IntegerType.name:
        width = cast(IntegerType, element).width.data
        if width in _DTYPE_OF_SIGNLESS_WIDTH:
            return np.dtype(_DTYPE_OF_SIGNLESS_WIDTH[width])
    raise HbirError(f"element type {element} has no NumPy dtype, so it can't be evaluated")


def is_float(element: Attribute) -> bool:
    """Whether `element` is a floating-point type."""
    return isinstance(element, Float16Type | BFloat16Type | Float32Type | Float64Type)


def tensor_type(value: SSAValue | Attribute) -> AnyTensor:
    """The tensor type of a value or of a type. Raises HbirError when it is not a ranked tensor."""
    attribute = value.type if isinstance(value, SSAValue) else value
    if not isinstance(attribute, TensorType):
        raise HbirError(f"expected a ranked tensor, got {attribute}")
    return cast(AnyTensor, attribute)


def shape_of(value: SSAValue | Attribute) -> tuple[int, ...]:
    """The static shape of a tensor value or tensor type."""
    return tensor_type(value).get_shape()


def element_of(value: SSAValue | Attribute) -> Attribute:
    """The element type of a tensor value or tensor type."""
    return tensor_type(value).get_element_type()


def dtype_of(value: SSAValue | Attribute) -> np.dtype[Any]:
    """The NumPy dtype of a tensor value or tensor type."""
    return numpy_dtype(element_of(value))


def byte_size(value: SSAValue | Attribute) -> int:
    """The dense size in bytes of a tensor value or tensor type."""
    size = numpy_dtype(element_of(value)).itemsize
    for extent in shape_of(value):
        size *= extent
    return size
