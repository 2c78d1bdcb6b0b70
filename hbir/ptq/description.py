"""The description of a compilation, a JSON object in the `desc` of `.bc` and `.hbm` functions.

Keys are the vendor tool's; what isn't set is null. `hb_model_info` and recompiling a `.bc` read it
back. Paths are as the YAML has them, or relative to its folder, so that the same configuration
gives the same bytes wherever it lies.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import hbir
from hbir.ptq.config import Config
from hbir.ptq.inputs import InputSpec

MODEL_KEYS = (
    "CAFFE_MODEL", "PROTOTXT", "ONNX_MODEL", "MARCH", "LAYER_OUT_DUMP", "LOG_LEVEL", "WORKING_DIR",
    "MODEL_PREFIX", "OUTPUT_NODES", "REMOVE_NODE_TYPE", "REMOVE_NODE_NAME", "DEBUG_MODE",
    "NODE_INFO",
)  # fmt: skip
INPUT_KEYS = (
    "INPUT_NAMES", "INPUT_SPACE_AND_RANGE", "INPUT_TYPE_RT", "INPUT_TYPE_TRAIN",
    "INPUT_LAYOUT_TRAIN", "INPUT_LAYOUT_RT", "NORM_TYPE", "MEAN_VALUE", "SCALE_VALUE", "STD_VALUE",
    "INPUT_SHAPE", "INPUT_BATCH", "SEPARATE_BATCH", "SEPARATE_NAME",
)  # fmt: skip
CALIBRATION_KEYS = (
    "OPTIMIZATION", "CALI_TYPE", "CAL_DATA_DIR", "PER_CHANNEL", "MAX_PERCENTILE", "RUN_ON_CPU",
    "RUN_ON_BPU", "QUANT_CONFIG", "CALI_EXTRA_PARAM",
)  # fmt: skip
COMPILER_KEYS = (
    "ADVICE", "DEBUG", "OPTIMIZE_LEVEL", "COMPILE_MODE", "CORE_NUM", "MAX_TIME_PER_FC",
    "BALANCE_FACTOR", "ABILITY_ENTRY", "INPUT_SOURCE", "hbdk3_compatible_mode", "cache_mode",
    "cache_path", "max_l2m_size", "EXTRA_PARAMS",
)  # fmt: skip
CUSTOM_KEYS = ("CUSTOM_OP_METHOD", "CUSTOM_OP_DIR", "CUSTOM_OP_REGISTER_FILES")
DEPENDENCY_KEYS = ("BUILDER_VERSION", "HBDK_VERSION", "HBDK_RUNTIME_VERSION", "HMCT_VERSION")

SECTIONS: dict[str, tuple[str, ...]] = {
    "model_parameters": MODEL_KEYS,
    "input_parameters": INPUT_KEYS,
    "calibration_parameters": CALIBRATION_KEYS,
    "compiler_parameters": COMPILER_KEYS,
    "custom_op": CUSTOM_KEYS,
}
"""Section that hb_model_info prints → its keys in the description."""

DELETED_NODES = "DELETED_NODES"
"""A key of our own: the names of the nodes removed at inputs and outputs, which the file itself no
longer shows."""

RUNTIME_LAYOUTS = {"rgb": "NHWC", "bgr": "NHWC", "yuv444": "NHWC", "yuv444_128": "NHWC"}
"""Runtime type → its layout, where that isn't NCHW; planes of nv12 have none."""


def description(config: Config) -> dict[str, Any]:
    """What a configuration says, key by key."""
    values: dict[str, Any] = dict.fromkeys(
        key for keys in (DEPENDENCY_KEYS, *SECTIONS.values()) for key in keys
    )
    values.update(dict.fromkeys(DEPENDENCY_KEYS, hbir.__version__))
    values.update(_model(config))
    values.update(_inputs(config))
    values.update(_calibration(config))
    values.update(_compiler(config))
    files = [_relative(file, config) for file in config.custom_ops.files]
    if files:
        values["CUSTOM_OP_METHOD"] = "register"
        values["CUSTOM_OP_REGISTER_FILES"] = _joined(files)
    return values


