"""`quantize`: types by layer of a quant_config, the search, mixed precision and its files."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

import hbir
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.ir.origin import name_of
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.module import Module
from hbir.passes.fake_quant import fake_quant_at
from hbir.passes.gemm import GemmOp, as_gemm
from hbir.ptq.quant_config import settings_from
from hbir.ptq.quantize import QuantizationResult, quantize
from hbir.quantization.settings import MixedPrecision, QuantSettings
from tests.unit.ptq.uneven_network import float_network, samples

# Input channel 0 is a thousand times channel 1, which alone decides the output: int8 has one scale
# for both.
TEXT = """
func.func @net(%x: tensor<1x4x4x2xf32> {hbir.name = "x"}) -> tensor<1x4x4x2xf32> {
  %w = hbir.constant dense<[[[[0.0, 1.0]]], [[[0.0, -1.0]]]]> : tensor<2x1x1x2xf32>
  %v = hbir.constant dense<[[[[1.0, 0.5]]], [[[0.25, 1.0]]]]> : tensor<2x1x1x2xf32>
  %a = hbir.conv2d %x, %w {origin = #hbir.origin<"a", from "first" "Conv">}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %b = hbir.tanh %a {origin = #hbir.origin<"b", from "middle" "Tanh">} : tensor<1x4x4x2xf32>
  %c = hbir.conv2d %b, %v {origin = #hbir.origin<"c", from "second" "Conv">}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %d = hbir.sigmoid %c {origin = #hbir.origin<"d", from "last" "Sigmoid">} : tensor<1x4x4x2xf32>
  func.return %d : tensor<1x4x4x2xf32>
}
"""


def data(scale: float = 1000.0) -> list[dict[str, Array]]:
    generator = np.random.default_rng(3)
    factors = [scale, 1.0]
    return [
        {"x": (generator.normal(size=(1, 4, 4, 2)) * factors).astype(np.float32)} for _ in range(9)
    ]


def run(config: dict[str, Any], scale: float = 1000.0, **options: Any) -> QuantizationResult:
    return quantize(Module.parse(TEXT), data(scale), settings_from(config), **options)


def uneven(
    model_config: dict[str, Any] | None = None, count: int = 6, **others: Any
) -> QuantizationResult:
    """Quantize the network whose channels differ a hundredfold, by `max` if nothing is said."""
    given = {"activation": {"calibration_type": "max"}, **(model_config or {})}
    config = {"model_config": given, **others}
    return quantize(float_network(), uneven_data(count), settings_from(config))


def uneven_data(count: int) -> list[dict[str, Array]]:
    return [{"x": sample} for sample in samples(count)]


def cosine_of(result: QuantizationResult, count: int = 4) -> float:
    """What `result` claims, worked out without the code that claims it."""
    wanted, found = float_network().functions[0], hbir.convert(result.module, "nash-e").functions[0]
    x, y = (
        np.concatenate([f.feed(batch)["y"].ravel() for batch in uneven_data(count)])
        for f in (wanted, found)
    )
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def bits(module: Module) -> dict[str, int]:
    ops = [op for op in module.functions[0].operations if isinstance(op, ConstFakeQuantOp)]
    return {name_of(op.output, "?"): op.params()["bits"] for op in ops}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {"x": 8, "a": 8, "b": 8, "c": 8, "d": 8}),
        ({"model_config": {"all_node_type": "int16"}},
         {"x": 16, "a": 16, "b": 16, "c": 16, "d": 16}),
        ({"op_config": {"conv": {"qtype": "int16"}}}, {"x": 16, "a": 8, "b": 16, "c": 8, "d": 8}),
        ({"model_config": {"all_node_type": "int16"}, "op_config": {"Conv": {"qtype": "int8"}}},
         {"x": 8, "a": 16, "b": 8, "c": 16, "d": 16}),
        ({"op_config": {"Conv": {"qtype": "int16"}}, "node_config": {"first": {"qtype": "int8"}}},
         {"x": 8, "a": 8, "b": 16, "c": 8, "d": 8}),
        ({"subgraph_config": {"s": {"inputs": ["middle"], "outputs": ["second"], "qtype": "int16"}},
          "node_config": {"second": {"qtype": "int8"}}},
         {"x": 8, "a": 16, "b": 8, "c": 8, "d": 8}),
        ({"model_config": {"model_output_type": "int16"}},
         {"x": 8, "a": 8, "b": 8, "c": 8, "d": 16}),
    ],
)  # fmt: skip
def test_later_layers_of_a_config_win(config: dict[str, Any], expected: dict[str, int]) -> None:
    config = {**config, "model_config": {**config.get("model_config", {}),
                                         "activation": {"calibration_type": "max"}}}  # fmt: skip
    assert bits(run(config).module) == expected


def test_ops_of_one_node_are_counted() -> None:
    module = Module.parse(TEXT.replace('"middle" "Tanh"', '"first" "Conv"'))
    expected = {"first#0": "a", "first#1": "b", "first": "b"}
    for name, tensor in expected.items():
        config = {"node_config": {name: {"output": "int16"}}}
        found = bits(quantize(module, data(), settings_from(config)).module)
        assert [key for key, width in found.items() if width == 16] == [tensor]
    config = {"node_config": {"first#2": {"output": "int16"}}}
    with pytest.raises(HbirError, match="node 'first' became 2 ops, counted from 0"):
        quantize(module, data(), settings_from(config))


@pytest.mark.parametrize(
    "config",
    [
        {"node_config": {"middle": {"ON": "CPU"}}},
        {"node_config": {"middle": {"qtype": "float32"}}},
        {"op_config": {"Tanh": {"ON": "CPU"}}},
    ],
)
def test_nodes_stay_on_the_cpu(config: dict[str, Any]) -> None:
    quantized = hbir.convert(run(config).module, "nash-e")
    assert hbir.statistics(quantized)[0]["hbtl.call native::hbir.tanh"] == 1
    assert "the user wants \\22middle\\22 on the CPU" in str(quantized)


@pytest.mark.parametrize(
    "config",
    [
        {"op_config": {"Tanh": {"ON": "CPU"}}, "node_config": {"middle": {"ON": "BPU"}}},
        {"model_config": {"all_node_type": "float32"}, "op_config": {"Tanh": {"ON": "BPU"}}},
        {"op_config": {"Tanh": {"ON": "CPU"}},
         "subgraph_config": {"s": {"inputs": ["middle"], "outputs": ["middle"], "qtype": "int8"}}},
    ],
)  # fmt: skip
def test_a_later_layer_brings_nodes_back_to_the_bpu(config: dict[str, Any]) -> None:
    result = run(config)
    for module in (result.module, run(json.loads(json.dumps(result.config))).module):
        counts = hbir.statistics(hbir.convert(module, "nash-e"))[0]
        assert "hbtl.call native::hbir.tanh" not in counts


def test_a_search_stops_at_the_first_that_is_close_enough(caplog: pytest.LogCaptureFixture) -> None:
    activation = {"calibration_type": ["kl", "max"], "max_percentile": [0.99995, 1.0]}
    with caplog.at_level(logging.INFO, "hbir.calibrate"):
        found = run({"model_config": {"activation": activation, "search": {"threshold": 0.9}}}, 1.0)
    assert found.method == "kl:num_bin=1024"
    assert len(found.tried) == 1
    assert "Select kl:num_bin=1024 method." in caplog.text
    config = {"model_config": {"activation": activation, "search": {"threshold": 1.0}}}
    everything = quantize(Module.parse(TEXT), data(1.0)[:4], settings_from(config))
    assert [method for method, _ in everything.tried] == [
        "kl:num_bin=1024", "max-percentile:percentile=0.99995", "max",
    ]  # fmt: skip
    assert everything.cosine == max(cosine for _, cosine in everything.tried)


def test_the_best_of_a_search_is_taken() -> None:
    activation = {"calibration_type": ["max", "kl", "percentile"], "asymmetric": True}
    found = uneven({"activation": activation, "search": {"threshold": 1.0}}, 4)
    cosines = dict(found.tried)
    assert len(cosines) == 3
    best = max(cosines, key=lambda method: cosines[method])
    assert best.startswith("kl"), "neither the first nor the last"
    assert (found.method, found.cosine) == (best, cosines[best])


def test_the_best_few_are_compared_on_more_batches() -> None:
    """The first four batches, being small, lose less in a range that cuts the others off."""
    batches = [{"x": b["x"] * (1 if n < 4 else 20)} for n, b in enumerate(uneven_data(9))]
    activation = {"calibration_type": "max", "max_percentile": [0.48, 1.0]}
    config = {"model_config": {"activation": activation, "search": {"threshold": 1.0}}}
    found = quantize(float_network(), batches, settings_from(config))
    assert max(found.tried, key=lambda pair: pair[1])[0] == "max-percentile:percentile=0.48"
    assert found.method == "max"


def test_mix_is_better_than_each_of_its_parts() -> None:
    def cosine(method: str) -> float:
        found = uneven({"activation": {"calibration_type": method, "asymmetric": True}}).cosine
        assert found is not None
        return found

    assert cosine("mix") > max(map(cosine, ("max", "percentile", "kl", "mse")))


def test_weights_are_evened_out_where_that_is_asked() -> None:
    plain, even = uneven(), uneven({"weight": {"equalization": True}})
    assert plain.cosine is not None
    assert even.cosine is not None
    assert plain.cosine < 0.9 < 0.999 < even.cosine


def test_biases_are_corrected_unless_it_is_forbidden() -> None:
    """Rounding moves the mean of an output's channel; only the correction takes that back."""
    settings = {"activation": {"calibration_type": "max", "per_channel": True}}

    def shift(corrected: bool) -> float:
        found = uneven({**settings, "weight": {"bias_correction": corrected}}, 64)
        modules = (hbir.convert(found.module, "nash-e"), float_network())
        means = [
            np.mean([m.functions[0].feed(b)["y"] for b in uneven_data(64)], axis=(0, 1, 3, 4))
            for m in modules
        ]
        return float(np.abs(means[0] - means[1]).max())

    assert shift(True) < 0.7 * shift(False)


def test_averages_of_batches_stand_for_the_extremes() -> None:
    activation = {"calibration_type": "max", "averaging": 0.5}
    info = uneven({"activation": activation}, count=3).quant_info["x"]
    low, high = 0.0, 0.0
    for number, batch in enumerate(uneven_data(3)):
        c = 0.5 if number else 1.0
        low, high = low + c * (batch["x"].min() - low), high + c * (batch["x"].max() - high)
    assert info["max"] == pytest.approx(max(-low, high), rel=1e-5)


def test_an_output_gets_the_integers_that_are_asked_for() -> None:
    assert "y" not in uneven().quant_info, "it leaves the accumulator as it is"
    for kind in ("int8", "int16"):
        assert uneven({"model_output_type": kind}).quant_info["y"]["dtype"] == kind


@pytest.mark.parametrize("per_channel", [False, True])
def test_adaround_comes_last_and_its_cosine_is_true(per_channel: bool) -> None:
    """Weights are integers times their scales, whatever scaled channels before."""
    activation = {"calibration_type": "max", "per_channel": per_channel}
    found = uneven({"activation": activation, "weight": {"rounding": "adaround"}})
    assert found.cosine == pytest.approx(cosine_of(found), abs=1e-6)
    gemms = [gemm for op in found.module.functions[0].operations if (gemm := as_gemm(op))]
    assert len(gemms) == 3
    for gemm in gemms:
        assert steps_off(found.module, gemm) < 1e-3
    plain = uneven({"activation": activation})
    assert plain.module.asm(elide=False) != found.module.asm(elide=False)


def test_adaround_leaves_wide_weights_and_the_cpu_s(caplog: pytest.LogCaptureFixture) -> None:
    places = {"conv1": {"input1": "int16"}, "conv3": {"ON": "CPU"}}
    with caplog.at_level(logging.INFO, "hbir.calibrate"):
        found = uneven({"weight": {"rounding": "adaround"}}, node_config=places)
    assert f"weights rounded by adaround: cosine {found.cosine:.6f}" in caplog.text
    gemms = [gemm for op in found.module.functions[0].operations if (gemm := as_gemm(op))]
    assert [steps_off(found.module, gemm) < 1e-3 for gemm in gemms] == [False, True, False]


def steps_off(module: Module, gemm: GemmOp) -> float:
    """How far a layer's weights are from 8-bit integers times their scales, in steps."""
    rewrite = Rewrite(module.context)
    fake_quant = fake_quant_at(gemm.w)
    weights = rewrite.constant_value(gemm.w if fake_quant is None else fake_quant.operands[0])
    assert weights is not None
    steps = 127 * weights / np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    return float(np.abs(steps - np.rint(steps)).max())


@pytest.mark.parametrize("per_channel", [False, True])
def test_an_iterator_is_gone_through_as_often_as_a_list(per_channel: bool) -> None:
    """Scales per channel look at the data twice. Its arrays may be one and the same."""
    activation = {"calibration_type": "kl", "per_channel": per_channel}
    config = {"activation": activation, "weight": {"rounding": "adaround"}}
    buffer = np.empty_like(samples(1)[0])

    def frames() -> Iterator[dict[str, Array]]:
        for batch in uneven_data(10):
            buffer[:] = batch["x"]
            yield {"x": buffer}

    settings = settings_from({"model_config": config})
    found = quantize(float_network(), frames(), settings)
    assert found.module.asm(elide=False) == uneven(config, 10).module.asm(elide=False)


def test_a_loss_is_warned_about_with_its_place_and_its_cure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = run({"model_config": {"activation": {"calibration_type": "max"}}})
    assert found.cosine is not None
    assert found.cosine < 0.99
    assert "below 0.99: the model will lose accuracy" in caplog.text
    assert 'node_config {"x": {"output": "int16"}' in caplog.text
    caplog.clear()
    run({"model_config": {"activation": {"calibration_type": "max"}}}, scale=1.0)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_mixed_precision_is_repeated_by_its_own_config() -> None:
    found = run({"model_config": {"search": {"target": 0.999}}})
    assert found.cosine is not None
    assert found.cosine >= 0.999
    assert bits(found.module)["x"] == 16
    assert set(bits(found.module).values()) == {8, 16}
    assert "| x | result |" in found.report
    config = json.loads(json.dumps(found.config))
    again = run(config)
    assert again.module.asm(elide=False) == found.module.asm(elide=False)
    assert not again.report


@pytest.mark.parametrize(
    "config",
    [
        {"weight": {"rounding": "adaround", "equalization": True, "bias_correction": False}},
        {"activation": {"calibration_type": "kl", "num_bin": 300, "max_num_bin": 700,
                        "averaging": 0.25, "per_channel": True}},
        {"all_node_type": "int16", "model_output_type": "int8"},
        {"search": {"target": 0.99999}, "weight": {"rounding": "adaround"}},
    ],
)  # fmt: skip
def test_every_result_is_repeated_by_its_own_config(config: dict[str, Any]) -> None:
    types: dict[str, Any] = {
        "op_config": {"relu": {"qtype": "int16"}},
        "subgraph_config": {"s": {"inputs": ["conv2"], "outputs": ["conv2"], "qtype": "int16"}},
        "node_config": {"conv3": {"input0": "int8"}, "conv1": {"output": "int8"}},
    }
    plain = uneven(config)
    for given in (plain, uneven(config, **types)):
        again = uneven(**json.loads(json.dumps(given.config)))
        assert again.module.asm(elide=False) == given.module.asm(elide=False)
        assert again.cosine == pytest.approx(given.cosine)
    assert plain.module.asm() != given.module.asm()


def test_the_type_asked_for_is_the_one_that_widens() -> None:
    settings = settings_from({"model_config": {"search": {"mixed_precision": "float16"}}})
    data_of_it = quantize(Module.parse(TEXT), data(), replace(settings, march="nash-p"))
    assert data_of_it.choice is not None
    types = {
        kind for places in data_of_it.config["node_config"].values() for kind in places.values()
    }
    assert "float16" in types
    assert "hbir.fake_cast" in str(data_of_it.module)


def test_a_users_metric_decides() -> None:
    asked: list[float] = []

    def first(outputs: Mapping[str, Array]) -> Array:
        return next(iter(outputs.values()))

    def signs_agree(
        wanted: Sequence[Mapping[str, Array]], found: Sequence[Mapping[str, Array]]
    ) -> float:
        assert len(wanted) == 5
        pairs = zip(wanted, found, strict=True)
        asked.append(float(np.mean([(first(w) > 0.5) == (first(f) > 0.5) for w, f in pairs])))
        return asked[-1]

    settings = settings_from({"model_config": {"search": {"target": 0.97}}})
    assert settings.mixed_precision is not None
    changed = QuantSettings(mixed_precision=MixedPrecision(0.97, signs_agree, batches=5))
    found = quantize(Module.parse(TEXT), data(), changed)
    assert found.cosine == max(asked) >= 0.97
    assert "the metric given" in found.report


class Counting(ThreadPoolExecutor):
    """Remembers what work it is given."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.work: set[str] = set()

    @override
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.work.add(fn.__name__)
        return super().submit(fn, *args, **kwargs)


def test_workers_change_nothing() -> None:
    config = {"model_config": {"search": {"target": 0.999}}}
    alone = run(config)
    with Counting(2) as executor:
        together = run(config, executor=executor)
        assert executor.work == {"_observe_part", "_losses"}
    assert together.module.asm(elide=False) == alone.module.asm(elide=False)
    assert together.report == alone.report


def test_ranges_are_told_by_tensor() -> None:
    info = run({"model_config": {"activation": {"calibration_type": "max"}}}).quant_info
    assert list(info) == ["x", "a", "b", "c", "d"]
    assert info["x"]["zero_point"] == 0
    assert info["x"]["dtype"] == "int8"
    assert info["x"]["max"] == pytest.approx(127 * info["x"]["scale"])


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("suffix", [".bc", ".json"])
def test_ranges_are_loaded(tmp_path: Path, suffix: str, asymmetric: bool) -> None:
    """They go before the data's, which here are a thousandth of what the ranges were made of."""
    activation = {"calibration_type": "max", "asymmetric": asymmetric}
    first = run({"model_config": {"activation": activation}})
    path = tmp_path / f"ranges{suffix}"
    if suffix == ".bc":
        hbir.save(first.module, path)
    else:
        path.write_text(json.dumps(first.quant_info))
    config = {"calibration_type": "load", "load_path": str(path)}
    again = run({"model_config": {"activation": config}}, scale=1.0)
    for name in ("x", "b", "d"):
        assert again.quant_info[name] == first.quant_info[name]
    for name in ("a", "c"):  # tables read these: the part in which they vary is looked for again
        assert again.quant_info[name]["scale"] == pytest.approx(
            first.quant_info[name]["scale"], rel=0.1
        )


def test_loaded_ranges_go_with_the_channels_that_they_were_made_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ranges.json"
    load = {"activation": {"calibration_type": "load", "load_path": str(path)}}
    activation: dict[str, Any] = {"calibration_type": "max"}
    scaled = {"activation": {**activation, "per_channel": True}}
    loaded = {"activation": {**load["activation"], "per_channel": True}}
    even = {"weight": {"equalization": True}}
    for first, second in ((scaled, loaded), (even, {**load, **even})):
        wanted = uneven(first)
        path.write_text(json.dumps(wanted.quant_info))
        found = uneven(second)
        assert found.quant_info == wanted.quant_info
        assert found.cosine == wanted.cosine
        again = uneven(**json.loads(json.dumps(found.config)))
        assert again.module.asm(elide=False) == found.module.asm(elide=False)
        assert "loaded ranges" not in caplog.text
    assert "b/scaled" in found.quant_info, "its range is of no use where channels aren't scaled"
    assert uneven(load).quant_info["b"] == uneven({"activation": activation}).quant_info["b"]
    assert "loaded ranges" not in caplog.text
    foreign = {name.removesuffix("/scaled"): entry for name, entry in found.quant_info.items()}
    path.write_text(json.dumps(foreign))
    uneven(load)
    assert "that of b the most (153 times)" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "ranges.json: expected an object, tensor"),
        ("{", "ranges.json: not JSON"),
        ("[" * 50_000, "ranges.json: not JSON of any use: nested too deeply"),
        (f'{{"x": {{"min": 0, "max": 1{"0" * 400}}}}}', "tensor 'x': expected numbers min <= max"),
        ('{"x": {"min": 2, "max": 1}}', "tensor 'x': expected numbers min <= max, got 2 and 1"),
        ('{"y": {"min": 0, "max": 1}}', "none of the loaded ranges is that of a tensor"),
    ],
)
def test_files_without_ranges_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ranges.json"
    path.write_text(text)
    config = {"calibration_type": "load", "load_path": str(path)}
    with pytest.raises(HbirError, match=message):
        run({"model_config": {"activation": config}})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"node_config": {"fist": {"qtype": "int16"}}}, "did you mean 'first'"),
        ({"node_config": {"fist": {"ON": "CPU"}}}, "did you mean 'first'"),
        ({"subgraph_config": {"s": {"inputs": ["second"], "outputs": ["first"], "qtype": "int8"}}},
         "subgraph_config.s: no way leads from second to first"),
    ],
)  # fmt: skip
def test_nodes_that_are_not_there_are_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        run(config)
