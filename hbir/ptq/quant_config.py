"""`quant_config` and all else a configuration says about quantization: `settings_of`.

Keys are those of the vendor's quant_config; a list in `activation` starts a search over all
combinations. hbir adds, in `activation`, `averaging` and `load_path`, in `weight` `equalization`
and `rounding`, and in `search` the keys of `SEARCH_KEYS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hbir.errors import HbirError
from hbir.ptq.config import CalibrationParameters, Config, NodeSettings
from hbir.ptq.config_values import QuantConfigError, check_keys, mapping, one, one_of, several
from hbir.quantization.dtypes import DTYPE_BITS, DtypeChoice
from hbir.quantization.histogram import BINS
from hbir.quantization.methods.kl import NUM_BIN
from hbir.quantization.methods.method import KL, MAX, METHODS, PERCENTILE_METHOD, Method
from hbir.quantization.methods.percentile import PERCENTILE
from hbir.quantization.settings import (
    MixedPrecision,
    QuantSettings,
    Scheme,
    Subgraph,
    schemes,
)
from hbir.quantization.similarity import METRICS

SECTIONS = ("model_config", "op_config", "subgraph_config", "node_config")
MODEL_KEYS = ("all_node_type", "model_output_type", "activation", "weight", "search")
ACTIVATION_KEYS = (
    "calibration_type", "max_percentile", "per_channel", "asymmetric", "num_bin", "max_num_bin",
    "averaging", "load_path",
)  # fmt: skip
WEIGHT_KEYS = ("bias_correction", "equalization", "rounding")
BIAS_KEYS = ("num_sample", "metric")
SEARCH_KEYS = ("threshold", "mixed_precision", "target", "batches")
ROUNDINGS = ("nearest", "adaround")

FLOAT32 = "float32"
VENDOR_QTYPES = (
    "int4", "int8", "int16", "float16", "float32", "mxint16", "mxint8", "mxint4", "mxfp8", "mxfp4",
    "nvfp4", "dual-int16", "int16-ec",
)  # fmt: skip
NEAREST_QTYPE = {"int4": "int8", "mxint8": "int8", "mxint4": "int8", "mxfp8": "int8",
                 "mxfp4": "int8", "nvfp4": "int8"}  # fmt: skip
"""What to write in place of a type that hbir has not, where that isn't int16."""
ACCUMULATED_IN_INT32 = ("softmax",)
"""Operator types, in lower case, whose sums are int32 anyway: `qtype: int32` says nothing new."""

DEFAULT, LOAD, SKIP = "default", "load", "skip"


def settings_of(config: Config) -> QuantSettings:
    """What a configuration says about quantization.

    Of its parts, later ones win: calibration_parameters, quant_config, run_on_cpu and run_on_bpu,
    node_info. Raises QuantConfigError, naming the key, for what can't be.
    """
    calibration = config.calibration
    base = _from_calibration(calibration, QuantSettings(march=config.model.machine))
    settings = settings_from(calibration.quant_config, base, folder=config.model.model.parent)
    if calibration.type == LOAD and settings.load is None:
        raise QuantConfigError(
            "calibration_type load: say where the ranges are, as quant_config"
            " model_config.activation.load_path: a _quant_info.json or a calibrated .bc"
        )
    settings = _with_placement(settings, calibration)
    return _with_node_info(settings, config.model.node_info)


def settings_from(
    quant_config: Mapping[str, Any],
    base: QuantSettings | None = None,
    *,
    folder: Path = Path(),
) -> QuantSettings:
    """The settings of a quant_config alone.

    base: what holds where it says nothing. folder: what a relative `load_path` is relative to.
    Raises QuantConfigError.
    """
    settings = base if base is not None else QuantSettings()
    given = mapping("quant_config", quant_config)
    check_keys("quant_config", given, SECTIONS)
    model = mapping("model_config", given.get("model_config"))
    check_keys("model_config", model, MODEL_KEYS)
    if "all_node_type" in model:
        kind = _qtype("model_config.all_node_type", model["all_node_type"])
        settings = replace(settings, all_node_type=kind)
    if "model_output_type" in model:
        where = "model_config.model_output_type"
        kind = one_of(where, model["model_output_type"], ("int8", "int16"))
        settings = replace(settings, model_output_type=kind)
    settings = _with_activation(settings, model.get("activation"), folder)
    settings = _with_weight(settings, model.get("weight"))
    settings = _with_search(settings, model.get("search"))
    settings = _with_ops(settings, given.get("op_config"))
    settings = _with_subgraphs(settings, given.get("subgraph_config"))
    return _with_nodes(settings, given.get("node_config"))


