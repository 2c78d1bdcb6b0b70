"""Whether two modules are the same network, whatever their values and functions are called."""

from collections.abc import Iterator
from typing import Any

from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute, Operation, SSAValue

import hbir
from hbir.dialects.bpu.matmul import MatmulOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.function import body_of, return_of

Step = tuple[Any, ...]

NOT_COMPUTED = {"reason"}
"""Properties that don't take part in what an op computes."""


def canonical(module: hbir.Module) -> list[Step]:
    """The ops that the outputs need, each as (name, operands, properties, result types).

    Operands are numbers of ops in the order in which the outputs reach them, so that neither names
    nor the order in which ops stand matters. Constants appear by their content.
    """
    function = module.functions[0].op
    known: dict[SSAValue, Step] = {
        argument: ("input", index) for index, argument in enumerate(body_of(function).args)
    }
    steps: list[Step] = []
    for output in return_of(function).operands:
        for op in _unvisited(output, known):
            if isinstance(op, ConstantOp):
                known[op.output] = ("constant", str(op.values))
                continue
            for index, result in enumerate(op.results):
                known[result] = (len(steps), index)
            operands = tuple(known[operand] for operand in op.operands)
            types = tuple(str(result.type) for result in op.results)
            steps.append((op.name, operands, tuple(_properties(op)), types))
        steps.append(("output", known[output]))
    return steps


def _unvisited(value: SSAValue, known: dict[SSAValue, Step]) -> Iterator[Operation]:
    """The ops that `value` needs and that aren't known yet, operands first."""
    stack = [value]
    while stack:
        top = stack[-1]
        if top in known:
            stack.pop()
            continue
        op = top.owner
        assert isinstance(op, Operation)
        missing = [operand for operand in op.operands if operand not in known]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        yield op


def _properties(op: Operation) -> Iterator[tuple[str, str]]:
    for name, value in sorted(op.properties.items()):
        if name not in NOT_COMPUTED:
            yield name, _text(op, name, value)


def _text(op: Operation, name: str, value: Attribute) -> str:
    # An exporter writes the factor of an attention as a float32; its multiplier is the same.
    if isinstance(op, MatmulOp) and name == "scale" and isinstance(value, FloatAttr):
        return f"{value.value.data:.5g}"
    return str(value)


def assert_same_network(expected: hbir.Module, actual: hbir.Module) -> None:
    """Both compute the same ops on the same constants; the message shows the first difference."""
    wanted, found = canonical(expected), canonical(actual)
    for index, (want, got) in enumerate(zip(wanted, found, strict=False)):
        assert got == want, f"step {index}: {got}, expected {want}"
    assert len(found) == len(wanted), f"{len(found)} steps, expected {len(wanted)}"
