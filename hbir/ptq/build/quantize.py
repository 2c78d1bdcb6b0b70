"""The first phases: the float network, the calibration data, and quantization on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hbir.errors import HbirError
from hbir.interface import Argument
from hbir.module import Module
from hbir.ptq.calibration_data import CalibrationData, random_data, read_folders
from hbir.ptq.config import Config
from hbir.ptq.inputs import InputSpec

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
