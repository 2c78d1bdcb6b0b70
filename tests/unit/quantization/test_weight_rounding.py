"""Chosen roundings against nearest ones, and against all there are."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.kernels.quantize import const_fake_quant
from hbir.module import Module
from hbir.passes.gemm import GemmOp, as_gemm, constant_parts, weight_range
from hbir.passes.pipelines import OPTIMIZE, run_pipeline
from hbir.quantization.weight_rounding import best_integers, rounded_weights

TEXT = """
func.func @net(%x: tensor<1x8x8x6xf32> {hbir.name = "x"}) -> tensor<1x8x8x4xf32> {
  %w = hbir.constant dense<0.0> : tensor<SHAPExf32>
  %b = hbir.constant dense<0.5> : tensor<COUTxf32>
  %v = hbir.constant dense<0.0> : tensor<COUTx4xf32>
  %a = hbir.conv2d %x, %w, %b {CONV} : (tensor<1x8x8x6xf32>, tensor<SHAPExf32>, tensor<COUTxf32>) -> tensor<1xSIDExSIDExCOUTxf32>
  %r = hbir.relu %a : tensor<1xSIDExSIDExCOUTxf32>
  %y = hbir.linear %r, %v : (tensor<1xSIDExSIDExCOUTxf32>, tensor<COUTx4xf32>) -> tensor<1xSIDExSIDEx4xf32>
  func.return %y : tensor<1xSIDExSIDEx4xf32>
}
"""  # fmt: skip
CONVOLUTIONS = {
    "plain": ("5x3x3x6", "pad = [1, 1, 1, 1]", 5, 8),
    "depthwise": ("6x3x3x1", "pad = [1, 1, 1, 1], groupNum = 6 : i64", 6, 8),
    "groups and strides": (
        "4x2x3x3", "stride = [2, 2], pad = [0, 1, 1, 0], groupNum = 2 : i64", 4, 4,
    ),
    "dilated": ("5x3x3x6", "dilation = [2, 2], pad = [2, 2, 2, 2]", 5, 8),
}  # fmt: skip


def network(kind: str) -> Module:
    shape, attributes, cout, side = CONVOLUTIONS[kind]
    text = TEXT.replace("SHAPE", shape).replace("CONV", attributes)
    text = text.replace("COUT", str(cout)).replace("SIDE", str(side))
    module = Module.parse(
        text.replace("tensor<1x8x8x4xf32> {\n", f"tensor<1x{side}x{side}x4xf32> {{\n")
    )
    generator = np.random.default_rng(0)
    for op in module.functions[0].operations:
        if op.name == "hbir.constant":
            weights = module.weights.array(op.properties["values"])
            if not weights.any():
                drawn = generator.normal(size=weights.shape).astype(np.float32)
                op.properties["values"] = module.weights.attribute(drawn)
    run_pipeline(module.context, module.op, OPTIMIZE)
    return module


def images(count: int, seed: int) -> list[list[Array]]:
    """Neighbouring pixels and channels are alike, as in pictures: else nearest is best."""
    generator = np.random.default_rng(seed)
    shared = generator.normal(size=(count, 1, 1, 1, 1)) + generator.normal(size=(count, 1, 8, 8, 1))
    noise = 0.2 * generator.normal(size=(count, 1, 8, 8, 6))
    return [[image.astype(np.float32)] for image in shared + noise + 1.0]


def outputs(module: Module, samples: list[list[Array]], *, nearest: bool) -> list[dict[str, Array]]:
    """What a module gives, with weights at 8 bits where `nearest`, of each layer by itself."""
    clone = module.clone()
    rewrite = Rewrite(clone.context)
    for op in clone.functions[0].operations:
        gemm = as_gemm(op)
        parts = None if gemm is None else constant_parts(rewrite, gemm)
        if gemm is not None and parts is not None and nearest:
            weights = parts[0].astype(np.float32)
            rounded = const_fake_quant(weights, **weight_range(gemm, weights))
            gemm.operands[1] = rewrite.constant(rounded, before=gemm)
    return [clone.functions[0].feed({"x": x}) for (x,) in samples]


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_layers_come_closer_to_float_on_other_data(kind: str) -> None:
    module = network(kind)
    chosen = rounded_weights(module, images(40, seed=1))
    again = rounded_weights(module, images(40, seed=1))
    assert again.asm(elide=False) == chosen.asm(elide=False)
    judged = images(20, seed=2)
    wanted = outputs(module, judged, nearest=False)
    errors: list[float] = []
    for candidate in (module, chosen):
        found = outputs(candidate, judged, nearest=True)
        pairs = zip(wanted, found, strict=True)
        errors.append(
            float(np.mean([np.mean((next(iter(w.values())) - next(iter(f.values()))) ** 2)
                           for w, f in pairs]))
        )  # fmt: skip
    assert errors[1] < 0.8 * errors[0]


def weights_of(module: Module) -> list[tuple[GemmOp, Array]]:
    """The layers and their weights."""
    rewrite = Rewrite(module.context)
    gemms = [g for op in module.functions[0].operations if (g := as_gemm(op)) is not None]
    found = [(gemm, constant_parts(rewrite, gemm)) for gemm in gemms]
    return [(gemm, parts[0]) for gemm, parts in found if parts is not None]


def test_the_weights_are_integers_of_the_same_scale() -> None:
    module = network("plain")
    chosen = rounded_weights(module, images(40, seed=1))
    pairs = list(zip(weights_of(module), weights_of(chosen), strict=True))
    assert len(pairs) == 2
    for (layer, before), (changed, after) in pairs:
        scales = [
            np.array(weight_range(g, w)["max"]) for g, w in ((layer, before), (changed, after))
        ]
        assert scales[1] == pytest.approx(scales[0], rel=1e-6)
        moved = np.abs(after - before).max() / scales[0].max() * 127
        assert 0.5 < moved <= 1.0 + 1e-6, "some weight went to the farther integer, none further"


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 7))
def test_no_single_change_is_better_and_nearest_is_never_beaten_by_it(
    seed: int, terms: int
) -> None:
    generator = np.random.default_rng(seed)
    steps = generator.uniform(-20, 20, size=(1, terms, 3))
    rows = generator.normal(size=(30, terms)) + generator.normal(size=(30, 1))
    covariance = (rows.T @ rows)[None] / 30
    found = best_integers(steps, covariance)

    def error(integers: Array, output: int) -> float:
        delta = (integers - steps[0, :, output]).astype(np.float64)
        return float(delta @ covariance[0] @ delta)

    for output in range(3):
        nearest = error(np.rint(steps[0, :, output]), output)
        mine = error(found[0, :, output], output)
        assert mine <= nearest * (1 + 1e-9)
        least = min(
            error(np.array(choice), output)
            for choice in product(*[(np.floor(v), np.ceil(v)) for v in steps[0, :, output]])
        )
        assert mine <= max(4 * least, nearest)
