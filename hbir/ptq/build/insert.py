"""Insertions at the inputs: from what the board feeds to what the model was trained on.

Per input, from the model outwards: split of the batch, layout, colours and normalisation, camera
planes. The module is calibrated by then: calibration data are what the float model takes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from hbir.module import Function, Module
from hbir.overlay.argument import ModuleArgument
from hbir.ptq.build.stages import during
from hbir.ptq.inputs import YUV_TYPES, InputSpec

LOG = logging.getLogger("hbir.ptq")

TO_NHWC = (0, 3, 1, 2)
"""Of an (N, H, W, C) input: the (N, C, H, W) value that the model reads."""

RESIZER = "resizer"

YUV_SOURCES = YUV_TYPES | {"yuv444", "yuv444_128"}
"""Runtime types whose colours are YUV."""


def insert_nodes(
    module: Module, specs: Sequence[InputSpec], sources: Mapping[str, str] | None = None
) -> Module:
    """A new module whose inputs are the board's. sources: an input's `input_source`, by name; from
    the resizer it gets a region of interest. Raises StageError."""
    inserted = module.clone()
    for function in inserted.functions:
        for spec in reversed(specs):
            for argument in _split(function, spec):
                if spec.is_image:
                    _insert_image(argument, spec, (sources or {}).get(spec.name, ""))
    return inserted


def _split(function: Function, spec: InputSpec) -> Sequence[ModuleArgument]:
    """The arguments that an input becomes: one per image of its batch where that is asked."""
    argument = function.flatten_inputs[spec.name]
    if not spec.separate_batch:
        return [argument]
    with during("hbdk.insert_split"):
        LOG.info("insert_split(0) at input %s", spec.name)
        return list(argument.insert_split(0))[::-1]


def _insert_image(argument: ModuleArgument, spec: InputSpec, source: str) -> None:
    if spec.layout == "NCHW":
        with during("hbdk.insert_transpose"):
            LOG.info("insert_transpose(%s) at input %s", list(TO_NHWC), argument.name)
            argument = argument.insert_transpose(TO_NHWC)
    mode, mean, std = colour_conversion(spec), list(spec.mean or (0.0,)), list(spec.std or (1.0,))
    with during("hbdk.insert_image_preprocess"):
        LOG.info(
            "insert_image_preprocess(mode='%s', divisor=1, mean=%s, std=%s, is_signed=True) at"
            " input %s",
            mode,
            mean,
            std,
            argument.name,
        )
        argument = argument.insert_image_preprocess(mode, 1, mean, std, is_signed=True)
    planes = plane_mode(spec)
    if planes is None:
        return
    if source == RESIZER:
        with during("hbdk.insert_roi_resize"):
            LOG.info("insert_roi_resize('%s') at input %s", planes, argument.name)
            argument.insert_roi_resize(planes)
        return
    with during("hbdk.insert_image_convert"):
        LOG.info("insert_image_convert('%s') at input %s", planes, argument.name)
        argument.insert_image_convert(planes)


def colour_conversion(spec: InputSpec) -> str:
    """The `mode` of insert_image_preprocess for an input."""
    if spec.runtime_type in YUV_SOURCES and spec.train_type in ("rgb", "bgr"):
        return f"yuvbt601{'video' if spec.video_range else 'full'}2{spec.train_type}"
    if {spec.runtime_type, spec.train_type} == {"rgb", "bgr"}:
        return f"{spec.runtime_type}2{spec.train_type}"
    return "skip"


def plane_mode(spec: InputSpec) -> str | None:
    """The `mode` of insert_image_convert; None for what the board feeds as one tensor."""
    if spec.runtime_type in YUV_TYPES:
        return "nv12"
    return "gray" if spec.runtime_type == "gray" else None
