"""The kernel table: what is found, and what is said when nothing is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from hbir.dialects import all_dialects
from hbir.errors import HbirError
from hbir.kernels.table import execute, execute_all, find_kernel, kernel, kernel_names


@pytest.mark.parametrize("dialect", ["hbir", "qnt", "bpu", "hbtl"])
def test_every_op_has_a_kernel(dialect: str) -> None:
    """An op that can't be evaluated would fail only when a network that has it is run."""
    names = sorted(op.name for op in all_dialects()[dialect]().operations)
    assert names
    assert [name for name in names if name not in kernel_names(dialect)] == []


def test_unknown_ops_are_said() -> None:
    with pytest.raises(HbirError, match=r"hbir.conv3d can't be evaluated.*did you mean"):
        find_kernel("hbir.conv3d")
    with pytest.raises(HbirError, match=r"only ops of hbir, bpu, qnt, hbtl have kernels"):
        find_kernel("arith.addf")


def test_a_name_has_one_kernel() -> None:
    with pytest.raises(ValueError, match=r"hbir.relu has a kernel already"):
        kernel("hbir.relu")(find_kernel("hbir.relu"))


def test_several_results() -> None:
    x = np.array([[3.0, 1.0, 2.0]], np.float32)
    params: dict[str, Any] = {
        "signature": "onnx::TopK",
        "parameters": {"attributes": {}, "domain": "", "opset": 13},
        "dtypes": (np.dtype(np.float32), np.dtype(np.int64)),
    }
    values, indices = execute_all("hbtl.call", [x, np.array([2])], params)
    assert values.tolist() == [[3.0, 2.0]]
    assert indices.tolist() == [[0, 2]]
    with pytest.raises(HbirError, match="gives 2 results where one is expected"):
        execute("hbtl.call", [x, np.array([2])], params)


def test_importing_the_table_imports_no_kernel() -> None:
    code = (
        "import sys, hbir.kernels.table\n"
        "loaded = [m for m in sys.modules if m.startswith(('hbir.kernels.', 'onnx', 'xdsl'))]\n"
        "assert sorted(loaded) == ['hbir.kernels.table', 'hbir.kernels.types'], loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
