"""The configuration of one compilation: what the YAML's values mean, checked against the model.

`resolve` turns the sections of `yaml_file` into typed, frozen parameters, one dataclass per
section. Messages are the vendor tool's where it has one.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from hbir.backend.march import load_march
from hbir.files import read_text_file
from hbir.ptq import keys
from hbir.ptq.inputs import InputSpec, ModelInput, input_names, resolve_inputs
from hbir.ptq.yaml_file import ConfigError, Sections, Values, chosen, read_sections

NodeSettings = Mapping[str, str]
"""Of a node: `ON`, `InputType`, `InputType0`, ..., `OutputType`."""


@dataclass(frozen=True)
class ModelParameters:
    """Section model_parameters."""

    model: Path
    march: str
    """As the user wrote it; `machine` is what it is compiled with."""
    machine: str
    working_dir: Path
    prefix: str
    layer_out_dump: bool = False
    output_nodes: tuple[str, ...] = ()
    remove_node_types: tuple[str, ...] = ()
    remove_node_names: tuple[str, ...] = ()
    node_info: Mapping[str, NodeSettings] = field(default_factory=dict[str, NodeSettings])
    debug_mode: str | None = None
    enable_vpu: bool = True
    enable_spu: bool = True


@dataclass(frozen=True)
class CalibrationParameters:
    """Section calibration_parameters."""

    folders: Mapping[str, Path] = field(default_factory=dict[str, Path])
    """Input → where its data are; empty without data."""
    type: str = "default"
    per_channel: bool = False
    max_percentile: float | None = None
    run_on_cpu: tuple[str, ...] = ()
    run_on_bpu: tuple[str, ...] = ()
    optimization: tuple[str, ...] = ()
    quant_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    skipped_for_want_of_data: bool = False


@dataclass(frozen=True)
class CompilerParameters:
    """Section compiler_parameters; `balance` is what compile_mode and balance_factor come to."""

    balance: int = 100
    opt: int = 2
    core_num: int = 1
    max_time_per_fc: int = 0
    jobs: int = 16
    advice: float = 0.0
    debug: bool = True
    input_source: Mapping[str, str] = field(default_factory=dict[str, str])
    cache_mode: str = "disable"
    cache_path: str = ""
    max_l2m_size: int | None = 0
    extra_params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    ability_entry: str | None = None


@dataclass(frozen=True)
class CustomOps:
    """Section custom_op: Python files that register ops for the CPU."""

    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Config:
    """All of a configuration; `warnings` are what a user should hear."""

    model: ModelParameters
    inputs: tuple[InputSpec, ...]
    calibration: CalibrationParameters
    compiler: CompilerParameters
    custom_ops: CustomOps
    input_batch: int | None = None
    warnings: tuple[str, ...] = ()
    folder: Path = Path()
    """That of the YAML file, which relative paths start from."""


def model_path(sections: Sections, folder: Path) -> Path:
    """The ONNX model that the file names. Raises ConfigError for Caffe, both, or none."""
    model = sections["model_parameters"]
    caffe = [model[key] for key in ("caffe_model", "prototxt") if model[key]]
    if model["onnx_model"] and caffe:
        raise ConfigError("It is not supported to specify both onnx_model and caffe_model")
    if caffe:
        raise ConfigError(
            f"caffe_model: Caffe models ({caffe[0]}) can't be read; convert the model to ONNX"
            " (for instance with caffe2onnx) and give it as onnx_model"
        )
    if not model["onnx_model"]:
        raise ConfigError("The model file has not been correctly specified: give onnx_model")
    path = folder / model["onnx_model"]
    if not path.is_file():
        raise ConfigError(
            f"The model file has not been correctly specified: onnx_model {path} does not exist"
        )
    return path


def read_config(
    path: str | os.PathLike[str], inputs_of: Callable[[Path], tuple[ModelInput, ...]]
) -> Config:
    """The configuration of a YAML file. inputs_of: a model's path → its `ModelInput`s."""
    sections = read_sections(path)
    folder = Path(path).parent
    try:
        model = model_path(sections, folder)
        return resolve(sections, folder, model, inputs_of(model))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def resolve(
    sections: Sections, folder: Path, model: Path, model_inputs: tuple[ModelInput, ...]
) -> Config:
    """The configuration that `sections` say for a model of these inputs.

    folder: what relative paths are relative to. Raises ConfigError for what doesn't fit.
    """
    notes: list[str] = []
    march = _march(sections["model_parameters"]["march"])
    inputs = resolve_inputs(sections["input_parameters"], model_inputs)
    parameters = _model(sections["model_parameters"], folder, model, march)
    names = input_names(sections["input_parameters"], model_inputs)
    calibration = _calibration(sections["calibration_parameters"], folder, names, notes)
    compiler = _compiler(sections["compiler_parameters"], folder, march, inputs, notes)
    custom = _custom(sections.get("custom_op", {}), folder)
    batch = _input_batch(sections["input_parameters"], inputs)
    return Config(parameters, inputs, calibration, compiler, custom, batch, tuple(notes), folder)