def as_text(values: Mapping[str, Any]) -> str:
    """The description as `desc` holds it."""
    return json.dumps(dict(values), ensure_ascii=False)


def read_description(desc: str) -> dict[str, Any] | None:
    """The description in a `desc`; None when it holds something else."""
    try:
        values: object = json.loads(desc)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or "BUILDER_VERSION" not in values:
        return None
    return cast(dict[str, Any], values)


def input_specs(values: Mapping[str, Any]) -> tuple[InputSpec, ...]:
    """What a description says of the model's inputs, its batch applied; empty where nothing."""
    names = _column(values, "INPUT_NAMES")
    columns = {key: _column(values, key) or [""] * len(names) for key in _SPEC_KEYS}
    if not names or any(len(column) != len(names) for column in columns.values()):
        return ()
    batch, separate = values.get("INPUT_BATCH"), _column(values, "SEPARATE_NAME")
    specs: list[InputSpec] = []
    for i, name in enumerate(names):
        cell = {key: column[i] for key, column in columns.items()}
        scale = tuple(map(float, cell["SCALE_VALUE"].split()))
        std = tuple(1.0 / number for number in scale)
        shape = tuple(int(extent) for extent in cell["INPUT_SHAPE"].split("x") if extent)
        specs.append(
            InputSpec(
                name=name,
                shape=(batch, *shape[1:]) if batch and shape else shape,
                runtime_type=cell["INPUT_TYPE_RT"],
                train_type=cell["INPUT_TYPE_TRAIN"],
                layout=cell["INPUT_LAYOUT_TRAIN"],
                video_range=cell["INPUT_SPACE_AND_RANGE"] == "bt601_video",
                mean=tuple(map(float, cell["MEAN_VALUE"].split())),
                std=std or tuple(map(float, cell["STD_VALUE"].split())),
                scale=scale,
                separate_batch=bool(values.get("SEPARATE_BATCH")) or name in separate,
            )
        )
    return tuple(specs)


_SPEC_KEYS = (
    "INPUT_SHAPE", "INPUT_TYPE_RT", "INPUT_TYPE_TRAIN", "INPUT_LAYOUT_TRAIN",
    "INPUT_SPACE_AND_RANGE", "MEAN_VALUE", "SCALE_VALUE", "STD_VALUE",
)  # fmt: skip


def _column(values: Mapping[str, Any], key: str) -> list[str]:
    text = values.get(key)
    return str(text).split(";") if text else []


def input_sources(values: Mapping[str, Any]) -> dict[str, str]:
    """What a description says of where the board takes its inputs from, by name."""
    given: dict[str, str] | None = values.get("INPUT_SOURCE")
    return dict(given or {})


def _model(config: Config) -> dict[str, Any]:
    model = config.model
    return {
        "ONNX_MODEL": _relative(model.model, config),
        "MARCH": model.march,
        "LAYER_OUT_DUMP": model.layer_out_dump,
        "WORKING_DIR": _relative(model.working_dir, config),
        "MODEL_PREFIX": model.prefix,
        "OUTPUT_NODES": _joined(model.output_nodes),
        "REMOVE_NODE_TYPE": _joined(model.remove_node_types),
        "REMOVE_NODE_NAME": _joined(model.remove_node_names),
        "DEBUG_MODE": model.debug_mode,
        "NODE_INFO": {name: dict(given) for name, given in model.node_info.items()} or None,
    }


