"""The first phases: the float network, the calibration data, and quantization on them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.interface import Argument
from hbir.module import Module
from hbir.ptq.build.artifacts import Artifacts
from hbir.ptq.calibration_data import CalibrationData, random_data, read_folders
from hbir.ptq.config import Config
from hbir.ptq.display import Display
from hbir.ptq.inputs import InputSpec
from hbir.ptq.quant_config import settings_of
from hbir.ptq.quantize import QuantizationResult, quant_info_of, quantize

LOG = logging.getLogger("hbir.ptq")

DUMP_FOLDER = "calibration_data"


def calibration_data(config: Config, module: Module, specs: Sequence[InputSpec]) -> CalibrationData:
    """The data that a configuration names for the model's inputs, or made-up ones. Raises
    HbirError for files that don't fit."""
    ports: list[Argument] = list(module.functions[0].flatten_inputs)
    folders = dict(
        zip((spec.name for spec in config.inputs), config.calibration.folders, strict=False)
    )
    if not folders or config.calibration.type == "skip":
        LOG.warning(
            "calibration is skipped: ranges come from made-up data, so results are good for timing"
            " and placement only, not for accuracy"
        )
        return random_data(ports)
    ordered = [folders[port.name] for port in ports]
    data = read_folders(ordered, ports, config.input_batch)
    LOG.info("The num of calibration data: %d", len(data))
    return data


def dump_data(data: CalibrationData, folder: Path) -> None:
    """Keep what calibration saw: a folder per input with an .npy per sample."""
    for number, sample in enumerate(data):
        for name, array in sample.items():
            target = folder / DUMP_FOLDER / name.replace("/", "_")
            try:
                target.mkdir(parents=True, exist_ok=True)
                np.save(target / f"{number:06}.npy", array)
            except OSError as error:
                raise HbirError(f"{target}: can't be written ({error.strerror})") from None
    LOG.info("calibration data are kept in %s", folder / DUMP_FOLDER)


class _Shown:
    """Calibration data with a bar for each time that they are gone through."""

    def __init__(self, data: CalibrationData, display: Display) -> None:
        self._data, self._display = data, display

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return self._display.each("calibrate", self._data, len(self._data))


def quantize_module(
    module: Module,
    data: CalibrationData,
    config: Config,
    display: Display,
    executor: Executor | None = None,
    ready: Module | None = None,
) -> QuantizationResult:
    """The module with its scales: those that it brings, or those that quantization finds.

    ready: a float module optimized already.

    Raises HbirError as `hbir.ptq.quantize.quantize` does.
    """
    if module.level == "qat":
        LOG.info("the model brings its own scales; it is not calibrated")
        return QuantizationResult(module, "load", quant_info_of(module))
    shown, settings = _Shown(data, display), settings_of(config)
    return quantize(module, shown, settings, executor=executor, ready=ready)


def json_text(values: Mapping[str, Any]) -> bytes:
    """An artifact of JSON."""
    return (json.dumps(dict(values), indent=1, ensure_ascii=False) + "\n").encode()


def write_stage(files: Artifacts, what: str, write: Callable[[Path], None]) -> None:
    """Write a stage's ONNX file. A network that can't be shown so compiles all the same."""
    try:
        write(files.path(what))
    except HbirError as error:
        LOG.warning("%s is not written: %s", files.path(what), error)