# ------------------------------------------------------- calibration_parameters, node_info


def _from_calibration(calibration: CalibrationParameters, base: QuantSettings) -> QuantSettings:
    settings = replace(base, made_up_data=calibration.type == SKIP)
    asymmetric = "asymmetric" in calibration.optimization
    said = calibration.per_channel or calibration.max_percentile is not None or asymmetric
    if calibration.type != DEFAULT or said:
        name = MAX if calibration.type in (DEFAULT, SKIP, LOAD) else calibration.type
        method = _method("calibration_parameters", name, calibration.max_percentile,
                         {"asymmetric": asymmetric})  # fmt: skip
        settings = replace(settings, schemes=(Scheme(method, calibration.per_channel),))
    for item in calibration.optimization:
        settings = _with_optimization(settings, item)
    return settings


def _with_optimization(settings: QuantSettings, item: str) -> QuantSettings:
    if item.startswith("set_model_output_"):
        return replace(settings, model_output_type=item.removeprefix("set_model_output_"))
    if item == "set_all_nodes_int16":
        return replace(settings, all_node_type="int16")
    if item == "run_fast":
        return replace(settings, schemes=(Scheme(Method(MAX, asymmetric=True)),))
    return settings  # asymmetric is part of the method, and bias correction always on


def _with_placement(settings: QuantSettings, calibration: CalibrationParameters) -> QuantSettings:
    cpu, bpu = dict.fromkeys(calibration.run_on_cpu), dict.fromkeys(calibration.run_on_bpu)
    on_cpu = dict.fromkeys([*(name for name in settings.on_cpu if name not in bpu), *cpu])
    on_bpu = dict.fromkeys([*(name for name in settings.on_bpu if name not in cpu), *bpu])
    return replace(settings, on_cpu=tuple(on_cpu), on_bpu=tuple(on_bpu))


def _with_node_info(
    settings: QuantSettings, node_info: Mapping[str, NodeSettings]
) -> QuantSettings:
    for node, given in node_info.items():
        settings = _with_node(settings, f"node_info.{node}", node, given)
    return settings


# ---------------------------------------------------------------------- model_config


def _with_activation(settings: QuantSettings, value: object, folder: Path) -> QuantSettings:
    where = "model_config.activation"
    given = mapping(where, value)
    check_keys(where, given, ACTIVATION_KEYS)
    if "load_path" in given:
        load_path = one(f"{where}.load_path", given["load_path"], str)
        settings = replace(settings, load=folder / load_path, load_path=load_path)
    if not set(given) - {"load_path"}:
        return settings
    said = settings.schemes[0] if len(settings.schemes) == 1 else None  # in the YAML
    default = DEFAULT if said is None else said.method.name
    types = several(f"{where}.calibration_type", given.get("calibration_type"), str, default)
    for kind in types:
        one_of(f"{where}.calibration_type", kind, (*METHODS, LOAD, DEFAULT))
    if LOAD in types and settings.load is None:
        raise QuantConfigError(
            f"{where}.calibration_type is load: say where the ranges are, as {where}.load_path: a"
            " _quant_info.json or a calibrated .bc"
        )
    names = [name for kind in types for name in _NAMES_OF.get(kind, (kind,))]
    percentile = given.get("max_percentile")
    if percentile is None and said is not None and said.method.name in types:
        percentile = said.method.percentile
    percentiles = several(f"{where}.max_percentile", percentile, float, 1.0)
    methods = [
        _method(where, name, None if percentile is None else found, options)
        for options in _options(where, given, said)
        for name in dict.fromkeys(names)
        for found in (percentiles if name in (MAX, PERCENTILE_METHOD) else [1.0])
    ]
    per_channel = several(
        f"{where}.per_channel",
        given.get("per_channel"),
        bool,
        said is not None and said.per_channel,
    )
    return replace(settings, schemes=schemes(methods, per_channel))


_NAMES_OF = {DEFAULT: (MAX, KL), LOAD: (MAX,)}


