"""YAML templates for a model: what `hb_config_generator` writes.

The simple one has the keys that most users set, the full one every key that isn't deprecated. Both
load as they are, once the folder of calibration data exists.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hbir.ptq.inputs import ModelInput
from hbir.ptq.keys import KEYS, REQUIRED, SECTIONS, Key

SIMPLE_KEYS = {
    "model_parameters": ("caffe_model", "prototxt", "onnx_model", "march"),
    "input_parameters": ("input_type_rt", "input_type_train", "input_layout_train"),
    "compiler_parameters": ("optimize_level",),
}

DEFAULT_MARCH = "nash-e"
DATA_FOLDER = "./calibration_data"
IMAGE_CHANNELS = 3


def template(
    *, full: bool, march: str | None, model: str | None, inputs: Sequence[ModelInput]
) -> str:
    """The text of a template, filled in from a model's path and inputs where there is one."""
    filled = _filled(march, model, inputs)
    simple = {name for names in SIMPLE_KEYS.values() for name in names} | _needed(inputs)
    lines: list[str] = []
    for section in SECTIONS:
        keys = [key for key in KEYS if key.section == section and not key.deprecated]
        if not full:
            keys = [key for key in keys if key.name in simple]
        if keys:
            lines += [f"{section}:", *_entries(keys, filled, comments=full), ""]
    return "\n".join(lines)


def _needed(inputs: Sequence[ModelInput]) -> set[str]:
    """What a simple file can't do without for these inputs."""
    needed = {"input_name"} if len(inputs) > 1 else set[str]()
    if any(extent is None for given in inputs for extent in given.shape):
        needed.add("input_shape")
    return needed


def _entries(keys: Sequence[Key], filled: dict[str, Any], *, comments: bool) -> list[str]:
    lines: list[str] = []
    for key in keys:
        if comments:
            choices = f" One of {', '.join(key.choices)}." if key.choices else ""
            lines.append(f"  # {key.meaning}{choices}")
        lines.append(f"  {key.name}: {_value(filled.get(key.name, key.default))}")
    return lines


def _value(value: Any) -> str:
    """A value as YAML reads it back; nothing for what isn't said."""
    if value is None or value is REQUIRED:
        return "''"
    return json.dumps(value)  # JSON's numbers, texts, lists and objects are YAML


def _filled(march: str | None, model: str | None, inputs: Sequence[ModelInput]) -> dict[str, Any]:
    values: dict[str, Any] = {"march": march or DEFAULT_MARCH}
    if model is None:
        return values
    layouts = [image_layout(given) for given in inputs]
    images = [layout is not None for layout in layouts]
    if not model.endswith(".bc"):  # which is named on the command line when it is compiled again
        values["onnx_model"] = model
    values["output_model_file_prefix"] = _stem(model)
    values["input_name"] = _joined([given.name for given in inputs])
    values["input_shape"] = _joined(["x".join(map(str, _closed(given))) for given in inputs])
    values["input_type_rt"] = _joined(["nv12" if i else "featuremap" for i in images])
    values["input_type_train"] = _joined(["bgr" if i else "featuremap" for i in images])
    values["input_layout_train"] = _joined([layout or "NCHW" for layout in layouts])
    values["cal_data_dir"] = _joined([DATA_FOLDER] * len(inputs))
    return values


def image_layout(given: ModelInput) -> str | None:
    """`NCHW` or `NHWC` of an input that looks like an image nv12 can feed; None for any other.

    Floats of four axes, three channels, an even height and width.
    """
    shape = given.shape
    if len(shape) != 4 or not given.is_float:
        return None
    for layout, channel, height, width in (("NCHW", 1, 2, 3), ("NHWC", 3, 1, 2)):
        sizes = (shape[height], shape[width])
        if shape[channel] == IMAGE_CHANNELS and all(s is not None and s % 2 == 0 for s in sizes):
            return layout
    return None


def _closed(given: ModelInput) -> list[int]:
    """The shape with 1 for an open dimension, for the user to change."""
    return [1 if extent is None else extent for extent in given.shape]


def _joined(values: Sequence[str]) -> str:
    return ";".join(values)


def _stem(model: str) -> str:
    name = model.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name