def recompile_parameters(
    sections: Sections, folder: Path, bc: Path
) -> tuple[ModelParameters, CompilerParameters, tuple[str, ...]]:
    """What `sections` say of compiling a .bc again: model and compiler parameters, and warnings.

    Its inputs are those of the .bc, so that section isn't looked at. Raises ConfigError.
    """
    notes: list[str] = []
    march = _march(sections["model_parameters"]["march"])
    model = _model(sections["model_parameters"], folder, bc, march)
    values: Values = {**sections["compiler_parameters"], "input_source": {}}
    compiler = _compiler(values, folder, march, (), notes)
    return model, compiler, tuple(notes)


def split_list(value: str | None) -> tuple[str, ...]:
    """The items of a `;` list; a trailing `;` is no item."""
    return tuple(item.strip() for item in (value or "").split(";") if item.strip())


# ------------------------------------------------------------------------------ model


def _march(name: str) -> str:
    known = (*keys.MARCHES, *keys.LEGACY_MARCHES)
    if name not in known:
        raise ConfigError(
            f"The specified march '{name}' is invalid, the march parameter only supports values in"
            f" {list(known)}"
        )
    return name


def _machine(march: str) -> str:
    return keys.MARCH_STAND_INS.get(march, march)


def _model(values: Values, folder: Path, model: Path, march: str) -> ModelParameters:
    prefix = values["output_model_file_prefix"]
    if Path(prefix).name != prefix:
        raise ConfigError(f"output_model_file_prefix '{prefix}': expected a name without folders")
    types = split_list(values["remove_node_type"])
    for kind in types:
        if kind not in keys.REMOVABLE_TYPES:
            raise ConfigError(
                f"Unsupport removing {kind} now; remove_node_type takes"
                f" {', '.join(keys.REMOVABLE_TYPES)}"
            )
    if values["debug_mode"] is not None:
        chosen("debug_mode", values["debug_mode"], ("dump_calibration_data",))
    return ModelParameters(
        model=model,
        march=march,
        machine=_machine(march),
        working_dir=Path(os.path.normpath(folder / values["working_dir"])),
        prefix=prefix,
        layer_out_dump=values["layer_out_dump"],
        output_nodes=split_list(values["output_nodes"]),
        remove_node_types=types,
        remove_node_names=split_list(values["remove_node_name"]),
        node_info=_node_info(values["node_info"]),
        debug_mode=values["debug_mode"],
        enable_vpu=values["enable_vpu"],
        enable_spu=values["enable_spu"],
    )


_NODE_KEYS = ("ON", "InputType", "OutputType")


def _node_info(value: str | dict[str, Any] | None) -> dict[str, NodeSettings]:
    """`Conv_0:int16;Conv_1:int16`, or node → its settings."""
    if value is None:
        return {}
    if isinstance(value, str):
        result: dict[str, NodeSettings] = {}
        for item in split_list(value):
            name, colon, kind = item.rpartition(":")
            if not colon or not name or not kind:
                raise ConfigError(
                    "currently we only support the following format: Conv_0:int16;Conv_1:int16"
                    f" (node_info has '{item}')"
                )
            result[name.strip()] = {"InputType": kind.strip(), "OutputType": kind.strip()}
        return result
    return {str(name): _node_settings(str(name), settings) for name, settings in value.items()}


