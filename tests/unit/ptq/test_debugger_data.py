"""How the tools read data, a sample at a time, and show how far they are."""

import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import pytest
from typing_extensions import override

from hbir.ptq.debugger import (
    get_sensitivity_of_nodes,
    plot_acc_error,
    plot_distribution,
    runall,
    sensitivity_analysis,
    tensor_analysis,
)
from hbir.quantization.work import ITEMS_UNDER_WAY
from tests.unit.ptq.uneven_network import SHAPE, Array, calibrated, samples

T = TypeVar("T")


class Loaded(Sequence[Array]):
    """Samples that are made when they are asked for, and counted while they live."""

    def __init__(self, count: int) -> None:
        self._count, self.alive, self.most = count, 0, 0
        self._lock = Lock()

    @override
    def __len__(self) -> int:
        return self._count

    @override
    def __getitem__(self, index: Any) -> Any:
        array = np.random.default_rng(index).normal(size=SHAPE).astype(np.float32)
        self._count_one(1)
        weakref.finalize(array, self._count_one, -1)
        return array

    def _count_one(self, change: int) -> None:
        with self._lock:
            self.alive += change
            self.most = max(self.most, self.alive)


MANY = 3 * ITEMS_UNDER_WAY

READING: dict[str, tuple[Callable[[Any, Path], object], int]] = {
    "plot_acc_error": (
        lambda data, out: plot_acc_error(data, calibrated(), "weight", save_dir=out),
        3,
    ),
    "tensor_analysis": (
        lambda data, out: tensor_analysis(calibrated(), data, "conv1", out),
        ITEMS_UNDER_WAY + 3,
    ),
    "get_sensitivity_of_nodes": (
        lambda data, out: get_sensitivity_of_nodes(calibrated(), "mse", data, data_num=None),
        3,
    ),
    "sensitivity_analysis": (
        lambda data, out: sensitivity_analysis(
            calibrated(), data, data_num=None, sensitive_nodes="conv1", save_dir=out
        ),
        3,
    ),
    "plot_distribution": (
        lambda data, out: plot_distribution(calibrated(), data, "conv1", out),
        1,
    ),
}
"""Tool → itself, and how many samples may live at a time."""


@pytest.mark.parametrize("tool", READING)
def test_samples_pass_and_are_not_kept(tool: str, tmp_path: Path) -> None:
    run, most = READING[tool]
    data = Loaded(MANY)
    run(data, tmp_path)
    assert 0 < data.most <= most
    assert data.alive == 0


class Bars:
    """A display that notes how far each bar came."""

    def __init__(self) -> None:
        self.bars: dict[str, tuple[int, int]] = {}
        self.stages: list[str] = []

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        self.stages.append(name)
        yield

    def each(self, name: str, items: Iterable[T], count: int) -> Iterator[T]:
        for number, item in enumerate(items, 1):
            yield item
            self.bars[name] = (number, count)


def test_every_bar_arrives_at_its_end(tmp_path: Path) -> None:
    bars, data = Bars(), {"x": samples(2)}
    runall(calibrated(), data, tmp_path, data_num=2, pick_threshold=1.0, display=bars)
    tensor_analysis(calibrated(), data, "conv1", tmp_path, display=bars)
    assert bars.bars == {
        "node sensitivity": (6, 6),
        "weight sensitivity": (6, 6),
        "activation sensitivity": (6, 6),
        "distributions": (3, 3),
        "channels": (3, 3),
        "accumulated error": (2, 2),
        "recovery": (8, 8),
        "tensor statistics": (2, 2),
        "pictures": (2, 2),
    }
    assert bars.stages == ["read model", "run", "run", "read model"]
