"""How the side-by-side comparison judges: ties by resampling, quotients of sums."""

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.accuracy import side_by_side
from benchmarks.accuracy.side_by_side import (
    best_of_onnxruntime,
    close_to_float,
    difference,
    quotient,
    verdict,
)
from tests.models.packages import ModelMissing

Scores = list[tuple[float, float]]


def drawn(share: float, count: int, seed: int) -> Scores:
    right = np.random.default_rng(seed).uniform(size=count) < share
    return [(float(value), 1.0) for value in right]


def test_the_metric_is_a_quotient_of_sums() -> None:
    assert quotient([(1, 2), (5, 8)]) == 0.6


def test_the_interval_is_that_of_the_mean() -> None:
    """Of independent samples it is ±1.96·√(p(1 − p)·2/n)."""
    low, high = difference(drawn(0.9, 2000, 1), drawn(0.9, 2000, 2))
    expected = 2 * 1.96 * np.sqrt(0.9 * 0.1 * 2 / 2000)
    assert high - low == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(0.95, 0.85, "better"), (0.85, 0.95, "worse"), (0.9, 0.9, "tie")],
)
def test_differences_within_the_noise_are_ties(ours: float, theirs: float, expected: str) -> None:
    rows = [{"scores": drawn(share, 1000, seed)} for share, seed in ((ours, 1), (theirs, 2))]
    assert verdict(*rows) == expected


def test_the_best_calibrator_counts_and_one_that_fails_does_not() -> None:
    row = {
        "onnxruntime U8S8 MinMax": {"error": "no"},
        "onnxruntime U8S8 Entropy": {"metric": 0.5},
        "onnxruntime U8S8 Percentile": {"metric": 0.75},
    }
    found = best_of_onnxruntime(row, "U8S8")
    assert found is not None
    assert found[0] == "Percentile"


@pytest.mark.parametrize(
    ("cosine", "metric", "labelled", "expected"),
    [(0.996, 0.5, True, True), (0.99, 0.948, True, True), (0.99, 0.946, True, False),
     (0.99, 0.95, False, False)],
)  # fmt: skip
def test_close_to_float_is_by_labels_or_by_the_cosine(
    cosine: float, metric: float, labelled: bool, expected: bool
) -> None:
    reference = {"metric": 0.95, "labelled": labelled}
    assert close_to_float({"cosine": cosine, "metric": metric}, reference) is expected


def test_a_model_whose_package_is_absent_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(_: str) -> None:
        raise ModelMissing("run `pip install it`")

    monkeypatch.setattr(side_by_side, "measure", measure)
    assert side_by_side.table(["craft"]).row_count == 0
    assert "craft is left out: run `pip install it`" in capsys.readouterr().err