def _options(where: str, given: Mapping[str, Any], said: Scheme | None) -> list[dict[str, Any]]:
    """What goes with a method, one combination of the lists each. said: what holds otherwise."""
    centred = said is None or not said.method.asymmetric
    averaging = given.get("averaging")
    constant = None if averaging is None else one(f"{where}.averaging", averaging, float)
    return [
        {
            "asymmetric": asymmetric,
            "num_bin": num_bin,
            "max_num_bin": max_num_bin,
            "averaging": constant,
        }
        for asymmetric in several(f"{where}.asymmetric", given.get("asymmetric"), bool, not centred)
        for max_num_bin in several(f"{where}.max_num_bin", given.get("max_num_bin"), int, 2 * BINS)
        for num_bin in several(
            f"{where}.num_bin", given.get("num_bin"), int, min(NUM_BIN, max_num_bin)
        )
    ]


def _method(where: str, name: str, percentile: float | None, options: Mapping[str, Any]) -> Method:
    """A method; percentile is what users said, 0…1."""
    if percentile is None or name not in (MAX, PERCENTILE_METHOD):
        percentile = PERCENTILE if name == PERCENTILE_METHOD else 1.0
    try:
        return Method(name, percentile, **options)
    except HbirError as error:
        message = str(error).replace("percentile", "max_percentile", 1)
        raise QuantConfigError(f"{where}.{message}") from None


def _with_weight(settings: QuantSettings, value: object) -> QuantSettings:
    where = "model_config.weight"
    given = mapping(where, value)
    check_keys(where, given, WEIGHT_KEYS)
    if "bias_correction" in given:
        settings = replace(settings, bias_correction=_bias_correction(given["bias_correction"]))
    if "equalization" in given:
        wanted = one(f"{where}.equalization", given["equalization"], bool)
        settings = replace(settings, equalization=wanted)
    if "rounding" in given:
        rounding = one_of(f"{where}.rounding", given["rounding"], ROUNDINGS)
        settings = replace(settings, rounding=rounding)
    return settings


def _bias_correction(value: object) -> bool:
    """Whether biases are corrected; the metric and the number of samples change nothing, for the
    correction is exact over all the data."""
    where = "model_config.weight.bias_correction"
    if isinstance(value, bool):
        return value
    given = mapping(where, value)
    check_keys(where, given, BIAS_KEYS)
    if "metric" in given:
        one_of(f"{where}.metric", given["metric"], tuple(METRICS))
    if "num_sample" in given and one(f"{where}.num_sample", given["num_sample"], int) < 1:
        raise QuantConfigError(f"{where}.num_sample must be 1 or more, got {given['num_sample']}")
    return True


def _with_search(settings: QuantSettings, value: object) -> QuantSettings:
    where = "model_config.search"
    given = mapping(where, value)
    check_keys(where, given, SEARCH_KEYS)
    if "threshold" in given:
        threshold = one(f"{where}.threshold", given["threshold"], float)
        if not 0 < threshold <= 1:
            raise QuantConfigError(f"{where}.threshold must be above 0 and at most 1")
        settings = replace(settings, threshold=threshold)
    wanted = given.get("mixed_precision", "target" in given)
    if wanted is False:
        return settings
    mixed = settings.mixed_precision or MixedPrecision()
    if wanted is not True:
        wide = one_of(f"{where}.mixed_precision", wanted, [t for t in DTYPE_BITS if t != "int8"])
        mixed = replace(mixed, wide=wide)
    if "target" in given:
        target = one(f"{where}.target", given["target"], float)
        if not 0 < target < 1:
            raise QuantConfigError(f"{where}.target is a cosine above 0 and below 1, got {target}")
        mixed = replace(mixed, target=target)
    if "batches" in given:
        batches = one(f"{where}.batches", given["batches"], int)
        if batches < 1:
            raise QuantConfigError(f"{where}.batches must be 1 or more, got {batches}")
        mixed = replace(mixed, batches=batches)
    return replace(settings, mixed_precision=mixed)


# ------------------------------------------------------------- ops, subgraphs and nodes


def _qtype(where: str, value: object, op_type: str = "") -> str:
    """A type that hbir has. Raises QuantConfigError that names the nearest for others."""
    name = one(where, value, str)
    if name in DTYPE_BITS or name == FLOAT32:
        return name
    if name == "int32" and op_type.lower() in ACCUMULATED_IN_INT32:
        return "int8"
    known = ", ".join([*DTYPE_BITS, FLOAT32])
    if name in VENDOR_QTYPES:
        nearest = NEAREST_QTYPE.get(name, "int16")
        raise QuantConfigError(
            f"{where}: hbir has no {name} (it has {known}); use {nearest} in its place"
        )
    raise QuantConfigError(f"{where}: there is no type {name!r}; use one of {known}")


