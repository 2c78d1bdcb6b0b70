"""Scaled dot-product attention, with all that may be added."""

import pytest

from hbir.dialects.hbir.attention import AttentionOp
from tests.unit.exporters.onnx.oracle import Net, numbers


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("softcap", [0.0, 2.0])
def test_attention(masked: bool, causal: bool, softcap: float) -> None:
    arrays = [numbers((2, 3, n, 4), seed) for seed, n in enumerate((5, 6, 6))]
    net = Net(*arrays, *([numbers((5, 6), 3)] if masked else []))
    y = net.op(AttentionOp, *net.inputs, scale=0.5, isCausal=causal, softcap=softcap)
    net.check(y)