def _inputs(config: Config) -> dict[str, Any]:
    specs = config.inputs
    separate = [spec.name for spec in specs if spec.separate_batch]
    everything = bool(separate) and len(separate) == len(specs)
    return {
        "INPUT_NAMES": _joined(spec.name for spec in specs),
        "INPUT_SPACE_AND_RANGE": _joined(
            "bt601_video" if spec.video_range else "regular" for spec in specs
        ),
        "INPUT_TYPE_RT": _joined(spec.runtime_type for spec in specs),
        "INPUT_TYPE_TRAIN": _joined(spec.train_type for spec in specs),
        "INPUT_LAYOUT_TRAIN": _joined(spec.layout for spec in specs),
        "INPUT_LAYOUT_RT": _joined(runtime_layout(spec) or "" for spec in specs),
        "NORM_TYPE": _joined(norm_type(spec) for spec in specs),
        "MEAN_VALUE": _numbers(spec.mean for spec in specs),
        "SCALE_VALUE": _numbers(spec.scale for spec in specs),
        "STD_VALUE": _numbers(() if spec.scale else spec.std for spec in specs),
        "INPUT_SHAPE": _joined("x".join(map(str, spec.shape)) for spec in specs),
        "INPUT_BATCH": config.input_batch,
        "SEPARATE_BATCH": everything,
        "SEPARATE_NAME": None if everything else _joined(separate),
    }


def _calibration(config: Config) -> dict[str, Any]:
    calibration = config.calibration
    return {
        "OPTIMIZATION": _joined(calibration.optimization),
        "CALI_TYPE": calibration.type,
        "CAL_DATA_DIR": _joined(
            _relative(calibration.folders[spec.name], config)
            for spec in config.inputs
            if spec.name in calibration.folders
        ),
        "PER_CHANNEL": calibration.per_channel,
        "MAX_PERCENTILE": calibration.max_percentile,
        "RUN_ON_CPU": _joined(calibration.run_on_cpu),
        "RUN_ON_BPU": _joined(calibration.run_on_bpu),
        "QUANT_CONFIG": dict(calibration.quant_config) or None,
    }


def _compiler(config: Config) -> dict[str, Any]:
    compiler = config.compiler
    return {
        "ADVICE": compiler.advice,
        "DEBUG": compiler.debug,
        "OPTIMIZE_LEVEL": f"O{compiler.opt}",
        "COMPILE_MODE": {100: "latency", 0: "bandwidth"}.get(compiler.balance, "balance"),
        "CORE_NUM": compiler.core_num,
        "MAX_TIME_PER_FC": compiler.max_time_per_fc,
        "BALANCE_FACTOR": compiler.balance,
        "ABILITY_ENTRY": compiler.ability_entry,
        "INPUT_SOURCE": dict(compiler.input_source) or None,
        "cache_mode": compiler.cache_mode,
        "cache_path": _relative(Path(compiler.cache_path), config) if compiler.cache_path else None,
        "max_l2m_size": compiler.max_l2m_size,
        "EXTRA_PARAMS": dict(compiler.extra_params) or None,
    }


def norm_type(spec: InputSpec) -> str:
    """The older `norm_type` that mean, scale and std come to."""
    parts = ["mean"] if spec.mean else []
    parts += ["scale"] if spec.scale else ["std"] if spec.std else []
    return "data_" + "_and_".join(parts) if parts else "no_preprocess"


def runtime_layout(spec: InputSpec) -> str | None:
    """The layout that the board feeds; None for planes."""
    if spec.runtime_type in ("gray", "featuremap"):
        return "NCHW"
    return RUNTIME_LAYOUTS.get(spec.runtime_type)


def _joined(items: Iterable[str]) -> str | None:
    return ";".join(items) or None


def _numbers(lists: Iterable[tuple[float, ...]]) -> str | None:
    texts = [" ".join(f"{number:.9g}" for number in numbers) for numbers in lists]
    return ";".join(texts) if any(texts) else None


def _relative(path: Path, config: Config) -> str:
    """The path relative to the YAML's folder, as far as it lies on the same disk."""
    return Path(os.path.relpath(path, config.folder)).as_posix()
