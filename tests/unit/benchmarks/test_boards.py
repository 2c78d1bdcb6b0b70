"""Board measurements: which rows are read and how, and the least squares that fits a march to them."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.boards.fit import FREE, Row, launch_numbers, quality, solve
from benchmarks.boards.measurements import MARCHES, Measurement, measurements
from benchmarks.boards.predict import PARTS, Prediction, critical_parts, scaled
from hbir.backend.march import load_march
from hbir.backend.timeline import frame_microseconds, play
from tests.unit.runtime.programs import random_program

USABLE, LEFT = measurements()


def find(model: str, march: str) -> Measurement:
    (found,) = (m for m in USABLE if m.model == model and m.march == march)
    return found


def test_a_saturated_rate_is_the_time_of_a_frame() -> None:
    one = find("YOLOv8n Detect", "nash-e")
    assert (one.graph, one.cores) == ("yolov8n", 1)
    assert one.bpu_ms == pytest.approx(1000 / 868.87)
    assert one.latency_ms == 1.53


def test_four_cores_show_four_frames_at_once() -> None:
    four = find("YOLOv8x Detect", "nash-p")
    assert four.cores == 4
    assert four.bpu_ms == pytest.approx(4000 / 567.201)


def test_rows_that_hold_more_than_the_bpu_say_why_they_are_left_out() -> None:
    reasons = {(x.model, x.march): x.reason for x in LEFT}
    assert "CPU" in reasons["YOLO26l Detect", "nash-e"]
    assert "CPU" in reasons["YOLOE-11l-Seg", "nash-m"]
    assert "host" in reasons["YOLOv8n CLS", "nash-p"]
    assert all(reason for reason in reasons.values())
    assert {m.march for m in USABLE} == set(MARCHES)


def test_tasks_of_one_network_are_one_family() -> None:
    families = {m.family for m in USABLE if m.graph.startswith("yolo11")}
    assert families == {"YOLO11"}


@settings(max_examples=8)
@given(
    factors=st.lists(st.floats(0.6, 1.6), min_size=3, max_size=3),
    seed=st.integers(0, 1 << 20),
)
def test_factors_that_made_the_measurements_are_found_again(
    factors: list[float], seed: int
) -> None:
    random = np.random.default_rng(seed)
    # The two that a strong prior holds stay at 1.
    true = {**dict.fromkeys(FREE, 1.0), **dict(zip(("vae", "trans", "call"), factors, strict=True))}
    rows: list[Row] = []
    measured: list[float] = []
    for _ in range(400):
        parts = {name: float(random.uniform(0, 1)) for name in PARTS}
        mine = Measurement("m", "f", "g", "nash-e", 1, 0.0, 0.0)
        rows.append(Row(mine, Prediction(sum(parts.values()), parts, 0.0)))
        measured.append(sum(parts[name] * true.get(name, 1.0) for name in PARTS))
    found = solve(rows, measured, [0.0] * len(rows))
    for name, factor in true.items():
        assert found[name] == pytest.approx(factor, rel=0.1)


def test_what_few_threads_show_of_a_small_network_is_their_launches() -> None:
    two = find("YOLOv8n CLS", "nash-e")
    assert two.in_flight == 2.0
    assert find("YOLOv8x Detect", "nash-p").in_flight == 3.0  # twelve threads, four cores
    machine = load_march("nash-e")
    launch_ms = machine.launch_us(0) / 1000.0
    small = Prediction(0.1, dict.fromkeys(PARTS, 0.0), 0.1)
    large = Prediction(9.0, dict.fromkeys(PARTS, 0.0), 9.0)
    assert small.rate_ms(machine, 2.0) == pytest.approx((0.1 + launch_ms) / 2.0)
    assert large.rate_ms(machine, 2.0) == 9.0


def test_a_row_that_launches_bound_says_nothing_of_the_machine() -> None:
    parts = dict.fromkeys(PARTS, 0.0) | {"vae": 0.1}
    row = Row(Measurement("m", "f", "g", "nash-e", 1, 0.3, 0.5, 2.0), Prediction(0.1, parts, 0.1))
    found = solve([row], [0.3], [0.5])
    assert found == pytest.approx(dict.fromkeys(FREE, 1.0), rel=1e-3)


@given(
    fixed_us=st.floats(50, 500), rate=st.floats(10, 200), seed=st.integers(0, 1 << 20)
)  # fmt: skip
def test_launches_that_made_the_latencies_are_found_again(
    fixed_us: float, rate: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for _ in range(100):
        alone, io_bytes = float(random.uniform(1, 9)), int(random.integers(1, 9_000_000))
        latency = alone + (fixed_us + io_bytes / (rate * 1e3)) / 1000.0
        prediction = Prediction(alone, dict.fromkeys(PARTS, 0.0), alone, io_bytes)
        rows.append(Row(Measurement("m", "f", "g", "nash-e", 1, alone, latency), prediction))
    found_us, found_rate = launch_numbers(rows)
    assert found_us == pytest.approx(fixed_us, rel=0.05, abs=3.0)
    assert found_rate == pytest.approx(rate, rel=0.05)


def test_rows_that_are_only_shown_say_why() -> None:
    shown = {m.model: m.check for m in USABLE if m.check}
    assert set(shown) >= {"HENet_TinyE", "HENet_TinyM"}
    assert all(shown.values())
    assert not any("YOLO" in model for model in shown)
    henets = {m.graph for m in USABLE if m.family == "HENet"}
    assert {"henet_tinye_224x224", "henet_tinym_704x1280"} <= henets


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=3, max_size=20))
def test_rank_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    left, right = ([float(p[side]) for p in pairs] for side in (0, 1))
    if len(set(left)) == 1 or len(set(right)) == 1:
        return
    oracle = cast(Any, stats).spearmanr
    assert quality(left, right).spearman == pytest.approx(oracle(left, right)[0])


@given(seed=st.integers(0, 1 << 20))
def test_parts_of_the_critical_path_add_up_to_the_time(seed: int) -> None:
    program, _ = random_program(seed)
    machine = load_march("nash-e")
    timeline = play(machine, program, program.graphs[0])
    parts = critical_parts(machine, timeline)
    assert 1000 * sum(parts.values()) == pytest.approx(frame_microseconds(machine, timeline))


def test_scaling_every_part_scales_the_machine() -> None:
    machine = load_march("nash-p")
    twice = scaled(machine, {"tae": 2.0, "vae": 2.0, "ddr": 2.0, "call": 2.0})
    assert twice.tae.passes_int8_int8 == 2 * machine.tae.passes_int8_int8
    assert twice.vector["VAE"].bytes_per_cycle == machine.vector["VAE"].bytes_per_cycle / 2
    assert twice.ddr.bandwidth_gb_per_s == machine.ddr.bandwidth_gb_per_s / 2
    assert twice.ddr.core_bandwidth_gb_per_s == machine.ddr.core_bandwidth_gb_per_s
    assert twice.call_overhead_us == 2 * machine.call_overhead_us
    assert twice.vector["TRANS"] == machine.vector["TRANS"]
