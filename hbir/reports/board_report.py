"""What a simulated run on a board prints and writes: the lines of `hrt_model_exec perf`, and its
`profiler.log` and `profiler.csv`. All times are of the simulated run.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import hbir
from hbir.runtime.board import Frame, Workload

Json = dict[str, Any]

STREAM_LINES = 4
"""How often a run says how far it is."""


@dataclass(frozen=True)
class Measured:
    """One workload's part of a run: the frames that count, in the order of their ends."""

    workload: Workload
    frames: Sequence[Frame]

    @property
    def run_ms(self) -> float:
        """From the first counted frame's start to the last one's end."""
        if not self.frames:
            return 0.0
        started = min(frame.prepared for frame in self.frames)
        return (self.frames[-1].ended - started) / 1000

    @property
    def total_latency_ms(self) -> float:
        """The sum of the frames' latencies."""
        return sum(frame.latency_us for frame in self.frames) / 1000

    @property
    def average_latency_ms(self) -> float:
        """The mean latency of a frame."""
        return self.total_latency_ms / len(self.frames) if self.frames else 0.0

    @property
    def fps(self) -> float:
        """Frames per second of the run."""
        return 1000 * len(self.frames) / self.run_ms if self.run_ms else 0.0

    @property
    def timeouts(self) -> int:
        """Frames that took longer than the workload allows."""
        limit = self.workload.timeout_us
        return sum(frame.latency_us > limit for frame in self.frames) if limit else 0


def measured(workloads: Sequence[Workload], frames: Sequence[Frame]) -> list[Measured]:
    """The frames of each workload that count: no warm-up frames, where there are others."""
    result: list[Measured] = []
    for number, workload in enumerate(workloads):
        mine = [frame for frame in frames if frame.workload == number]
        counted = [frame for frame in mine if not frame.warmup]
        result.append(Measured(workload, counted or mine))
    return result


def perf_lines(part: Measured) -> Iterator[str]:
    """The streaming lines and the closing block of one workload."""
    count = len(part.frames)
    for step in range(1, STREAM_LINES + 1):
        seen = part.frames[: count * step // STREAM_LINES]
        if not seen:
            continue
        latencies = [frame.latency_us / 1000 for frame in seen]
        partial = Measured(part.workload, seen)
        yield (
            f"Frame count: {len(seen)},  Thread Average: {partial.average_latency_ms:.6f} ms, "
            f" thread max latency: {max(latencies):.6f} ms,  thread min latency:"
            f" {min(latencies):.6f} ms,  FPS: {partial.fps:.6f}"
        )
    yield ""
    yield "Running condition:"
    yield f"  Thread number is: {part.workload.threads}"
    yield f"  Frame count   is: {count}"
    yield f"  Program run time: {part.run_ms:.6f} ms"
    yield "Perf result:"
    yield f"  Frame totally latency is: {part.total_latency_ms:.6f} ms"
    yield f"  Average   latency   is: {part.average_latency_ms:.6f} ms"
    yield f"  Frame    rate      is: {part.fps:.6f} FPS"
    preempted = sum(frame.preempted for frame in part.frames)
    if preempted:
        yield f"  Preempted at function calls: {preempted} times"
    if part.workload.timeout_us:
        yield f"  Timed out: {part.timeouts} frames"


def profiler_log(part: Measured, core_id: str) -> str:
    """The text of `profiler.log`: two JSON documents behind a version line."""
    condition = {
        "perf_result": {"FPS": part.fps, "average_latency": part.average_latency_ms},
        "running_condition": {
            "core_id": core_id,
            "frame_count": len(part.frames),
            "model_name": part.workload.name,
            "run_time": part.run_ms,
            "thread_num": part.workload.threads,
        },
    }
    stages = _stages(part)
    latency: Json = {}
    for name, stage, times in stages:
        if stage:
            latency.setdefault(name, {})[stage] = _spread(times)
    bpu = [sum(frame.call_us) / 1000 for frame in part.frames]
    detail = {
        "model_latency": latency,
        "processor_latency": {
            "BPU_inference_time_cost": _spread(bpu),
            "CPU_inference_time_cost": _spread([0.0] * len(bpu)),
        },
        "task_latency": {
            "TaskRunningTime": _spread([frame.latency_us / 1000 for frame in part.frames])
        },
    }
    texts = [json.dumps(document, indent=2) for document in (condition, detail)]
    return f"ucp_version: hbir {hbir.__version__} (simulated)\n{texts[0]}\n***\n{texts[1]}\n"


def profiler_csv(part: Measured) -> str:
    """The text of `profiler.csv`: a row per stage of each node, times in ms."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["node", "stage", "avg_time", "max_time", "min_time"])
    for name, stage, times in _stages(part):
        spread = _spread(times)
        writer.writerow(
            [name, stage, *(f"{spread[key]:.6f}" for key in ("avg_time", "max_time", "min_time"))]
        )
    return text.getvalue()


def _stages(part: Measured) -> list[tuple[str, str, list[float]]]:
    """(node, stage, ms per frame): the launch, then the function calls of each BPU segment."""
    rows: list[tuple[str, str, list[float]]] = []
    segments = sorted({call.segment for call in part.workload.calls})
    for node, segment in enumerate(segments):
        name = f"Node-{node}-BPU-{part.workload.name}_bpu_segment_{segment}"
        calls = [i for i, call in enumerate(part.workload.calls) if call.segment == segment]
        process = [sum(frame.call_us[i] for i in calls) / 1000 for frame in part.frames]
        # The host prepares a frame once; it is the first node's.
        launch = [
            (frame.submitted - frame.prepared) / 1000 if node == 0 else 0.0 for frame in part.frames
        ]
        rows.append((name, "Stage1-GenerateBpuTask", launch))
        rows.append((name, "Stage2-BpuCoreProcess", process))
        rows.append((name, "Total", [a + b for a, b in zip(launch, process, strict=True)]))
    return rows


def _spread(times: Sequence[float]) -> dict[str, float]:
    if not times:
        return {"avg_time": 0.0, "max_time": 0.0, "min_time": 0.0}
    return {
        "avg_time": round(sum(times) / len(times), 6),
        "max_time": round(max(times), 6),
        "min_time": round(min(times), 6),
    }
