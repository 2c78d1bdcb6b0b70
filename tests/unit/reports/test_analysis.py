"""The summary: its keys, its sums, the rules; and vendor reports, which have costs as text."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import hbir
from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.onnx import export
from hbir.reports.analysis import BAD, CHECK, GOOD, analysis_summary, findings, int16_share
from hbir.reports.analysis_page import analysis_page
from hbir.reports.performance import Json, performance_report

Helper: Any = helper

KEYS = {
    "hbm_key_indicators",
    "hbm_ddr_bytes_per_run",
    "hbm_op_time_by_type",
    "hbm_top_layers_by_total_time",
    "hbm_block_time",
    "bc_quantized_model_cpu_ops",
    "bc_model_info",
    "hbm_model_info",
    "perf_json_data",
}
"""Of the vendor's file."""


def attention(heads: int, tokens: int, width: int) -> Any:
    """Scores of tokens with each other, softmax, values; then a projection of odd width."""
    shape = [1, heads, tokens, width]
    weights = np.random.default_rng(0).normal(size=(width, 24)).astype(np.float32)
    nodes = [
        Helper.make_node("Transpose", ["k"], ["t"], name="/block/attn/T", perm=[0, 1, 3, 2]),
        Helper.make_node("MatMul", ["q", "t"], ["s"], name="/block/attn/MatMul"),
        Helper.make_node("Softmax", ["s"], ["p"], name="/block/attn/Softmax", axis=-1),
        Helper.make_node("MatMul", ["p", "v"], ["o"], name="/block/attn/MatMul_1"),
        Helper.make_node("MatMul", ["o", "w"], ["a"], name="/block/fc/MatMul"),
        Helper.make_node("Det", ["sq"], ["d"], name="/tail/Det"),
    ]
    inputs = [Helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "qkv"]
    inputs.append(Helper.make_tensor_value_info("sq", TensorProto.FLOAT, [1, 4, 4]))
    outputs = [Helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("a", "d")]
    graph = Helper.make_graph(
        nodes, "net", inputs, outputs, [numpy_helper.from_array(weights, "w")]
    )
    return Helper.make_model(graph, opset_imports=[Helper.make_opsetid("", 19)])


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Json, hbir.Module]:
    """The performance of the network, and its quantized module."""
    module = export(attention(heads=2, tokens=32, width=16))
    generator = np.random.default_rng(1)
    feed = {
        port.name: generator.normal(size=port.type.shape).astype(np.float32)
        for port in module.functions[0].flatten_inputs
    }
    calibrated = hbir.calibrate(module, [feed], dtype={"/block/fc/MatMul": "int16"})
    quantized = hbir.convert(calibrated, "nash-e")
    hbm = hbir.compile(quantized, tmp_path_factory.mktemp("hbm") / "net.hbm")
    machine, graph = load_march("nash-e"), hbm.graphs[0].program
    timeline = play(machine, hbm.program, graph)
    return performance_report(machine, hbm.program, graph, timeline), quantized


def test_the_summary_has_the_published_keys(analysed: tuple[Json, hbir.Module]) -> None:
    summary = analysis_summary(*analysed)
    assert set(summary) >= KEYS
    titles = [entry["title"] for entry in summary["hbm_key_indicators"]]
    assert titles[:3] == ["FPS", "latency", "DDR access per run"]
    assert all(set(entry) == {"title", "value", "unit"} for entry in summary["hbm_key_indicators"])
    inputs = summary["bc_model_info"]["quantized_model_inputs"]
    assert inputs[0] == {"name": "q", "shape": [1, 2, 32, 16], "dtype": "float32"}
    (call,) = summary["bc_quantized_model_cpu_ops"]
    assert call == {"name": "d", "type": "onnx::Det", "reason": "Det has no BPU form"}


def test_times_by_type_and_by_block_add_up(analysed: tuple[Json, hbir.Module]) -> None:
    report, module = analysed
    summary = analysis_summary(report, module)
    layers = report["summary"]["layer details"]
    keys = ("computing cost (us)", "load cost (us)", "store cost (us)")
    total = sum(layer[key] for layer in layers for key in keys)
    for table in ("hbm_op_time_by_type", "hbm_block_time"):
        times = [row["total_time_us"] for row in summary[table]]
        assert sum(times) == pytest.approx(total, abs=0.01)
        assert times == sorted(times, reverse=True)
        assert sum(row["share"] for row in summary[table]) == pytest.approx(1, abs=1e-4)
    blocks = {row["block"] for row in summary["hbm_block_time"]}
    assert {"block.attn.softmax", "block.attn.matmul"} <= blocks
    top = summary["hbm_top_layers_by_total_time"]
    assert top[0]["total_time_us"] == max(row["total_time_us"] for row in top)


def test_the_rules_on_shapes_find_what_is_off(analysed: tuple[Json, hbir.Module]) -> None:
    found = {finding.rule.split()[0]: finding for finding in findings(*analysed)}
    assert found["Channels"].verdict == CHECK
    assert "/block/fc/MatMul (output channels 24)" in found["Channels"].found
    assert found["An"].verdict == CHECK
    assert "head 16" in found["An"].found
    assert "sequence 32" in found["Sequences"].found
    assert found["Every"].verdict == BAD
    # a projection in int16: 2·32·16·24 of these and 2·2·32·32·16 in the two matmuls of int8
    assert int16_share(analysed[0]) == pytest.approx(24 / (24 + 64))
    assert found["Less"].verdict == CHECK


def test_good_shapes_are_good() -> None:
    module = export(attention(heads=1, tokens=128, width=64))
    generator = np.random.default_rng(1)
    feed = {
        port.name: generator.normal(size=port.type.shape).astype(np.float32)
        for port in module.functions[0].flatten_inputs
    }
    quantized = hbir.convert(hbir.calibrate(module, [feed]), "nash-e")
    report = {"summary": {"model info": {"double int8 macs": 10}}}
    verdicts = {f.rule.split()[0]: f.verdict for f in findings(report, quantized)}
    assert verdicts["An"] == verdicts["Sequences"] == verdicts["Less"] == GOOD


@pytest.mark.parametrize(("share", "verdict"), [(0, GOOD), (9, GOOD), (20, CHECK), (31, BAD)])
def test_int16_shares_are_judged_as_published(share: int, verdict: str) -> None:
    information = {"double int8 macs": 100 - share, "double int16 macs": share}
    first = next(iter(findings({"summary": {"model info": information}})))
    assert first.verdict == verdict


def test_reports_with_costs_as_text_are_read(analysed: tuple[Json, hbir.Module]) -> None:
    layer = {
        "layer name": "Conv_0_id_7",
        "ops": 236027904,
        "computing cost (no DDR)": "23 us (2.9% of model)",
        "load cost": "<1 us",
        "store cost": "0",
    }
    summary = {**analysed[0]["summary"], "layer details": [layer]}
    (row,) = analysis_summary({"summary": summary})["hbm_top_layers_by_total_time"]
    assert row["compute_time_us"] == 23
    assert row["total_time_us"] == 24
    assert row["block"] == "Conv_0"


def test_the_page_is_the_same_each_time(analysed: tuple[Json, hbir.Module]) -> None:
    summary = analysis_summary(*analysed)
    first, second = (analysis_page("net", summary) for _ in range(2))
    assert first == second
    assert "/block/fc/MatMul (output channels 24)" in first
    assert "<script src" not in first