def _node_settings(name: str, settings: object) -> NodeSettings:
    if not isinstance(settings, dict):
        raise ConfigError(
            f"node_info {name}: expected {{ON: BPU|CPU, InputType: ..., OutputType: ...}}, got"
            f" {settings!r}"
        )
    result: dict[str, str] = {}
    for key, value in cast(dict[object, object], settings).items():
        text = str(key)
        if text.rstrip("0123456789") not in _NODE_KEYS:
            raise ConfigError(
                f"node_info {name}: unknown '{text}'; it takes ON, InputType, InputTypeN,"
                " OutputType"
            )
        if text == "ON" and value not in ("BPU", "CPU"):
            raise ConfigError(f"node_info {name}: ON is {value!r}, expected BPU or CPU")
        result[text] = str(value)
    return result


# ------------------------------------------------------------------------ calibration


def _calibration(
    values: Values, folder: Path, names: Sequence[str], notes: list[str]
) -> CalibrationParameters:
    """names: the inputs in the order of the file's lists."""
    kind = values["calibration_type"] or "default"
    chosen("calibration_type", kind, keys.CALIBRATION_TYPES)
    percentile = values["max_percentile"]
    if percentile is not None and not 0 < percentile <= 1:
        raise ConfigError(
            f"The specified max_percentile {percentile} is invalid, avaliable range: 0~1"
        )
    folders = [folder / item for item in split_list(values["cal_data_dir"])]
    without_data = not folders and kind not in ("skip", "load")
    if without_data:
        notes.append(
            "The calibration dataset has not been specified, the calibration method is modified to"
            " skip"
        )
        kind = "skip"
    if folders and len(folders) != len(names):
        raise ConfigError(
            f"Wrong cal_data_dir num received. Num of cal_data_dir specified: {len(folders)}, while"
            f" the model has {len(names)} inputs"
        )
    for path in folders:
        if not path.is_dir():
            raise ConfigError(f"The specified cal_data_dir {path} does not exist")
    for item in split_list(values["optimization"]):
        chosen("optimization", item, keys.OPTIMIZATIONS)
    return CalibrationParameters(
        folders=dict(zip(names, folders, strict=True)) if folders else {},
        type=kind,
        per_channel=values["per_channel"],
        max_percentile=percentile,
        run_on_cpu=split_list(values["run_on_cpu"]),
        run_on_bpu=split_list(values["run_on_bpu"]),
        optimization=split_list(values["optimization"]),
        quant_config=_quant_config(values["quant_config"], folder),
        skipped_for_want_of_data=without_data,
    )


def _quant_config(value: str | dict[str, Any] | None, folder: Path) -> dict[str, Any]:
    """The settings themselves, or those of a JSON file."""
    if value is None or isinstance(value, dict):
        return value or {}
    path = folder / value
    try:
        settings: object = json.loads(read_text_file(path))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"quant_config {path}: not JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"quant_config {path}: expected an object with model_config and others")
    return cast(dict[str, Any], settings)


# --------------------------------------------------------------------------- compiler


def _compiler(
    values: Values, folder: Path, march: str, inputs: tuple[InputSpec, ...], notes: list[str]
) -> CompilerParameters:
    cores = range(1, load_march(_machine(march)).cores + 1)
    if values["core_num"] not in cores:
        raise ConfigError(
            f"Wrong core_num {values['core_num']} specified, it can only be specified as values in"
            f" range {list(cores)}"
        )
    limit = values["max_time_per_fc"]
    if limit != 0 and not 1000 <= limit <= 10_000_000:
        raise ConfigError(
            "The specified max_time_per_fc is invalid, it can only be specified as 0 or range"
            f" 1000-10000000 (it is {limit})"
        )
    for key in ("jobs", "advice"):
        if not 0 <= values[key] < math.inf:
            raise ConfigError(f"{key} is {values[key]}, expected 0 or more")
    return CompilerParameters(
        balance=_balance(values, notes),
        opt=_optimize_level(values["optimize_level"], march, notes),
        core_num=values["core_num"],
        max_time_per_fc=limit,
        jobs=values["jobs"],
        advice=values["advice"],
        debug=values["debug"],
        input_source=_input_source(values["input_source"], inputs),
        **_cache(values, folder),
        max_l2m_size=_l2m(values["max_l2m_size"], march),
        extra_params=values["extra_params"],
        ability_entry=values["ability_entry"],
    )


