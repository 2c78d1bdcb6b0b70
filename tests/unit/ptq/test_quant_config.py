"""Every key of a quant_config: what it comes to, and how it is refused."""

from pathlib import Path
from typing import Any

import pytest

from hbir.ptq.config_values import QuantConfigError
from hbir.ptq.quant_config import settings_from
from hbir.quantization.methods.method import Method
from hbir.quantization.settings import (
    DEFAULT_SCHEMES,
    MixedPrecision,
    QuantSettings,
    Scheme,
    Subgraph,
)


def activation(**values: Any) -> dict[str, Any]:
    return {"model_config": {"activation": values}}


def test_nothing_said_is_the_search_of_the_toolchain_and_more() -> None:
    settings = settings_from({})
    assert settings.schemes == DEFAULT_SCHEMES
    assert settings.threshold == 0.995
    tried = {
        (s.method.name, s.method.percentile, s.per_channel, s.method.asymmetric)
        for s in settings.schemes
    }
    both = (False, True)
    assert tried > {
        (name, percentile, per_channel, asymmetric)
        for name, percentile in (("max", 0.99995), ("max", 1.0), ("kl", 1.0))
        for per_channel in both
        for asymmetric in both
    }


def test_lists_are_all_combinations_and_one_pass_over_the_data_comes_first() -> None:
    settings = settings_from(
        activation(
            calibration_type=["max", "kl"], max_percentile=[0.999, 1.0], per_channel=[True, False],
            num_bin=512,
        )
    )  # fmt: skip
    methods = [
        Method("max", 0.999, num_bin=512),
        Method("max", num_bin=512),
        Method("kl", num_bin=512),
    ]
    assert settings.schemes == tuple(Scheme(m, p) for p in (False, True) for m in methods)


def test_one_method_is_no_search() -> None:
    settings = settings_from(activation(calibration_type="mse", asymmetric=True, averaging=0.1))
    assert settings.schemes == (Scheme(Method("mse", asymmetric=True, averaging=0.1)),)
    few = settings_from(activation(calibration_type="kl", max_num_bin=300)).schemes[0].method
    assert (few.num_bin, few.max_num_bin) == (300, 300)
    percentile = settings_from(activation(calibration_type="percentile"))
    assert percentile.schemes[0].method.percentile == 0.9999


def test_types_of_the_model_ops_subgraphs_and_nodes() -> None:
    settings = settings_from(
        {
            "model_config": {"all_node_type": "int16", "model_output_type": "int8"},
            "op_config": {
                "Conv": {"qtype": "int16"},
                "Relu": {"type": "int8"},
                "softmax": {"qtype": "int32"},
                "Pad": {"ON": "CPU"},
            },
            "subgraph_config": {"s": {"inputs": ["a"], "outputs": ["b"], "qtype": "int8"}},
            "node_config": {
                "n": {"input0": "int16", "input1": "int8"},
                "o": {"qtype": "float32"},
                "p": {"qtype": "int16", "input1": "int8"},
            },
        }
    )
    assert (settings.all_node_type, settings.model_output_type) == ("int16", "int8")
    assert settings.op_types == {"Conv": ("int16",), "Relu": ("int8",), "softmax": ("int8",)}
    assert settings.cpu_op_types == ("Pad",)
    assert settings.subgraphs == (Subgraph("s", ("a",), ("b",), "int8"),)
    assert settings.node_types == {
        "n": ({"input0": "int16", "input1": "int8"},),
        "p": ("int16", {"input1": "int8"}),
    }
    assert settings.on_cpu == ("o",)


