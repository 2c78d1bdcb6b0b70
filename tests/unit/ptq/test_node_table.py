"""The node table: units, thresholds and types per node, cosines against a computation by hand."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import hbir
from hbir.module import Module
from hbir.ptq import node_table
from hbir.ptq.node_table import (
    NODE_CAPTIONS,
    OUTPUT_CAPTIONS,
    SAMPLES,
    NodeTable,
    measure,
    output_tensors,
    rows_of,
    sample_count,
    table_tensors,
)
from hbir.ptq.quant_config import settings_from
from hbir.ptq.quantize import quantize
from hbir.quantization.settings import QuantSettings
from tests.unit.ptq.uneven_network import float_network, samples

TEXT = """
func.func @main(%x: tensor<1x4x4x2xf32> {hbir.name = "x"})
    -> (tensor<1x4x4x3xf32> {hbir.name = "out"}) {
  %w = hbir.constant dense<0.5> : tensor<3x1x1x2xf32>
  %0 = hbir.conv2d %x, %w {origin = #hbir.origin<"conv", from "Conv_0" "Conv">}
      : (tensor<1x4x4x2xf32>, tensor<3x1x1x2xf32>) -> tensor<1x4x4x3xf32>
  %1 = hbir.relu %0 {origin = #hbir.origin<"relu", from "Relu_1" "Relu">} : tensor<1x4x4x3xf32>
  %2 = hbir.tanh %1 {origin = #hbir.origin<"out", from "Tanh_2" "Tanh">} : tensor<1x4x4x3xf32>
  func.return %2 : tensor<1x4x4x3xf32>
}
"""


@pytest.fixture(scope="module")
def levels() -> tuple[Module, Module, Module, list[dict[str, np.ndarray]]]:
    """Float, calibrated and quantized module, and the samples."""
    generator = np.random.default_rng(0)
    samples = [{"x": generator.normal(size=(1, 4, 4, 2)).astype(np.float32)} for _ in range(2)]
    module = Module.parse(TEXT)
    calibrated = hbir.calibrate(module, samples, asymmetric=False)
    quantized = hbir.convert(calibrated, "nash-e", run_on_cpu=["Tanh_2"])
    return module, calibrated, quantized, samples


def test_rows_join_fused_nodes_and_say_unit_threshold_and_type(
    levels: tuple[Module, Module, Module, list[dict[str, np.ndarray]]],
) -> None:
    _, _, quantized, samples = levels
    first, second = rows_of(quantized)
    assert [node.name for node in first.nodes] == ["Conv_0", "Relu_1"]
    assert (first.unit, first.data_type) == ("BPU", "si8")
    largest = max(float(np.abs(sample["x"]).max()) for sample in samples)
    assert first.threshold == pytest.approx(largest, rel=0.01)
    assert (second.unit, second.data_type, second.tensor) == ("CPU", "f32", "out")


def test_cosines_are_over_all_samples_together(
    levels: tuple[Module, Module, Module, list[dict[str, np.ndarray]]],
) -> None:
    module, calibrated, quantized, samples = levels
    names = table_tensors(rows_of(quantized), output_tensors(quantized))
    assert names == {"relu", "out"}
    of_calibrated, of_quantized = measure(module, (calibrated, quantized), samples, names)
    assert set(of_calibrated) == set(of_quantized) == names
    for level, found in ((calibrated, of_calibrated), (quantized, of_quantized)):
        wanted = np.concatenate([module.functions[0].feed(s)["out"].ravel() for s in samples])
        given = np.concatenate([level.functions[0].feed(s)["out"].ravel() for s in samples])
        cosine = wanted @ given / np.sqrt((wanted @ wanted) * (given @ given))
        assert found["out"] == pytest.approx(float(cosine), abs=1e-6)
        assert found["relu"] > 0.999


def test_a_small_network_is_measured_on_more_samples(
    monkeypatch: pytest.MonkeyPatch,
    levels: tuple[Module, Module, Module, list[dict[str, np.ndarray]]],
) -> None:
    """Three ops have 4·4·3 results each, the convolution's of 2 products."""
    module, calibrated, _, samples = levels
    assert sample_count(module) == SAMPLES
    monkeypatch.setattr(node_table, "PRODUCTS_PER_ELEMENT", 2)
    for elements, count in ((3 * 192, 3), (3 * 192 - 1, 2), (5, 1)):
        monkeypatch.setattr(node_table, "ELEMENTS", elements)
        assert sample_count(module) == count
    taken: list[int] = []
    data = (taken.append(index) or samples[index % 2] for index in range(9))
    measure(module, (calibrated,), data, {"out"})
    assert taken == [0]


@pytest.mark.parametrize(
    "said", [{"activation": {"per_channel": True}}, {"weight": {"equalization": True}}]
)
def test_scaled_channels_are_compared_with_scaled_ones(said: dict[str, dict[str, bool]]) -> None:
    """Scaling a channel loses nothing, so it must not look like a loss."""
    data = [{"x": sample} for sample in samples()]
    activation = {"calibration_type": "max", **said.get("activation", {})}
    settings = settings_from({"model_config": {**said, "activation": activation}}, QuantSettings())
    result = quantize(float_network(), data, settings)
    assert result.reference is not None
    in_source, as_scaled = (
        measure(reference, (result.module,), data, {"b", "b/scaled", "y"})[0]
        for reference in (float_network(), result.reference)
    )
    assert in_source.keys() == {"y"}, "no other tensor is the source's"
    assert as_scaled["b/scaled"] > 0.9995
    assert in_source["y"] == pytest.approx(as_scaled["y"], abs=1e-5)


def test_both_forms_have_the_captions_and_as_many_fields(
    levels: tuple[Module, Module, Module, list[dict[str, np.ndarray]]],
) -> None:
    _, _, quantized, _ = levels
    table = NodeTable(tuple(rows_of(quantized)), output_tensors(quantized), {"out": 1.0}, {})
    lines = [line for line in table.text().splitlines() if set(line) != {"-"}]
    fields = [tuple(field.strip() for field in line.split("|")) for line in lines]
    rows = [tuple(row) for row in csv.reader(io.StringIO(table.csv())) if row]
    assert fields == rows
    assert rows[0] == NODE_CAPTIONS
    assert rows[1][0] == "Conv_0+Relu_1"
    assert rows[-2] == OUTPUT_CAPTIONS
    assert rows[-1] == ("out", "1.000000", "--")
