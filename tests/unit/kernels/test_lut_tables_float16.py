"""Tables of all codes: each entry is the float64 function, rounded once."""

import math
from typing import Any

import numpy as np
import pytest

from hbir.kernels.functions import function_names, table_function
from hbir.kernels.integer.lut import lut
from hbir.kernels.lut_tables import whole_table
from hbir.kernels.parameters import ParameterError

ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
PARAMETERS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"slop": 0.1},
    "hard_sigmoid": {"alpha": 0.2, "beta": 0.5},
    "elu": {"alpha": 1.0},
    "thresholded_relu": {"alpha": 1.0},
    "shrink": {"lambd": 0.5, "bias": 0.1},
}


@pytest.mark.parametrize("name", function_names())
def test_every_function_has_a_table_for_float16(name: str) -> None:
    """Within half a step of its own result, everywhere; saturated beyond float16."""
    function = table_function(name, **PARAMETERS.get(name, {}))
    table = whole_table(function, input_scale=1.0, output_scale=1.0)
    finite = np.isfinite(ALL)
    assert np.isfinite(table).all()
    with np.errstate(all="ignore"):
        exact = np.clip(function(ALL[finite].astype(np.float64) + 0.0), -65504, 65504)
    found = table[finite].astype(np.float64)
    step = np.maximum(
        np.exp2(np.floor(np.log2(np.maximum(np.abs(exact), 2.0**-14))) - 10), 2.0**-24
    )
    assert np.all(np.abs(found - exact) <= step / 2)


def test_integers_on_either_side() -> None:
    codes = np.arange(-(1 << 15), 1 << 15).astype(np.int16)
    given: dict[str, Any] = {"input_scale": 1e-3, "input_zero_point": 5, "output_scale": 1.0}
    table = whole_table(np.tanh, **given, input_dtype=np.int16)
    found = lut(codes, table).astype(np.float64)
    exact = np.tanh((codes - 5.0) * 1e-3)
    assert np.all(np.abs(found - exact) <= 2.0**-12 * (1 + 1e-9))

    narrow = np.arange(-128, 128).astype(np.int8)
    table = whole_table(np.tanh, **given, input_dtype=np.int8)
    np.testing.assert_array_equal(
        lut(narrow, table), np.tanh((narrow - 5.0) * 1e-3).astype(np.float16)
    )

    table = whole_table(
        np.tanh, input_scale=1.0, output_scale=0.01, output_zero_point=3, dtype=np.int8
    )
    x = ALL[np.isfinite(ALL)]
    wanted = np.rint(np.tanh(x.astype(np.float64)) / 0.01) + 3
    np.testing.assert_array_equal(lut(x, table), wanted)


def test_a_negative_zero_is_looked_up_as_zero() -> None:
    table = whole_table(lambda x: np.where(x == 0, np.copysign(1.0, x), x), input_scale=1.0, output_scale=1.0)  # fmt: skip
    assert table[0] == table[0x8000] == 1.0


def test_a_function_that_gives_no_number_is_refused() -> None:
    with pytest.raises(ParameterError, match="it is nan at"):
        whole_table(lambda x: x * math.inf, input_scale=1.0, output_scale=1.0)
