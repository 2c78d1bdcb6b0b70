"""Resizes by the rules that ONNX has, and at positions that none of them gives."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir.resize import Resize2dOp
from hbir.kernels.float.resize import NEAREST_MODES
from tests.unit.exporters.onnx.oracle import Net, numbers, operators, seeds

RULES: dict[str, Callable[[int, int], tuple[float, float]]] = {
    "half_pixel": lambda n, m: (n / m, n / m / 2 - 0.5),
    "asymmetric": lambda n, m: (n / m, 0.0),
    "align_corners": lambda n, m: ((n - 1) / max(m - 1, 1), 0.0),
}


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    out=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    rule=st.sampled_from(sorted(RULES)),
    mode=st.sampled_from(["nearest", "bilinear"]),
    nearest_mode=st.sampled_from(NEAREST_MODES),
    seed=seeds,
)
@settings(max_examples=60)
def test_resizes(
    size: tuple[int, int],
    out: tuple[int, int],
    rule: str,
    mode: str,
    nearest_mode: str,
    seed: int,
) -> None:
    net = Net(numbers((1, 2, *size), seed))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    places = [RULES[rule](n, m) for n, m in zip(size, out, strict=True)]
    y = net.op(
        Resize2dOp,
        x,
        size=list(out),
        step=[float(step) for step, _ in places],
        initialOffset=[float(offset) for _, offset in places],
        mode=mode,
        nearestMode=nearest_mode,
    )
    net.check(net.transposed(y, (0, 3, 1, 2)), tolerance=1e-4)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_positions_of_no_rule(mode: str) -> None:
    net = Net(numbers((1, 2, 9, 9), 0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    size, step, offset = [5, 6], [1.37, 0.9], [0.21, 1.3]
    y = net.op(Resize2dOp, x, size=size, step=step, initialOffset=offset, mode=mode)
    assert "Gather" in operators(net.check(net.transposed(y, (0, 3, 1, 2))))


def test_doubling_is_one_resize() -> None:
    net = Net(numbers((1, 2, 4, 4), 0))
    x = net.transposed(net.inputs[0], (0, 2, 3, 1))
    y = net.op(Resize2dOp, x, size=[8, 8], step=[0.5, 0.5], nearestMode="floor")
    assert operators(net.check(net.transposed(y, (0, 3, 1, 2)))) == ["Resize"]
