"""What all dialects have in common: they load by name, and agree with the kernel table."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
from xdsl.ir import Operation

from hbir.dialects import all_dialects, op_of_its_file
from hbir.ir.op import TensorOp, snake_case
from hbir.kernels.table import find_kernel


def tensor_ops(dialect: str) -> list[type[TensorOp]]:
    """The single-result ops of a dialect."""
    return [op for op in all_dialects()[dialect]().operations if issubclass(op, TensorOp)]


@pytest.mark.parametrize("dialect", ["hbir", "qnt", "bpu"])
def test_an_ops_params_are_its_kernels_keywords(dialect: str) -> None:
    """`execute(op.name, arrays, op.params())` must work whatever properties are given."""
    for op in tensor_ops(dialect):
        names = op.get_irdl_definition().properties.keys() - op.HIDDEN_PROPERTIES
        params = {snake_case(name) for name in names} | (
            {"dtype"} if op.PASSES_DTYPE else set[str]()
        )
        signature = inspect.signature(find_kernel(op.name))
        keywords = {
            name
            for name, parameter in signature.parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        assert params <= keywords, op.name
        required = {
            name
            for name in keywords
            if signature.parameters[name].default is inspect.Parameter.empty
        }
        assert required <= params, op.name


@pytest.mark.parametrize("dialect", ["hbir", "qnt", "bpu", "hbtl"])
def test_every_op_says_what_it_computes(dialect: str) -> None:
    ops: list[type[Operation]] = list(all_dialects()[dialect]().operations)
    assert ops
    assert [op.name for op in ops if not (op.__doc__ or "").strip()] == []
    assert all(op.name.startswith(f"{dialect}.") for op in ops)


def test_dialects_are_imported_when_used() -> None:
    code = (
        "import sys, hbir.dialects\n"
        "assert set(hbir.dialects.all_dialects()) >= {'hbir', 'qnt', 'bpu', 'hbtl'}\n"
        "assert not [m for m in sys.modules if m.startswith('hbir.dialects.')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("dialect", ["hbir", "bpu"])
def test_every_op_is_found_by_its_file(dialect: str) -> None:
    ops = {op.name: op for op in all_dialects()[dialect]().operations}
    assert {name: op_of_its_file(name) for name in ops} == ops
    assert op_of_its_file(f"{dialect}.nothing") is None
