"""The first phases: the float network, the calibration data, and quantization on them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.files import write_file
from hbir.interface import Argument
from hbir.module import Module
from hbir.ptq.build.checks import check_ranges
from hbir.ptq.calibration_data import SUFFIX, CalibrationData, random_data, read_folders
from hbir.ptq.config import Config
from hbir.ptq.debugger.pictures import file_names
from hbir.ptq.display import Display
from hbir.ptq.inputs import InputSpec
from hbir.ptq.quant_config import LOAD, settings_of
from hbir.ptq.quantize import QuantizationResult, quant_info_of, quantize

LOG = logging.getLogger("hbir.ptq")

DUMP_FOLDER = "calibration_data"


def calibration_data(config: Config, module: Module, specs: Sequence[InputSpec]) -> CalibrationData:
    """The data that a configuration names for the model's inputs, or made-up ones. Raises
    HbirError for files that don't fit."""
    ports: list[Argument] = list(module.functions[0].flatten_inputs)
    folders = config.calibration.folders
    if not folders or config.calibration.type == "skip":
        if module.level == "qat" or config.calibration.type == LOAD:
            LOG.info("no calibration data: how close the result is to float isn't measured")
        else:
            LOG.warning(
                "calibration is skipped: ranges come from made-up data, so results are good for"
                " timing and placement only, not for accuracy"
            )
        return random_data(ports)
    data = read_folders([folders[port.name] for port in ports], ports, config.input_batch)
    LOG.info("The num of calibration data: %d", len(data))
    check_ranges(data, specs)
    return data


def dump_data(data: CalibrationData, folder: Path) -> None:
    """Keep what calibration saw, and nothing of earlier runs: a folder per input with an .npy per
    sample."""
    for number, sample in enumerate(data):
        folders = file_names(sample)
        for name, array in sample.items():
            target = folder / DUMP_FOLDER / folders[name]
            if number == 0:
                _make_empty(target)
            content = io.BytesIO()
            np.save(content, array)
            write_file(target / f"{number:06}{SUFFIX}", content.getvalue())
    LOG.info("calibration data are kept in %s", folder / DUMP_FOLDER)


def _make_empty(folder: Path) -> None:
    """Make the folder, and delete the samples in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.glob(f"*{SUFFIX}"):
            file.unlink()
    except OSError as error:
        raise HbirError(f"{folder}: can't be made and emptied ({error.strerror})") from None


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
