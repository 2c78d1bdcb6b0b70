"""What each input of the model is: in training, on the board, and how one becomes the other.

The YAML gives a value per input, joined by `;`; here they become one `InputSpec` per input, checked
against the model's own inputs.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

from hbir.ptq import keys
from hbir.ptq.yaml_file import ConfigError, Values, chosen

Shape = tuple[int | None, ...]

FEATUREMAP = "featuremap"

YUV_TYPES = frozenset({"nv12", "yuv_bt601_full", "yuv_bt601_video"})
"""Runtime types of which the board feeds a Y plane and an interleaved, halved UV plane."""

_FROM_COLOUR = frozenset({"rgb", "bgr", "nv12", "yuv444", "yuv444_128"})
CONVERSIONS: dict[str, frozenset[str]] = {
    "rgb": _FROM_COLOUR | YUV_TYPES,
    "bgr": _FROM_COLOUR | YUV_TYPES,
    "yuv444": frozenset({"yuv444", "yuv444_128", "nv12"}),
    "gray": frozenset({"gray"}),
    FEATUREMAP: frozenset({FEATUREMAP}),
}
"""Training type → the runtime types that it can be fed from."""

_PYRAMID = ("pyramid", "resizer")

_LOG = logging.getLogger("hbir.ptq")


@dataclass(frozen=True)
class ModelInput:
    """An input as the model file has it; an open dimension is None."""

    name: str
    shape: Shape
    is_float: bool = True
    """Whether it takes floats, as whatever is fed by images must."""


@dataclass(frozen=True)
class InputSpec:
    """An input: the model's view (training) and the board's (runtime)."""

    name: str
    shape: tuple[int, ...]
    """In the training layout, as in the model file."""
    runtime_type: str
    train_type: str
    layout: str
    """`NCHW` or `NHWC`; `NCHW` for a featuremap, which has none."""
    video_range: bool = False
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    """What the values are divided by after the mean."""
    scale: tuple[float, ...] = ()
    """`scale_value`, where that is how `std`, which is 1 / scale then, was said."""
    separate_batch: bool = False

    @property
    def is_image(self) -> bool:
        """Whether the board feeds an image."""
        return self.runtime_type != FEATUREMAP

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the board may take it from, the default first."""
        if self.runtime_type in YUV_TYPES or self.runtime_type == "gray":
            return _PYRAMID if self.runtime_type != "gray" else (*_PYRAMID, "ddr")
        return ("ddr",)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of an image."""
        if self.layout == "NCHW":
            return self.shape[2], self.shape[3]
        return self.shape[1], self.shape[2]


def resolve_inputs(values: Values, model_inputs: tuple[ModelInput, ...]) -> tuple[InputSpec, ...]:
    """One spec per input of the model, in the model's order.

    values: section input_parameters. Raises ConfigError for what doesn't fit the model.
    """
    names = input_names(values, model_inputs)
    count = len(names)
    runtime = [
        keys.LEGACY_RUNTIME_TYPES.get(kind or "", kind)
        for kind in _column(values, "input_type_rt", count)
    ]
    train = _column(values, "input_type_train", count)
    layouts = _column(values, "input_layout_train", count)
    ranges = _column(values, "input_space_and_range", count, spread=True)
    norms = _split(values["norm_type"] or "", count)
    shapes = _column(values, "input_shape", count)
    means = _column(values, "mean_value", count)
    scales, stds = _column(values, "scale_value", count), _column(values, "std_value", count)
    separate = _separate(values, names)
    by_name = {given.name: given for given in model_inputs}
    specs: dict[str, InputSpec] = {}
    for i, name in enumerate(names):
        shape = _shape(shapes[i], by_name[name])
        spec = InputSpec(
            name=name,
            shape=shape,
            runtime_type=chosen("input_type_rt", runtime[i], keys.RUNTIME_TYPES),
            train_type=chosen("input_type_train", train[i], keys.TRAIN_TYPES),
            layout=_layout(layouts[i], runtime[i], train[i]),
            video_range=_is_video_range(ranges[i], runtime[i]),
            mean=_numbers("mean_value", means[i]),
            std=_std(name, scales[i], stds[i]),
            scale=_numbers("scale_value", scales[i]),
            separate_batch=name in separate,
        )
        _check(spec, i)
        if len(norms) == count:
            _compare(norms[i], spec)
        specs[name] = spec
    return tuple(specs[given.name] for given in model_inputs)


def input_names(values: Values, model_inputs: tuple[ModelInput, ...]) -> tuple[str, ...]:
    """The model's inputs in the order that `;` lists have. Raises ConfigError."""
    value: str | None = values["input_name"]
    known = [given.name for given in model_inputs]
    if value is None:
        if len(known) > 1:
            raise ConfigError(
                "Model has more than one input! It is necessary to explicitly specify all the"
                f" input_name: {';'.join(known)}"
            )
        return tuple(known)
    names = _split(value, len(known))
    if len(names) != len(known):
        raise ConfigError(
            f"Wrong num of input_name specified. Num of input_name specified: {len(names)}, while"
            f" model file has {len(known)} inputs"
        )
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"Input names duplicated: '{name}'")
        if name not in known:
            raise ConfigError(
                f"The specified input_name {name} does not exist in model file. The name list"
                f" should be specified: {known}"
            )
    return tuple(names)


