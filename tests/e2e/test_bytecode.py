"""Whole networks through `.bc` and `.mlir` at every level: the same module, and the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.api import schedule
from hbir.module import Module
from tests.e2e import mnist
from tests.e2e.levels import assert_same_bits
from tests.models import mobilenetv2
from tests.unit.bytecode.equal import assert_equal

LEVELS = ("float", "qat", "quantized", "scheduled")


def _stages(module: Module) -> dict[str, Module]:
    (port,) = module.functions[0].flatten_inputs
    image = np.random.default_rng(0).normal(size=port.type.shape).astype(np.float32)
    qat = hbir.calibrate(module, [{port.name: image}])
    quantized = hbir.convert(qat, "nash-e")
    return dict(zip(LEVELS, (module, qat, quantized, schedule(quantized)), strict=True))


@pytest.fixture(scope="module", params=["mnist", "mobilenet_v2"])
def stages(request: pytest.FixtureRequest) -> dict[str, Module]:
    source = str(mnist.MODEL) if request.param == "mnist" else mobilenetv2.build()
    return _stages(hbir.onnx.export(source))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("suffix", [".bc", ".mlir"])
def test_files_hold_the_module(
    stages: dict[str, Module], level: str, suffix: str, tmp_path: Path
) -> None:
    module = stages[level]
    hbir.save(module, tmp_path / f"one{suffix}")
    loaded = hbir.load(tmp_path / f"one{suffix}")
    if suffix == ".bc":
        assert_equal(module.op, loaded.op)
    hbir.save(loaded, tmp_path / f"two{suffix}")
    assert (tmp_path / f"two{suffix}").read_bytes() == (tmp_path / f"one{suffix}").read_bytes()
    (port,) = module.functions[0].flatten_inputs
    feed = {port.name: np.random.default_rng(1).normal(size=port.type.shape).astype(np.float32)}
    expected = module.functions[0].feed(feed)
    assert_same_bits(expected, loaded.functions[0].feed(feed), f"{level} from {suffix}")
