"""What automatic mixed precision leaves: `final_quant_config.json` and `tuning_report.md`."""

from __future__ import annotations

from typing import Any

from hbir.quantization.methods.method import Method
from hbir.quantization.mixed_precision import Choice
from hbir.quantization.settings import MixedPrecision, QuantSettings, Scheme


def final_quant_config(
    settings: QuantSettings, scheme: Scheme, choice: Choice | None = None
) -> dict[str, Any]:
    """A quant_config that gives the same module on the same data without searching again.

    What settings say about types, places and loaded ranges is in it too.
    """
    model: dict[str, Any] = {
        "all_node_type": settings.all_node_type,
        "activation": _activation(scheme.method, scheme.per_channel),
        "weight": {
            "bias_correction": settings.bias_correction,
            "equalization": settings.equalization,
            "rounding": settings.rounding,
        },
    }
    if settings.load is not None:
        model["activation"]["load_path"] = settings.load_path
    if settings.model_output_type is not None:
        model["model_output_type"] = settings.model_output_type
    ops = {name: _entry(choices) for name, choices in settings.op_types.items()}
    ops.update({name: {"ON": "CPU"} for name in settings.cpu_op_types})
    for name in settings.bpu_op_types:
        ops.setdefault(name, {})["ON"] = "BPU"
    nodes = {name: _entry(choices) for name, choices in settings.node_types.items()}
    nodes.update({name: {"ON": "CPU"} for name in settings.on_cpu})
    for name in settings.on_bpu:
        nodes.setdefault(name, {})["ON"] = "BPU"
    for name, places in (choice.node_config() if choice is not None else {}).items():
        nodes[name] = {**places, **nodes.get(name, {})}  # what the user said stays
    config: dict[str, Any] = {"model_config": model, "op_config": ops}
    config["subgraph_config"] = {
        s.name: {"inputs": list(s.inputs), "outputs": list(s.outputs), "qtype": s.qtype}
        for s in settings.subgraphs
    }
    config["node_config"] = nodes
    return {key: value for key, value in config.items() if value}


def _activation(method: Method, per_channel: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "calibration_type": method.name,
        "max_percentile": method.percentile,
        "per_channel": per_channel,
        "asymmetric": method.asymmetric,
        "num_bin": method.num_bin,
        "max_num_bin": method.max_num_bin,
    }
    if method.averaging is not None:
        entry["averaging"] = method.averaging
    return entry


def _entry(choices: tuple[Any, ...]) -> dict[str, str]:
    entry: dict[str, str] = {}
    for choice in choices:
        entry.update({"qtype": choice} if isinstance(choice, str) else choice)
    return entry


def tuning_report(choice: Choice, mixed: MixedPrecision, method: str, march: str) -> str:
    """The report, Markdown: what was widened, what each gains and takes, and the whole."""
    what = "cosine to float" if mixed.metric is None else "the metric given"
    reached = choice.score >= mixed.target
    lines = [
        "# Mixed precision",
        "",
        f"Target: {what} of {mixed.target:g}, which is {'reached' if reached else 'OUT OF REACH'}.",
        f"Ranges: {method}. March: {march}.",
        "",
        f"| | {what} | predicted µs, sum of layers |",
        "| --- | --- | --- |",
        f"| int8 | {choice.score_before:.6f} | {choice.us_before:.1f} |",
        f"| with {choice.wide} for {len(choice.chosen)} | {choice.score:.6f} | {choice.us:.1f} |",
        "",
    ]
    if choice.chosen:
        lines += [
            f"## What is {choice.wide}",
            "",
            "Gain is what the rounding to 8 bits of it alone costs the outputs, as 1 − cosine.",
            "",
            "| node | what | gain | predicted µs more |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {item.candidate.name} | {'weights' if item.candidate.is_weights else 'result'} |"
            f" {item.loss:.6f} | {item.added_us:.2f} |"
            for item in choice.chosen
        ]
        lines.append("")
    return "\n".join(lines)