def _balance(values: Values, notes: list[str]) -> int:
    mode, factor = values["compile_mode"], values["balance_factor"]
    chosen("compile_mode", mode, keys.COMPILE_MODES)
    if mode == "balance":
        if factor is None:
            raise ConfigError(
                "Parameter compile_mode is set to balance, please set balance_factor to use this"
                " mode"
            )
        if not 0 <= factor <= 100:
            raise ConfigError(f"balance_factor is {factor}, expected 0...100")
        return int(factor)
    if factor is not None:
        notes.append(f"balance_factor is ignored: compile_mode is {mode}, not balance")
    return 0 if mode == "bandwidth" else 100


def _optimize_level(level: str, march: str, notes: list[str]) -> int:
    if level in keys.LEGACY_OPTIMIZE_LEVELS and march in keys.LEGACY_MARCHES:
        notes.append(f"optimize_level {level} is that of an older generation; O2 is used")
        return 2
    return int(chosen("optimize_level", level, keys.OPTIMIZE_LEVELS)[1:])


def _input_source(given: dict[str, Any], inputs: tuple[InputSpec, ...]) -> dict[str, str]:
    by_name = {spec.name: spec for spec in inputs}
    for name, source in given.items():
        if name not in (*by_name, keys.ANY_INPUT):
            raise ConfigError(
                f"input_source names '{name}'; the model's inputs are {', '.join(by_name)}"
            )
        chosen(f"input_source of {name}", source, keys.INPUT_SOURCES)
        if name in by_name and source not in by_name[name].sources:
            raise ConfigError(
                f"input_source of {name} is {source}; an input of type"
                f" {by_name[name].runtime_type} takes {', '.join(by_name[name].sources)}"
            )
    default = given.get(keys.ANY_INPUT)
    return {
        spec.name: given.get(spec.name) or (default if default in spec.sources else spec.sources[0])
        for spec in inputs
    }


def _cache(values: Values, folder: Path) -> dict[str, str]:
    mode, path = values["cache_mode"], values["cache_path"]
    chosen("cache_mode", mode, keys.CACHE_MODES)
    if mode != "disable" and not path:
        raise ConfigError("The cache_path must be specified when the cache_mode is not disable")
    if not path:
        return {"cache_mode": mode, "cache_path": ""}
    if not (folder / path).is_dir():
        raise ConfigError(f"The cache_path {folder / path} does not exist; make the folder")
    return {
        "cache_mode": "enable" if mode == "disable" else mode,
        "cache_path": str(folder / path),
    }


def _l2m(size_bytes: int | str, march: str) -> int | None:
    """None for all that the march has."""
    if not size_bytes:
        return 0
    if isinstance(size_bytes, str):
        return None
    if march.startswith("nash-b") or march in ("nash-e", "nash-m", *keys.LEGACY_MARCHES):
        raise ConfigError(f"The specified march {march} does not support setting max_l2m_size")
    if not 0 <= size_bytes <= keys.MAX_L2M_BYTES:
        raise ConfigError(f"max_l2m_size is {size_bytes}, expected 0...{keys.MAX_L2M_BYTES}")
    return size_bytes


# ---------------------------------------------------------------------------- the rest


def _custom(values: Values, folder: Path) -> CustomOps:
    if not values:
        return CustomOps()
    if values["custom_op_method"] is not None:
        chosen("custom_op_method", values["custom_op_method"], ("register",))
    base = folder / (values["custom_op_dir"] or ".")
    files = tuple(base / item for item in split_list(values["op_register_files"]))
    said = values["custom_op_method"] or values["custom_op_dir"]
    if said and not files:
        raise ConfigError("section custom_op names no op_register_files, the files to run")
    for file in files:
        if not file.is_file():
            raise ConfigError(f"op_register_files: {file} does not exist")
    return CustomOps(files)


def _input_batch(values: Values, inputs: tuple[InputSpec, ...]) -> int | None:
    batch = values["input_batch"]
    if batch is None:
        return None
    if batch < 1:
        raise ConfigError(f"input_batch is {batch}, expected 1 or more")
    for spec in inputs:
        if spec.shape and spec.shape[0] != 1:
            raise ConfigError(f"The first dimension of input_shape must be 1, got {spec.shape[0]}")
    return int(batch)
