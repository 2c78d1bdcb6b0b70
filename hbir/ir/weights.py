"""Constants outside the IR: a content-hashed store of read-only arrays.

xDSL prints and compares dense attributes by walking their elements: one 25 MB constant in a module
costs seconds per print. So constants above `INLINE_ELEMENTS` elements are builtin
`dense_resource<w...>` attributes whose handle is the hash of their bytes; the bytes live here,
hashed once, shared by every clone of a module, never copied or expanded by a pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar, cast

import numpy as np
from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, DenseResourceAttr
from xdsl.ir import Attribute

from hbir.errors import HbirError
from hbir.ir.types import Array, dtype_of, element_type, shape_of, tensor

T = TypeVar("T")

INLINE_ELEMENTS = 16
"""Constants of at most so many elements are written inline, as `dense<...>`."""

ELIDED = "__elided__"
"""Resource handle that stands for bytes left out of a printed module."""


class WeightStore:
    """Read-only byte blobs by content hash.

    One store belongs to one `HbirContext`, hence to the modules made in it and their clones.
    Blobs are never removed one by one: they go when the store goes.
    """

    def __init__(self) -> None:
        self._blobs: dict[str, memoryview] = {}
        self._of_file: set[str] = set()  # handles that were read, not computed: to be doubted
        self._derived: dict[Hashable, Any] = {}

    def __contains__(self, handle: str) -> bool:
        return handle in self._blobs

    def __iter__(self) -> Iterator[str]:
        return iter(self._blobs)

    def add_bytes(self, data: bytes | bytearray | memoryview, handle: str | None = None) -> str:
        """Keep `data`; returns its handle: the given one (of a file), or `w` + its hash.

        The hash in a file's handle is not computed again, which would read all its weights; it is
        doubted when a constant comes that has the same hash. Raises HbirError when one handle
        stands for two constants.
        """
        view = memoryview(data).toreadonly()
        if handle is None:
            return self._add_hashed(view)
        if handle in self._blobs and not _same(self._blobs[handle], view):
            raise HbirError(f"dense_resource<{handle}> stands for two different constants")
        if handle not in self._blobs:
            self._blobs[handle] = view
            self._of_file.add(handle)
        return handle

    def _add_hashed(self, view: memoryview) -> str:
        name = handle = "w" + hashlib.blake2b(view, digest_size=12).hexdigest()
        count = 0
        while handle in self._of_file and not _same(self._blobs[handle], view):
            count += 1  # the file's bytes were changed under their name
            handle = f"{name}_{count}"
        self._of_file.discard(handle)
        self._blobs.setdefault(handle, view)
        return handle

    def blob(self, handle: str) -> memoryview:
        """The bytes of `handle`. Raises HbirError when the store doesn't hold it."""
        if handle not in self._blobs:
            hint = (
                "the text was printed with its constants elided; write it with -o instead"
                if handle == ELIDED
                else "the file's resource section lacks it"
            )
            raise HbirError(f"constant dense_resource<{handle}> has no data: {hint}")
        return self._blobs[handle]

    def attribute(self, array: Array) -> Attribute:
        """The constant attribute of `array`: inline up to 16 elements, else a resource."""
        contiguous = np.ascontiguousarray(array).reshape(array.shape)
        if contiguous.dtype.byteorder == ">":
            contiguous = contiguous.astype(contiguous.dtype.newbyteorder("="))
        type_ = tensor(contiguous.shape, element_type(contiguous.dtype))
        if contiguous.size <= INLINE_ELEMENTS:
            inline: Any = DenseIntOrFPElementsAttr
            if contiguous.dtype == np.bool_:  # xDSL's true is −1
                contiguous = -contiguous.view(np.int8)
            return inline(type_, BytesAttr(contiguous.tobytes()))
        frozen = contiguous if not contiguous.flags.writeable else contiguous.copy()
        frozen.flags.writeable = False
        handle = self.add_bytes(frozen.reshape(-1).view(np.uint8).data)
        return DenseResourceAttr.from_params(handle, type_)

    def array(self, attribute: Attribute) -> Array:
        """The read-only array of a constant attribute. Raises HbirError when it isn't one."""
        if isinstance(attribute, DenseResourceAttr):
            return self._view(self.blob(attribute.resource_handle.data), attribute.type, attribute)
        if attribute.name == DenseIntOrFPElementsAttr.name:
            dense = cast("DenseIntOrFPElementsAttr[Any]", attribute)
            return self._view(memoryview(dense.data.data), dense.type, attribute)
        raise HbirError(f"expected a dense constant, got {type(attribute).__name__}")

    def derived(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, remembered as long as the store: what takes long and follows from
        constants alone. key: all that it follows from, and who asks; it isn't to be changed."""
        if key not in self._derived:
            self._derived[key] = make()
        return self._derived[key]

    @staticmethod
    def _view(data: memoryview, type_: Attribute, attribute: Attribute) -> Array:
        dtype, shape = dtype_of(type_), shape_of(type_)
        expected = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        if data.nbytes != expected:
            name = (
                f"dense_resource<{attribute.resource_handle.data}>"
                if isinstance(attribute, DenseResourceAttr)
                else "dense constant"
            )
            raise HbirError(
                f"{name} of type {type_} needs {expected} bytes, its data has {data.nbytes}"
            )
        array = np.frombuffer(data, dtype=dtype).reshape(shape)
        if dtype == np.bool_:  # NumPy's true is 1, xDSL's −1
            array = np.asarray(array.view(np.uint8) != 0)  # a scalar, where the shape is ()
        array.flags.writeable = False
        return array


def _same(one: memoryview, other: memoryview) -> bool:
    """Whether two blobs hold the same bytes."""
    if one.nbytes != other.nbytes:
        return False
    return np.array_equal(np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8))
