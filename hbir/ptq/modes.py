"""Configurations that need no YAML: those of hb_compile's check and fast-perf modes.

Both are documents as a YAML file would hold them, so that they go through the same checks; that of
fast-perf is written into `.fast_perf/`, for users to start from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from hbir.errors import HbirError
from hbir.files import write_file
from hbir.ptq.config import Config, read_config, resolve
from hbir.ptq.inputs import ModelInput
from hbir.ptq.model_inputs import model_inputs
from hbir.ptq.templates import image_layout
from hbir.ptq.yaml_file import ConfigError, complete_sections

CHECK_FOLDER = Path(".hb_compile")
FAST_PERF_FOLDER = Path(".fast_perf")
FAST_PERF_OUTPUT = "model_output"
FAST_PERF_REMOVES = "Quantize;Transpose;Dequantize;Cast;Reshape;Softmax"

Document = dict[str, dict[str, Any]]


def check_config(
    model: Path, march: str, shapes: Mapping[str, str], core_num: int | None = None
) -> Config:
    """What check mode does: everything is a featuremap, O0, made-up data, in `.hb_compile/`.

    shapes: input name → `1x3x224x224`, for dynamic inputs. Raises ConfigError.
    """
    inputs = _closed(model, shapes)
    count = len(inputs)
    document = _document(model, march, inputs, ["featuremap"] * count, ["featuremap"] * count)
    document["model_parameters"]["working_dir"] = str(CHECK_FOLDER)
    document["calibration_parameters"] = {"calibration_type": "skip"}
    compiler = {"optimize_level": "O0", "jobs": 32, "core_num": core_num or 1}
    document["compiler_parameters"] = compiler
    return resolve(complete_sections({**document}), Path(), model, tuple(inputs))


def fast_perf_config(
    model: Path, march: str, shapes: Mapping[str, str], core_num: int | None = None
) -> tuple[Config, Path]:
    """What fast-perf mode does, and the YAML file that says so: fastest, whatever the accuracy.

    Inputs that look like images are fed as nv12; results go into `model_output`, or into
    `model_output_<time>` where that is there. Raises ConfigError.
    """
    inputs = _closed(model, shapes)
    layouts = [image_layout(given) for given in inputs]
    runtime = ["nv12" if layout else "featuremap" for layout in layouts]
    train = ["bgr" if layout else "featuremap" for layout in layouts]
    relative = Path(os.path.relpath(model, FAST_PERF_FOLDER))
    document = _document(relative, march, inputs, runtime, train)
    document["model_parameters"].update(
        working_dir=f"../{_free_folder()}", remove_node_type=FAST_PERF_REMOVES
    )
    document["input_parameters"]["input_layout_train"] = ";".join(
        layout or "NCHW" for layout in layouts
    )
    document["calibration_parameters"] = {"calibration_type": "skip", "optimization": "run_fast"}
    document["compiler_parameters"] = {
        "compile_mode": "latency",
        "optimize_level": "O2",
        "jobs": 0,
        "core_num": core_num or 1,
    }
    path = FAST_PERF_FOLDER / f"{model.stem}_config.yaml"
    try:
        FAST_PERF_FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise HbirError(f"{FAST_PERF_FOLDER}: can't be made ({error.strerror})") from None
    write_file(path, yaml.safe_dump(document, sort_keys=False).encode())
    return read_config(path, model_inputs), path


def _document(
    model: Path,
    march: str,
    inputs: Sequence[ModelInput],
    runtime: Sequence[str],
    train: Sequence[str],
) -> Document:
    return {
        "model_parameters": {
            "onnx_model": str(model),
            "march": march,
            "output_model_file_prefix": model.stem,
        },
        "input_parameters": {
            "input_name": ";".join(given.name for given in inputs),
            "input_shape": ";".join("x".join(map(str, given.shape)) for given in inputs),
            "input_type_rt": ";".join(runtime),
            "input_type_train": ";".join(train),
        },
    }


def _closed(model: Path, shapes: Mapping[str, str]) -> list[ModelInput]:
    """The model's inputs with what `shapes` say; an open first extent is 1."""
    inputs = model_inputs(model)
    names = [given.name for given in inputs]
    for name in shapes:
        if name not in names:
            raise ConfigError(
                f"The specified input_name {name} does not exist in model file. The name list"
                f" should be specified: {names}"
            )
    return [_close(given, shapes.get(given.name)) for given in inputs]


def _close(given: ModelInput, shape: str | None) -> ModelInput:
    if shape is not None:
        parts = shape.replace(" ", "").split("x")
        if not all(part.isdecimal() and int(part) > 0 for part in parts):
            raise ConfigError(
                f"The input_shape parse failed. Expected for instance 1x3x224x224, got '{shape}'"
            )
        return replace(given, shape=tuple(map(int, parts)))
    first = tuple(1 if extent is None else extent for extent in given.shape[:1])
    if any(extent is None for extent in given.shape[1:]):
        shown = [extent if extent is not None else "?" for extent in given.shape]
        raise ConfigError(
            "The model is a dynamically input model. Please specify the 'input_shape' parameter"
            f" (input {given.name} is {shown}; give --input-shape {given.name} 1x3x224x224)"
        )
    return replace(given, shape=(*first, *given.shape[1:]))


def _free_folder() -> str:
    if not Path(FAST_PERF_OUTPUT).exists():
        return FAST_PERF_OUTPUT
    stem = f"{FAST_PERF_OUTPUT}_{datetime.now():%Y%m%d%H%M%S}"
    folder, number = stem, 1
    while Path(folder).exists():
        number += 1
        folder = f"{stem}_{number}"
    return folder