def test_weights_and_search() -> None:
    settings = settings_from(
        {
            "model_config": {
                "weight": {
                    "bias_correction": {"num_sample": 4, "metric": "mse"},
                    "equalization": True,
                    "rounding": "adaround",
                },
                "search": {"target": 0.999, "mixed_precision": "int16", "batches": 2},
            }
        }
    )
    assert settings.bias_correction
    assert settings.equalization
    assert settings.rounding == "adaround"
    assert settings.mixed_precision == MixedPrecision(0.999, None, "int16", 2)
    off = settings_from({"model_config": {"weight": {"bias_correction": False}}})
    assert not off.bias_correction


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"averaging": 0.5}, Scheme(Method("kl", asymmetric=True, averaging=0.5), True)),
        ({"asymmetric": False}, Scheme(Method("kl"), True)),
        ({"per_channel": False}, Scheme(Method("kl", asymmetric=True))),
        ({"calibration_type": "mse"}, Scheme(Method("mse", asymmetric=True), True)),
    ],
)
def test_what_the_yaml_says_holds_where_a_quant_config_says_nothing(
    given: dict[str, Any], expected: Scheme
) -> None:
    base = QuantSettings(schemes=(Scheme(Method("kl", asymmetric=True), True),))
    assert settings_from(activation(**given), base).schemes == (expected,)
    clipped = QuantSettings(schemes=(Scheme(Method("max", 0.999)),))
    assert settings_from(activation(num_bin=200), clipped).schemes[0].method.percentile == 0.999


def test_load_is_relative_to_the_model() -> None:
    given = activation(calibration_type="load", load_path="ranges.json")
    assert settings_from(given, folder=Path("models")).load == Path("models/ranges.json")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": {}}, "quant_config: unknown key 'model'; it takes model_config, op_config"),
        ({"model_config": 3}, "model_config: expected an object, got 3"),
        ({"model_config": {"activaton": {}}}, "unknown key 'activaton'.*did you mean 'activation'"),
        ({"model_config": {"all_node_type": "int4"}},
         r"model_config.all_node_type: hbir has no int4 \(it has .*\); use int8 in its place"),
        ({"op_config": {"Conv": {"qtype": "dual-int16"}}}, "hbir has no dual-int16.*use int16"),
        ({"node_config": {"n": {"input0": "nvfp4"}}}, "node_config.n.input0: hbir has no nvfp4"),
        ({"node_config": {"n": {"qtype": "int9"}}}, "node_config.n.qtype: there is no type 'int9'"),
        ({"node_config": {"n": {"dtype": "int8"}}}, "node_config.n: unknown key 'dtype'"),
        ({"node_config": {"n": {"ON": "GPU"}}}, "node_config.n.ON: expected one of BPU, CPU"),
        ({"node_config": {"n": {"input0": "float32"}}}, "write {qtype: float32}"),
        ({"subgraph_config": {"s": {"inputs": ["a"], "qtype": "int8"}}},
         "subgraph_config.s.outputs: name at least one node"),
        (activation(calibration_type="entropy"), "activation.calibration_type: expected one of max"),
        (activation(calibration_type="load"), "say where the ranges are"),
        (activation(max_percentile=1.5), "model_config.activation.max_percentile must be above 0"),
        (activation(max_percentile=[]), "max_percentile: the list is empty"),
        (activation(per_channel=1), "per_channel: expected true or false, got 1"),
        (activation(num_bin=128), "model_config.activation.num_bin must be 129 or more, got 128"),
        (activation(max_num_bin=200), "max_num_bin must be 258 or more"),
        (activation(num_bin=300, max_num_bin=299), r"at least num_bin \(300\)"),
        (activation(max_num_bin=1 << 40), "at most 65536, got 1099511627776"),
        (activation(max_percentile=10**400), "max_percentile: expected a number below 2.63"),
        ({"node_config": {"n": {"qtype": "float32", "ON": "BPU"}}}, "ON is BPU; keep one"),
        ({"model_config": {"weight": {"bias_correction": {"num_sample": 0}}}},
         "bias_correction.num_sample must be 1 or more"),
        ({"model_config": {"weight": {"bias_correction": {"metric": "l2"}}}},
         "bias_correction.metric: expected one of cosine-similarity, mse"),
        ({"model_config": {"weight": {"rounding": "floor"}}}, "rounding: expected one of nearest"),
        ({"model_config": {"search": {"target": 1.0}}}, "search.target is a cosine above 0"),
        ({"model_config": {"model_output_type": "int32"}}, "model_output_type: expected one of int8"),
    ],
)  # fmt: skip
def test_mistakes_are_named_by_their_key(config: dict[str, Any], message: str) -> None:
    with pytest.raises(QuantConfigError, match=message):
        settings_from(config)
