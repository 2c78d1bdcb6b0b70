"""The verifier: dominance, which xDSL doesn't check, and messages about one op."""

import pytest

from hbir.ir.context import make_context
from hbir.ir.text import parse_module
from hbir.ir.verify import VerifyError, verify_module


def verify(text: str) -> None:
    verify_module(parse_module(text, make_context()))


def test_use_before_definition_is_refused() -> None:
    with pytest.raises(VerifyError, match=r"hbir\.relu .*: operand 0 \(%b\) is used before"):
        verify(
            """func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
              %a = hbir.relu %b : tensor<4xf32>
              %b = hbir.relu %x : tensor<4xf32>
              func.return %a : tensor<4xf32>
            }"""
        )


def test_a_value_of_another_function_is_refused() -> None:
    module = parse_module(
        """
        func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
          func.return %x : tensor<4xf32>
        }
        func.func @g(%y: tensor<4xf32>) -> tensor<4xf32> {
          func.return %y : tensor<4xf32>
        }""",
        make_context(),
    )
    first, second = (next(iter(op.regions[0].blocks)) for op in module.ops)
    last = second.last_op
    assert last is not None
    last.operands[0] = first.args[0]
    with pytest.raises(VerifyError, match="out of its IsolatedFromAbove parent"):
        verify_module(module)


def test_a_shape_that_inference_denies_is_refused() -> None:
    with pytest.raises(VerifyError, match=r"tensor<4xf32> expected .* got tensor<5xf32>"):
        verify(
            """func.func @f(%x: tensor<4xf32>) {
              %a = "hbir.relu"(%x) : (tensor<4xf32>) -> tensor<5xf32>
              func.return
            }"""
        )


def test_a_sound_module_passes() -> None:
    verify(
        """func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
          %a = hbir.relu %x : tensor<4xf32>
          %b = hbir.relu %a : tensor<4xf32>
          func.return %b : tensor<4xf32>
        }"""
    )
