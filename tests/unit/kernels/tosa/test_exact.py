"""Tables and max pooling, which round nothing, against TOSA's reference model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hbir.kernels.integer.lut import lut
from hbir.kernels.integer.pool import max_pool
from tests.unit.kernels.tosa.reference_model import Program, needs_reference_model, tensor_type

pytestmark = needs_reference_model


def test_table(tmp_path: Path):
    generator = np.random.default_rng(0)
    x = generator.integers(-128, 128, (2, 5, 7)).astype(np.int8)
    table = generator.integers(-128, 128, 256).astype(np.int8)
    program = Program(tmp_path, x)
    value = program.op(
        "tosa.table",
        [program.values[0], program.constant(table, np.int8)],
        "",
        tensor_type(x),
    )
    np.testing.assert_array_equal(lut(x, table), program.run(value))


def test_max_pool(tmp_path: Path):
    x = np.random.default_rng(1).integers(-128, 128, (2, 9, 11, 4)).astype(np.int8)
    got = max_pool(x, kernel=(3, 3), stride=(2, 2), pad=(1, 1, 1, 1))
    program = Program(tmp_path, x)
    value = program.op(
        "tosa.max_pool2d",
        [program.values[0]],
        "kernel = array<i64: 3, 3>, stride = array<i64: 2, 2>, pad = array<i64: 1, 1, 1, 1>",
        tensor_type(got),
    )
    np.testing.assert_array_equal(got, program.run(value))
