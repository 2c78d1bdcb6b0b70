"""The table of a chain of element-wise ops, entry by entry, against the chain in float64."""

from collections.abc import Callable

import numpy as np
import pytest

from hbir.dialects.bpu.lut import LutOp
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.module import Module
from hbir.quantization.convert import convert_module

INPUT_SCALE, OUTPUT_SCALE = 0.0625, 0.03125


def hard_swish(x: Array) -> Array:
    return x * np.clip(x / 6 + 0.5, 0, 1)


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def affine(x: Array) -> Array:
    return 0.5 - 0.5 * hard_swish(x)


CHAINS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "hbir.relu": ("%a = hbir.relu %q : T", relu),
    "affine": (
        "%b = hbir.hard_swish %q : T\n"
        "  %c = hbir.mul %half, %b : (tensor<f32>, T) -> T\n"
        "  %a = hbir.sub %half, %c : (tensor<f32>, T) -> T",
        affine,
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_every_entry_is_the_rounded_function(name: str) -> None:
    body, function = CHAINS[name]
    module = Module.parse(
        f"""
func.func @net(%x: T) -> T {{
  %half = hbir.constant dense<0.5> : tensor<f32>
  %q = qnt.const_fake_quant %x {{min = [{-128 * INPUT_SCALE}], max = [{127 * INPUT_SCALE}]}} : T
  {body}
  %y = qnt.const_fake_quant %a {{min = [{-128 * OUTPUT_SCALE}], max = [{127 * OUTPUT_SCALE}]}} : T
  func.return %y : T
}}""".replace("T", "tensor<4xf32>")
    )
    quantized = convert_module(module, "nash-e")
    (lut,) = [op for op in quantized.functions[0].operations if isinstance(op, LutOp)]
    table = Rewrite(quantized.context).constant_value(lut.table)
    codes = np.arange(-128, 128)
    wanted = np.clip(np.rint(function(codes * INPUT_SCALE) / OUTPUT_SCALE), -128, 127)
    np.testing.assert_array_equal(table, wanted)