def _choice(where: str, given: Mapping[str, Any], op_type: str = "") -> tuple[DtypeChoice, ...]:
    """What `{qtype: int16, input1: int8, ...}` says about types, without ON; later parts win.

    `type` is an older name of `qtype`, `InputType0` and `OutputType` are those of node_info.
    """
    choice: dict[str, str] = {}
    whole: str | None = None
    for key, value in given.items():
        if key == "ON":
            continue
        place = key.replace("InputType", "input").replace("OutputType", "output")
        if place in ("qtype", "type", "input"):
            whole = _qtype(f"{where}.{key}", value, op_type)
        elif place == "output" or (place[:5] == "input" and place[5:].isdigit()):
            choice[place] = _qtype(f"{where}.{key}", value, op_type)
        else:
            raise QuantConfigError(
                f"{where}: unknown key '{key}'; it takes qtype, input0, input1, ..., output and ON"
            )
    if FLOAT32 in choice.values():
        raise QuantConfigError(
            f"{where}: a node is float32 as a whole, on the CPU; write {{qtype: float32}}"
        )
    return tuple(part for part in (whole, choice) if part)


def _runs_on(where: str, given: Mapping[str, Any], choice: tuple[DtypeChoice, ...]) -> str | None:
    """The place that an entry asks for, by `ON` or by its type."""
    place = None if "ON" not in given else one_of(f"{where}.ON", given["ON"], ("BPU", "CPU"))
    if FLOAT32 not in choice:
        return place
    if place == "BPU":
        raise QuantConfigError(f"{where}: float32 is computed on the CPU, and ON is BPU; keep one")
    return "CPU"


def _with_ops(settings: QuantSettings, value: object) -> QuantSettings:
    types, on_cpu = dict(settings.op_types), list(settings.cpu_op_types)
    on_bpu = list(settings.bpu_op_types)
    for op_type, entry in mapping("op_config", value).items():
        where = f"op_config.{op_type}"
        given = mapping(where, entry)
        choice = _choice(where, given, op_type)
        place = _runs_on(where, given, choice)
        if place == "CPU":
            on_cpu.append(op_type)
            continue
        if place == "BPU":
            on_bpu.append(op_type)
        if choice:
            types[op_type] = choice
    return replace(settings, op_types=types, cpu_op_types=tuple(on_cpu), bpu_op_types=tuple(on_bpu))


def _with_subgraphs(settings: QuantSettings, value: object) -> QuantSettings:
    found = list(settings.subgraphs)
    for name, entry in mapping("subgraph_config", value).items():
        where = f"subgraph_config.{name}"
        given = mapping(where, entry)
        check_keys(where, given, ("inputs", "outputs", "qtype", "type"))
        for key in ("inputs", "outputs"):
            if not given.get(key):
                raise QuantConfigError(f"{where}.{key}: name at least one node")
        qtype = _qtype(f"{where}.qtype", given.get("qtype", given.get("type")))
        found.append(
            Subgraph(
                name,
                tuple(several(f"{where}.inputs", given["inputs"], str, "")),
                tuple(several(f"{where}.outputs", given["outputs"], str, "")),
                qtype,
            )
        )
    return replace(settings, subgraphs=tuple(found))


def _with_nodes(settings: QuantSettings, value: object) -> QuantSettings:
    for node, entry in mapping("node_config", value).items():
        where = f"node_config.{node}"
        settings = _with_node(settings, where, node, mapping(where, entry))
    return settings


def _with_node(
    settings: QuantSettings, where: str, node: str, given: Mapping[str, Any]
) -> QuantSettings:
    """One node's types and place, over what was said before."""
    choice = _choice(where, given)
    place = _runs_on(where, given, choice)
    if place is not None:
        on_cpu = [name for name in settings.on_cpu if name != node]
        on_bpu = [name for name in settings.on_bpu if name != node]
        (on_cpu if place == "CPU" else on_bpu).append(node)
        settings = replace(settings, on_cpu=tuple(on_cpu), on_bpu=tuple(on_bpu))
    if place == "CPU" or not choice:
        return settings
    return replace(settings, node_types={**settings.node_types, node: choice})
