"""What a model's time is spent on, and what would help: `hb_analyzer`'s summary.

Keys are those of the vendor's `analysis_summary.json`. It reads static performance reports
(`hbir/reports/performance.py`, or those of the vendor's tool, which have costs as text alone) and,
where there is one, the quantized module, for shapes and CPU ops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xdsl.ir import Operation

from hbir.dialects.bpu.conv import Conv2dOp
from hbir.dialects.bpu.matmul import MatmulOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbtl import CallOp
from hbir.interface import Argument
from hbir.ir.origin import name_of, nodes_of
from hbir.ir.types import shape_of
from hbir.module import Module
from hbir.reports.performance import MAC_KEYS, Json

GOOD, CHECK, BAD = "good", "check", "bad"

IMAGE_CHANNELS = 4
"""Up to so many channels belong to an image, and no one can choose them."""

TOP_LAYERS = 20
INT16_SHARE_CHECK, INT16_SHARE_BAD = 0.10, 0.30
"""Shares of int16 in all multiply-accumulates above which the published rule says to look, or that
it is too much."""

CHANNEL_ALIGN, HEAD_ALIGN, SEQUENCE_ALIGN = 16, 64, 128
"""Published: channels are padded to 16, the channels of an attention head to 64, and sequences are
best in multiples of 128."""

_COST_KEYS = {
    "computing cost (us)": "computing cost (no DDR)",
    "load cost (us)": "load cost",
    "store cost (us)": "store cost",
}
"""Number → the text that says the same, for reports that have only that."""

_SUFFIX = re.compile(r"_id_\d+$")


@dataclass(frozen=True)
class Finding:
    """One rule applied to the model. verdict: good, check or bad."""

    rule: str
    verdict: str
    found: str
    advice: str = ""


def analysis_summary(report: Json, module: Module | None = None) -> Json:
    """The summary of one graph. report: its performance; module: the quantized one."""
    summary = report["summary"]
    layers = [_Layer.of(entry) for entry in summary["layer details"]]
    return {
        "hbm_key_indicators": _indicators(report, layers),
        "hbm_ddr_bytes_per_run": _ddr_bytes(summary["DDR access data"]),
        "hbm_op_time_by_type": _times(layers, lambda layer: layer.kind, "type"),
        "hbm_top_layers_by_total_time": _top_layers(layers),
        "hbm_block_time": _times(layers, lambda layer: layer.block, "block"),
        "bc_quantized_model_cpu_ops": _cpu_ops(report, module),
        "bc_model_info": _ports(module),
        "hbm_model_info": summary["model info"],
        "findings": [asdict(finding) for finding in findings(report, module)],
        "perf_json_data": summary,
    }


# ---------------------------------------------------------------------------------- times


@dataclass(frozen=True)
class _Layer:
    """A row of "layer details", with numbers."""

    name: str
    kind: str
    block: str
    compute_us: float
    load_us: float
    store_us: float
    origin: tuple[str, ...]

    @property
    def total_us(self) -> float:
        return self.compute_us + self.load_us + self.store_us

    @staticmethod
    def of(entry: Json) -> _Layer:
        name, kind = str(entry["layer name"]), str(entry.get("kind", ""))
        origin = tuple(str(node) for node in entry.get("origin ops", ()))
        compute, load, store = (_cost(entry, key) for key in _COST_KEYS)
        block = _block(origin[-1] if origin else _SUFFIX.sub("", name), kind)
        return _Layer(name, kind or "unknown", block, compute, load, store, origin)


def _cost(entry: Json, key: str) -> float:
    if key in entry:
        return float(entry[key])
    text = str(entry.get(_COST_KEYS[key], "0"))
    number = re.match(r"\s*<?\s*([\d.]+)\s*(us|ms)?", text)
    if number is None:
        return 0.0
    return float(number[1]) * (1000 if number[2] == "ms" else 1)


def _block(node: str, kind: str) -> str:
    """`<module path>.<sub-op>`: the path of the node that a layer was made of, and what it does.

    Composite operators become several layers, so that time by type alone misleads.
    """
    path = node.partition("/accumulator")[0].strip("/").replace("/", ".")
    module = path.rpartition(".")[0] or path
    return f"{module}.{kind}" if kind else path


def _times(layers: Iterable[_Layer], key: Callable[[_Layer], str], name: str) -> list[Json]:
    """Work by key, most first: computing, loading and storing, which overlap in time."""
    groups: dict[str, list[_Layer]] = {}
    for layer in layers:
        groups.setdefault(key(layer), []).append(layer)
    total = sum(layer.total_us for group in groups.values() for layer in group)
    rows = [
        {
            name: label,
            "total_time_us": round(sum(layer.total_us for layer in group), 3),
            "compute_time_us": round(sum(layer.compute_us for layer in group), 3),
            "share": round(sum(layer.total_us for layer in group) / total, 6) if total else 0.0,
            "layers": len(group),
        }
        for label, group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-float(row["total_time_us"]), str(row[name])))


def _top_layers(layers: Iterable[_Layer]) -> list[Json]:
    order = sorted(layers, key=lambda layer: -layer.total_us)[:TOP_LAYERS]
    return [
        {
            "layer": layer.name,
            "type": layer.kind,
            "block": layer.block,
            "total_time_us": round(layer.total_us, 3),
            "compute_time_us": round(layer.compute_us, 3),
            "load_time_us": round(layer.load_us, 3),
            "store_time_us": round(layer.store_us, 3),
            "origin_ops": list(layer.origin),
        }
        for layer in order
    ]


# ---------------------------------------------------------------------------------- the model


def _indicators(report: Json, layers: list[_Layer]) -> list[Json]:
    summary = report["summary"]
    performance, ddr = summary["performance"], summary["DDR access data"]
    utilization = _mean(summary["interval info"]["interval computing unit utilization"])
    rows: list[tuple[str, Any, str]] = [
        ("FPS", performance["FPS"], "frames/s"),
        ("latency", performance["latency (ms)"], "ms"),
        ("DDR access per run", round(_ddr_bytes(ddr) / 1e6, 6), "MB"),
        ("computing unit utilization", round(100 * utilization, 3), "%"),
        ("int16 MAC share", round(100 * int16_share(report), 3), "%"),
        ("layers", len(layers), ""),
        ("CPU ops", len(summary["model info"].get("cpu ops", ())), ""),
    ]
    return [{"title": title, "value": value, "unit": unit} for title, value, unit in rows]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _ddr_bytes(ddr: Json) -> int:
    if "DDR bytes per run" in ddr:
        return int(ddr["DDR bytes per run"])
    return round(float(ddr.get("DDR megabytes per run", 0)) * 1e6)


def int16_share(report: Json) -> float:
    """The share of multiply-accumulates with int16 on a side, 0…1; 0 without any."""
    information = report["summary"]["model info"]
    counts = {sizes: int(information.get(key, 0)) for sizes, key in MAC_KEYS.items()}
    total = sum(counts.values())
    return 1 - counts.get((1, 1), 0) / total if total else 0.0


def _cpu_ops(report: Json, module: Module | None) -> list[Json]:
    if module is None:
        names = report["summary"]["model info"].get("cpu ops", ())
        return [{"name": "", "type": str(name), "reason": ""} for name in names]
    calls = (op for function in module.functions for op in function.operations)
    return [
        {
            "name": name_of(call.results[0]),
            "type": call.signature.data,
            "reason": call.reason.data,
        }
        for call in calls
        if isinstance(call, CallOp)
    ]


def _ports(module: Module | None) -> Json:
    def described(ports: Iterable[Argument]) -> list[Json]:
        return [
            {"name": p.name, "shape": list(p.type.valid_shape), "dtype": str(p.type.np_dtype)}
            for p in ports
        ]

    function = None if module is None else module.functions[0]
    return {
        "quantized_model_inputs": described(function.flatten_inputs) if function else [],
        "quantized_model_outputs": described(function.flatten_outputs) if function else [],
    }


# ---------------------------------------------------------------------------------- rules


def findings(report: Json, module: Module | None = None) -> Iterator[Finding]:
    """The published rules applied, those on shapes only where the module is there."""
    yield _int16_finding(int16_share(report))
    yield _cpu_finding(_cpu_ops(report, module))
    if module is None:
        return
    shapes = list(_layer_shapes(module))
    for rule, align, advice, sizes in (
        (
            f"Channels are padded to a multiple of {CHANNEL_ALIGN}",
            CHANNEL_ALIGN,
            "widen or narrow these layers to a multiple, which costs no more time",
            [(name, what, size) for name, what, size in shapes if what.endswith("channels")],
        ),
        (
            f"An attention head's channels are padded to a multiple of {HEAD_ALIGN}",
            HEAD_ALIGN,
            "choose fewer and wider heads",
            [(name, what, size) for name, what, size in shapes if what == "head"],
        ),
        (
            f"Sequences are best in multiples of {SEQUENCE_ALIGN}",
            SEQUENCE_ALIGN,
            "pad or cut the sequence to a multiple",
            [(name, what, size) for name, what, size in shapes if what == "sequence"],
        ),
    ):
        if sizes:
            yield _alignment(rule, align, advice, sizes)


def _int16_finding(share: float) -> Finding:
    rule = "Less than 10 % of the multiply-accumulates should be int16; more than 30 % is too much"
    found = f"{100 * share:.1f} %"
    if share < INT16_SHARE_CHECK:
        return Finding(rule, GOOD, found)
    advice = "keep int16 for the layers that need it: hmct-debugger shows which are sensitive"
    return Finding(rule, CHECK if share <= INT16_SHARE_BAD else BAD, found, advice)


def _cpu_finding(ops: list[Json]) -> Finding:
    rule = "Every op should run on the BPU: one on the CPU cuts the model in two"
    if not ops:
        return Finding(rule, GOOD, "none on the CPU")
    names = ", ".join(f"{op['name'] or op['type']}" for op in ops[:8])
    more = f" and {len(ops) - 8} more" if len(ops) > 8 else ""
    advice = "hb_compile -m MODEL --march MARCH says why, and what would help"
    return Finding(rule, BAD, f"{len(ops)}: {names}{more}", advice)


def _alignment(rule: str, align: int, advice: str, sizes: list[tuple[str, str, int]]) -> Finding:
    off = [(name, what, size) for name, what, size in sizes if size % align]
    if not off:
        return Finding(rule, GOOD, f"all {len(sizes)} are")
    shown = ", ".join(f"{name} ({what} {size})" for name, what, size in off[:8])
    more = f" and {len(off) - 8} more" if len(off) > 8 else ""
    return Finding(rule, CHECK, f"{len(off)} of {len(sizes)} are not: {shown}{more}", advice)


def _layer_shapes(module: Module) -> Iterator[tuple[str, str, int]]:
    """(layer, what, extent) of what the rules on shapes look at."""
    for op in (op for function in module.functions for op in function.operations):
        if isinstance(op, MatmulOp) and _of_activations(op):
            yield from _attention_shapes(op)
        if not isinstance(op, Conv2dOp):
            continue
        if shape_of(op.x)[-1] > IMAGE_CHANNELS:
            yield _called(op), "input channels", shape_of(op.x)[-1]
        yield _called(op), "output channels", shape_of(op.output)[-1]


def _of_activations(op: MatmulOp) -> bool:
    return not any(isinstance(value.owner, ConstantOp) for value in op.operands[:2])


def _attention_shapes(op: MatmulOp) -> Iterator[tuple[str, str, int]]:
    """Of scores (queries × keys, what a softmax reads) the head's channels and the keys."""
    readers = {use.operation.name for use in op.output.uses}
    if "bpu.softmax" not in readers:
        return
    yield _called(op), "head", shape_of(op.operands[0])[-1]
    yield _called(op), "sequence", shape_of(op.output)[-1]


def _called(op: Operation) -> str:
    nodes = nodes_of(op)
    if nodes:
        return nodes[-1].name
    return name_of(op.results[0], "?").partition("/accumulator")[0]


def describe(findings_: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """The findings as lines for the console."""
    for finding in findings_:
        line = f"[{finding['verdict']}] {finding['rule']}: {finding['found']}"
        yield f"{line}; {finding['advice']}" if finding["advice"] else line
