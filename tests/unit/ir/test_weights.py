"""The weight store: content hashes, inline limits, and what missing or wrong bytes get."""

import numpy as np
import pytest
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DenseResourceAttr

from hbir.errors import HbirError
from hbir.ir.types import F32, SI8, tensor
from hbir.ir.weights import ELIDED, INLINE_ELEMENTS, WeightStore
from hbir.module import Module


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.float32])
@pytest.mark.parametrize("size", [1, INLINE_ELEMENTS, INLINE_ELEMENTS + 1, 1000])
def test_array_survives_the_store(dtype: type[np.generic], size: int) -> None:
    store = WeightStore()
    array = (np.arange(size) - size // 2).astype(dtype)
    attribute = store.attribute(array)
    np.testing.assert_array_equal(store.array(attribute), array)
    assert store.array(attribute).dtype == array.dtype
    inline = isinstance(attribute, DenseIntOrFPElementsAttr)
    assert inline == (size <= INLINE_ELEMENTS)


def test_equal_bytes_are_kept_once() -> None:
    store = WeightStore()
    first = store.attribute(np.arange(100, dtype=np.int32))
    second = store.attribute(np.arange(100, dtype=np.int32))
    assert first == second
    assert len(list(store)) == 1


def test_array_is_read_only_and_detached_from_its_source() -> None:
    store = WeightStore()
    source = np.arange(100, dtype=np.int32)
    attribute = store.attribute(source)
    source[0] = 7
    view = store.array(attribute)
    assert view[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


def test_special_floats_survive() -> None:
    store = WeightStore()
    array = np.array([np.nan, np.inf, -np.inf, 1e-45, -0.0], np.float32)
    kept = store.array(store.attribute(array))
    assert kept.tobytes() == array.tobytes()


def test_missing_and_elided_data_are_said() -> None:
    store = WeightStore()
    missing = DenseResourceAttr.from_params("w0", tensor((20,), F32))
    with pytest.raises(HbirError, match=r"dense_resource<w0> has no data"):
        store.array(missing)
    elided = DenseResourceAttr.from_params(ELIDED, tensor((20,), F32))
    with pytest.raises(HbirError, match="constants elided"):
        store.array(elided)


def test_wrong_byte_count_is_said() -> None:
    store = WeightStore()
    store.add_bytes(bytes(19), "w0")
    attribute = DenseResourceAttr.from_params("w0", tensor((20,), SI8))
    with pytest.raises(HbirError, match="needs 20 bytes, its data has 19"):
        store.array(attribute)


def test_bytes_under_the_hash_of_others_never_stand_in_for_them() -> None:
    """A file's handle is taken at its word until a constant of that hash is made."""
    array = np.arange(100, dtype=np.int8)
    honest = WeightStore().attribute(array)
    assert isinstance(honest, DenseResourceAttr)
    handle = honest.resource_handle.data
    store = WeightStore()
    store.add_bytes(bytes(100), handle)
    attribute = store.attribute(array)
    np.testing.assert_array_equal(store.array(attribute), array)
    assert store.blob(handle) == bytes(100)
    assert store.attribute(array) == attribute


def test_one_handle_for_two_constants_is_refused() -> None:
    store = WeightStore()
    store.add_bytes(b"one", "w")
    store.add_bytes(b"one", "w")
    with pytest.raises(HbirError, match="two different constants"):
        store.add_bytes(b"two", "w")


def test_small_constants_of_truth_values_are_as_text_reads_them() -> None:
    store = WeightStore()
    attribute = store.attribute(np.array([True, False]))
    parsed = Module.parse(
        "func.func @f() { %c = hbir.constant dense<[true, false]> : tensor<2xi1> func.return }"
    )
    constant = parsed.functions[0].operations[0].properties["values"]
    assert attribute == constant
    assert store.array(attribute).view(np.uint8).tolist() == [1, 0]
