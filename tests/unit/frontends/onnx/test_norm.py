"""BatchNormalization and Softmax against onnxruntime."""

import numpy as np
import pytest

from tests.unit.frontends.onnx.oracle import OPSETS, check, count, random, single


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 4, 5), (1, 3, 2, 2, 2)])
def test_batch_normalization(shape: tuple[int, ...], opset: int) -> None:
    parameters = [random(3, seed=seed) for seed in range(3)]
    variance = np.abs(random(3, seed=4)) + np.float32(0.1)
    model = single("BatchNormalization", shape, [*parameters, variance], opset, epsilon=1e-3)
    module = check(model)
    assert count(module, "hbir.batchnorm") == 1


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1])
def test_softmax(opset: int, axis: int | None) -> None:
    given = {} if axis is None else {"axis": axis}
    check(single("Softmax", (2, 3, 4), (), opset, **given))


@pytest.mark.parametrize("opset", [9, 13])
def test_softmax_over_channels_needs_no_reshape(opset: int) -> None:
    module = check(single("Softmax", (1, 10, 1, 1), (), opset, axis=1))
    assert count(module, "hbir.reshape") == 0
