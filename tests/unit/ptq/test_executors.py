"""Work done by other processes gives the same module, on a real local cluster too."""

from collections.abc import Iterator
from typing import Any

import distributed
import numpy as np
import pytest

import hbir.onnx
from hbir.errors import HbirError
from hbir.ptq.executors import executor_of
from hbir.ptq.quant_config import settings_from
from hbir.ptq.quantize import QuantizationResult, quantize
from tests.e2e import mnist

_distributed: Any = distributed  # typed only in part

CONFIG = {
    "model_config": {
        "activation": {"calibration_type": ["kl", "mix"], "averaging": 0.5},
        "search": {"threshold": 1.0, "target": 0.9999},
    }
}


def quantized(executor: Any) -> QuantizationResult:
    module = hbir.onnx.export(mnist.MODEL)
    data = mnist.feeds(mnist.digits("calib")[0][:10])
    return quantize(module, data, settings_from(CONFIG), executor=executor)


@pytest.fixture(scope="module")
def alone() -> QuantizationResult:
    return quantized(None)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler with two worker processes."""
    with _distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as found:
        yield found.scheduler_address


def assert_same(found: QuantizationResult, wanted: QuantizationResult) -> None:
    assert found.module.asm(elide=False) == wanted.module.asm(elide=False)
    assert found.tried == wanted.tried
    assert found.report == wanted.report


def test_local_processes_change_nothing(alone: QuantizationResult) -> None:
    assert alone.choice is not None
    assert alone.choice.chosen, "some losses must have been compared"
    with executor_of(2) as executor:
        assert_same(quantized(executor), alone)


def test_a_dask_cluster_changes_nothing(alone: QuantizationResult, cluster: str) -> None:
    with executor_of(dask=cluster) as executor:
        assert_same(quantized(executor), alone)


def test_errors_of_workers_are_those_of_this_process() -> None:
    module = hbir.onnx.export(mnist.MODEL)
    image = np.full((1, 1, 28, 28), 3e38, np.float32)
    with executor_of(2) as executor, pytest.raises(HbirError, match="becomes nan or inf"):
        quantize(module, [{"image": image}], settings_from({}), executor=executor)


def test_wrong_options_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hbir.ptq.executors.DASK_TIMEOUT_S", 0.2)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"workers": -1}, "--workers must be 0 or more, got -1"),
        ({"workers": 2, "dask": "tcp://host:1"}, "--workers or --dask, not both"),
        ({"dask": "tcp://127.0.0.1:1"}, "--dask tcp://127.0.0.1:1: no Dask scheduler answers"),
    )
    for options, message in cases:
        with pytest.raises(HbirError, match=message), executor_of(**options):
            pass
    with executor_of(1) as executor:
        assert executor is None