def _split(value: str, count: int) -> list[str]:
    """The items of a `;` list, empty ones too, but for what a trailing `;` leaves over `count`."""
    items = [item.strip() for item in value.split(";")]
    return items[:-1] if len(items) > count and not items[-1] else items


def _column(values: Values, key: str, count: int, spread: bool = False) -> list[str | None]:
    """A key's value per input; nothing said is None for all. spread: one value is for all."""
    value: str | None = values[key]
    if value is None:
        return [None] * count
    items = [None if item in ("", "None") else item for item in _split(value, count)]
    if spread and len(items) == 1:
        items *= count
    if len(items) != count:
        raise ConfigError(
            f"Wrong num of {key} specified. Num of {key} specified: {len(items)}, while the model"
            f" has {count} inputs"
        )
    return items


def _shape(given: str | None, model: ModelInput) -> tuple[int, ...]:
    if given is None:
        if any(extent is None for extent in model.shape):
            shown = [extent if extent is not None else "?" for extent in model.shape]
            raise ConfigError(
                "The model is a dynamically input model. Please specify the 'input_shape' parameter"
                f" (input {model.name} is {shown})"
            )
        return tuple(extent for extent in model.shape if extent is not None)
    parts = given.replace(" ", "").split("x")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ConfigError(
            f"The input_shape parse failed. Expected for instance 1x3x224x224, got '{given}'"
        )
    shape = tuple(int(part) for part in parts)
    fits = len(shape) == len(model.shape) and all(
        fixed in (None, extent) for fixed, extent in zip(model.shape, shape, strict=True)
    )
    if not fits:
        raise ConfigError(
            f"The input_shape of {model.name} is {list(shape)}, which doesn't fit the model's"
            f" {[extent if extent is not None else '?' for extent in model.shape]}"
        )
    return shape


def _layout(given: str | None, runtime: str | None, train: str | None) -> str:
    if given is not None:
        return chosen("input_layout_train", given, keys.LAYOUTS)
    if runtime != FEATUREMAP or train != FEATUREMAP:
        raise ConfigError(
            "This model has non-featuremap inputs, please specify the input_layout_train"
        )
    return "NCHW"


def _is_video_range(given: str | None, runtime: str | None) -> bool:
    wanted = chosen("input_space_and_range", given or keys.RANGES[0], keys.RANGES)
    video = wanted == "bt601_video"
    if video and runtime == "yuv_bt601_full":
        raise ConfigError(
            "input_space_and_range is bt601_video, but input_type_rt yuv_bt601_full; keep one"
        )
    return video or runtime == "yuv_bt601_video"


