"""Constraints are the users' documentation: each has a rule, and an op that breaks it says which."""

import numpy as np
import pytest

from hbir.dialects.hbtl import CallOp
from hbir.module import Module
from hbir.passes.constraints import constraints_by_op, rule_of
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module

X = "tensor<1x4x4x2xf32>"
BROKEN = {
    "long product": (
        f"%r = hbir.tile %x {{multiplies = [1, 1, 1, 40000]}} : ({X}) -> tensor<1x4x4x80000xf32>\n"
        "  %t = hbir.transpose %r {dims = [0, 1, 3, 2]} : (tensor<1x4x4x80000xf32>)"
        " -> tensor<1x4x80000x4xf32>\n  %y = hbir.matmul %r, %t :"
        " (tensor<1x4x4x80000xf32>, tensor<1x4x80000x4xf32>) -> tensor<1x4x4x4xf32>",
        "tensor<1x4x4x4xf32>",
        "may sum at most 65535 products, so that the accumulator always holds the sum; this one sums",
    ),
    "dilated average": (
        f"%y = hbir.avg_pool %x {{kernel = [2, 2], dilation = [2, 2]}} : ({X}) -> tensor<1x2x2x2xf32>",
        "tensor<1x2x2x2xf32>",
        "An average pool must have dilation 1; its dilation is [2, 2]",
    ),
    "computed weights": (
        "%i = hbir.slice %x {begin = [0, 0, 0, 0], end = [1, 1, 1, 2]} : "
        f"({X}) -> tensor<1x1x1x2xf32>\n"
        f"  %y = hbir.conv2d %x, %i : ({X}, tensor<1x1x1x2xf32>) -> tensor<1x4x4x1xf32>",
        "tensor<1x4x4x1xf32>",
        "Weights and bias must be constants; the weights are computed",
    ),
}


def test_every_constraint_has_a_rule_on_record() -> None:
    for op, constraints in constraints_by_op().items():
        for constraint in constraints:
            rule = rule_of(constraint)
            assert len(rule.split()) > 4, f"{constraint.__name__} of {op.name} says only {rule!r}"


@pytest.mark.parametrize("case", BROKEN)
def test_an_op_that_breaks_one_runs_on_the_cpu_and_says_which(case: str) -> None:
    body, result, reason = BROKEN[case]
    text = (
        f'func.func @net(%x: {X} {{hbir.name = "x"}}) -> {result} {{\n  {body}\n'
        f"  func.return %y : {result}\n}}"
    )
    module = Module.parse(text)
    feed = {"x": np.linspace(1, 2, 32, dtype=np.float32).reshape(1, 4, 4, 2)}
    # The op is on the CPU, so nothing is quantized; convert wants a fake-quant to go by.
    calibrated = Module.parse(
        calibrate(module, [feed])
        .asm(elide=False)
        .replace(
            "func.return",
            f"%q = qnt.const_fake_quant %x {{min = [-3.0], max = [3.0]}} : {X}\n func.return",
        )
    )
    quantized = convert_module(calibrated, "nash-e").functions[0]
    calls = [op for op in quantized.operations if isinstance(op, CallOp)]
    assert any(reason in call.reason.data for call in calls), [c.reason.data for c in calls]
    (wanted,), (found,) = module.functions[0].feed(feed).values(), quantized.feed(feed).values()
    np.testing.assert_allclose(found, wanted, rtol=0.02, atol=0.02)
