"""Text: what is elided where, what comes back, and what malformed text gets."""

from io import StringIO

import numpy as np
import pytest

from hbir.errors import HbirError
from hbir.ir.context import make_context
from hbir.ir.text import TextError, parse_module, print_module
from hbir.module import Module

BIG = """
func.func @main(%x: tensor<1x20xf32>) -> tensor<1x20xf32> {
  %w = hbir.constant dense_resource<w0> : tensor<20xf32>
  %y = hbir.add %x, %w : (tensor<1x20xf32>, tensor<20xf32>) -> tensor<1x20xf32>
  func.return %y : tensor<1x20xf32>
}
"""


def with_weights() -> str:
    data = np.arange(20, dtype=np.float32).tobytes().hex()
    return f'{BIG}\n{{-# dialect_resources: {{ builtin: {{ w0: "0x04000000{data}" }} }} #-}}\n'


def test_full_text_round_trips_exactly() -> None:
    module = Module.parse(with_weights())
    text = module.asm(elide=False)
    assert Module.parse(text).asm(elide=False) == text
    assert "dialect_resources" in text


def test_elided_text_has_no_handles_and_no_bytes() -> None:
    text = str(Module.parse(with_weights()))
    assert "__elided__" in text
    assert "w0" not in text
    assert "dialect_resources" not in text


def test_running_elided_text_says_why_not() -> None:
    module = Module.parse(str(Module.parse(with_weights())))
    with pytest.raises(HbirError, match="constants elided"):
        module.functions[0].feed({"_input_0": np.zeros((1, 20), np.float32)})


@pytest.mark.parametrize("generic", [False, True])
def test_resources_are_not_left_in_a_process_wide_store(generic: bool) -> None:
    for _ in range(2):
        ctx = make_context()
        op = parse_module(with_weights(), ctx)
        stream = StringIO()
        print_module(op, stream, ctx.weights, generic=generic)
        assert "w0_0" not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("func.func @f() {\n  hbir.nonsense\n}", r"t\.mlir:2:\d+: "),
        ("func.func @f(", r"t\.mlir:1:\d+: "),
        (with_weights().replace("#-}", ""), "no closing"),
        (with_weights().replace("0x04000000", "0x0"), "whole bytes"),
        ("module {" * 2000, r"t\.mlir"),
        ("\x00\x01", r"t\.mlir:1:\d+: "),
    ],
)
def test_malformed_text_gets_one_message(text: str, message: str) -> None:
    with pytest.raises(TextError, match=message) as caught:
        parse_module(text, make_context(), "t.mlir")
    assert "\n" not in str(caught.value)


def test_a_string_without_end_is_one_error() -> None:
    """xDSL's lexer takes a time exponential in the length of the line."""
    text = '// "a comment"\nmodule attributes {a = "b", c = "' + "x" * 200 + "\n} {}"
    with pytest.raises(TextError, match="test:2:33: this string is not closed"):
        parse_module(text, make_context(), "test")
