"""The printed lines and the profiler's files of a simulated run."""

from __future__ import annotations

import json
import re

import pytest

from hbir.reports.board_report import measured, perf_lines, profiler_csv, profiler_log
from hbir.runtime.board import CallCost, Workload, simulate

CALLS = (CallCost(0, (200.0,)), CallCost(0, (50.0,)), CallCost(2, (30.0,)))


def _run(**options: float) -> str:
    return "\n".join(perf_lines(measured([_load(**options)], simulate(1, [_load(**options)]))[0]))


def _load(**options: float) -> Workload:
    return Workload("net", CALLS, 1, 100.0, **options)  # pyright: ignore[reportArgumentType]  # keywords


def _value(text: str, caption: str) -> float:
    found = re.search(rf"{re.escape(caption)}\s*([0-9.]+)", text)
    assert found, caption
    return float(found[1])


def test_the_closing_block_has_the_published_lines_and_agrees_with_itself() -> None:
    text = _run(threads=2, frames=40)
    assert _value(text, "  Thread number is:") == 2
    assert _value(text, "  Frame count   is:") == 40
    run_ms = _value(text, "  Program run time:")
    assert run_ms == pytest.approx(0.1 + 40 * 0.28)
    total = _value(text, "  Frame totally latency is:")
    assert _value(text, "  Average   latency   is:") == pytest.approx(total / 40, abs=1e-6)
    assert _value(text, "  Frame    rate      is:") == pytest.approx(40e3 / run_ms, rel=1e-6)
    stream = [line for line in text.splitlines() if line.startswith("Frame count: ")]
    assert [_value(line, "Frame count:") for line in stream] == [10, 20, 30, 40]
    assert _value(stream[-1], "FPS:") == pytest.approx(40e3 / run_ms, rel=1e-6)


def test_warmup_frames_do_not_count() -> None:
    frames = simulate(1, [_load(frames=5, warmup_frames=1)])
    (part,) = measured([_load(frames=5, warmup_frames=1)], frames)
    assert len(frames) == 6
    assert len(part.frames) == 5


def test_timeouts_are_counted() -> None:
    assert "Timed out: 0 frames" in _run(frames=5, timeout_us=381.0)
    assert "Timed out: 5 frames" in _run(frames=5, timeout_us=379.0)


def test_profiler_log_splits_launch_and_segments() -> None:
    (part,) = measured([_load(frames=5)], simulate(1, [_load(frames=5)]))
    version, rest = profiler_log(part, "0").split("\n", 1)
    head, detail = (json.loads(text) for text in rest.split("\n***\n"))
    assert version.startswith("ucp_version: ")
    assert head["running_condition"] == {
        "core_id": "0",
        "frame_count": 5,
        "model_name": "net",
        "run_time": pytest.approx(5 * 0.38),
        "thread_num": 1,
    }
    assert head["perf_result"]["average_latency"] == pytest.approx(0.38)
    first, second = detail["model_latency"].items()
    assert first[0] == "Node-0-BPU-net_bpu_segment_0"
    assert first[1]["Stage1-GenerateBpuTask"]["avg_time"] == pytest.approx(0.1)
    assert first[1]["Stage2-BpuCoreProcess"]["avg_time"] == pytest.approx(0.25)
    assert first[1]["Total"]["max_time"] == pytest.approx(0.35)
    assert second[0] == "Node-1-BPU-net_bpu_segment_2"
    assert second[1]["Total"]["min_time"] == pytest.approx(0.03)
    assert detail["processor_latency"]["BPU_inference_time_cost"]["avg_time"] == pytest.approx(0.28)
    assert detail["task_latency"]["TaskRunningTime"]["avg_time"] == pytest.approx(0.38)


def test_profiler_csv_has_a_row_per_stage() -> None:
    (part,) = measured([_load(frames=5)], simulate(1, [_load(frames=5)]))
    lines = profiler_csv(part).splitlines()
    assert lines[0] == "node,stage,avg_time,max_time,min_time"
    assert (
        lines[2] == "Node-0-BPU-net_bpu_segment_0,Stage2-BpuCoreProcess,0.250000,0.250000,0.250000"
    )
    assert len(lines) == 1 + 2 * 3