def _numbers(key: str, value: str | None) -> tuple[float, ...]:
    """Numbers joined by spaces or commas."""
    if value is None:
        return ()
    try:
        numbers = tuple(float(item) for item in value.replace(",", " ").split())
    except ValueError:
        numbers = (math.nan,)
    if not all(map(math.isfinite, numbers)):
        raise ConfigError(f"{key} '{value}': expected numbers, one or one per channel")
    return numbers


def _std(name: str, scale: str | None, std: str | None) -> tuple[float, ...]:
    if scale is not None and std is not None:
        raise ConfigError(f"Only one of scale_value and std_value can be specified (input {name})")
    key, text = ("scale_value", scale) if std is None else ("std_value", std)
    numbers = _numbers(key, text)
    if any(number == 0 for number in numbers):
        raise ConfigError(f"{key} of input {name} holds 0")
    return tuple(1.0 / number for number in numbers) if std is None else numbers


def _separate(values: Values, names: tuple[str, ...]) -> frozenset[str]:
    chosen: str | None = values["separate_name"]
    if chosen is not None and values["separate_batch"]:
        raise ConfigError("Only one of separate_batch and separate_name can be specified")
    if values["separate_batch"]:
        return frozenset(names)
    parts = [item.strip() for item in (chosen or "").split(";")]
    items = frozenset(part for part in parts if part)
    for name in sorted(items):
        if name not in names:
            raise ConfigError(f"separate_name '{name}' is no input; inputs are {', '.join(names)}")
    return items


def _check(spec: InputSpec, index: int) -> None:
    if spec.is_image and len(spec.shape) != 4:
        raise ConfigError(
            f"The specified input_type_rt is {spec.runtime_type}, but the input_shape is not"
            " four-dimensional, please set the input_type_rt and input_type_train to featuremap"
        )
    if spec.runtime_type not in CONVERSIONS[spec.train_type]:
        raise ConfigError(
            f"The input_type_train '{spec.train_type}' of the input {index} is not supported to be"
            f" transformed to input_type_rt '{spec.runtime_type}' now"
        )
    if spec.runtime_type in YUV_TYPES and any(extent % 2 for extent in spec.size):
        raise ConfigError(
            f"The input shape: {list(spec.shape)} is invalid, nv12 type does not support odd number"
            " input size"
        )
    if spec.video_range and spec.runtime_type not in YUV_TYPES:
        raise ConfigError(
            f"input_space_and_range bt601_video is for nv12 inputs; input {spec.name} is"
            f" {spec.runtime_type}"
        )
    if not spec.is_image and (spec.mean or spec.std):
        raise ConfigError(
            f"input {spec.name} is a featuremap, which takes no mean_value, scale_value or"
            " std_value"
        )
    for key, numbers in (("mean_value", spec.mean), ("scale_value or std_value", spec.std)):
        channels = _channels(spec)
        if numbers and len(numbers) not in (1, channels):
            raise ConfigError(
                f"{key} of input {spec.name} has {len(numbers)} numbers, expected 1 or {channels}"
            )


def _compare(norm_type: str, spec: InputSpec) -> None:
    """Warn where an older file's norm_type, which used to choose among the numbers, leaves some
    out: all that are given count."""
    if not norm_type:
        return
    for key, said, numbers in (
        ("mean_value", "mean" in norm_type, spec.mean),
        ("scale_value", "scale" in norm_type or "std" in norm_type, spec.std),
    ):
        if bool(numbers) != said:
            state = "is given and counts" if numbers else "is missing"
            text = "norm_type of input %s is %s, but %s %s"
            _LOG.warning(text, spec.name, norm_type, key, state)


def _channels(spec: InputSpec) -> int:
    if len(spec.shape) != 4:
        return 0
    return spec.shape[1] if spec.layout == "NCHW" else spec.shape[3]


def model_inputs_of(graph_inputs: Any) -> tuple[ModelInput, ...]:
    """`ModelInput`s of (name, shape) pairs, where an extent that is no positive int is open."""
    return tuple(
        ModelInput(name, tuple(e if isinstance(e, int) and e > 0 else None for e in shape))
        for name, shape in graph_inputs
    )
