"""How the numbers of each channel lie: channels that differ much lose most with one scale."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hbir.errors import HbirError
from hbir.ptq.debugger.calibrated import ModelOrFile, Rounding, load_calibrated
from hbir.ptq.debugger.data import CalibratedData, samples_of
from hbir.ptq.debugger.pictures import boxes, figure, file_name, save
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER, rounded_arrays

FOLDER = "channelwise_distribution"


def get_channelwise_data_distribution(
    model_or_file: ModelOrFile,
    calibrated_data: CalibratedData,
    nodes_list: str | Sequence[str],
    axis: int | None = None,
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
) -> list[Path]:
    """A picture per node of nodes_list, in `channelwise_distribution/`; returns the files.

    It shows the extremes, the middle half and the median of each channel of a calibration node's
    tensor, or of the tensors and weights that another node reads, on the first sample. axis: of the
    channels, in hbir's layout (channels last); by default the one that has scales of its own, else
    the last. Raises HbirError for unknown names, an axis that isn't there, and without matplotlib.
    """
    model = load_calibrated(model_or_file)
    chosen = model.chosen([nodes_list] if isinstance(nodes_list, str) else nodes_list)
    steps = [step for name in chosen for step in chosen[name]]
    arrays = rounded_arrays(model, steps, samples_of(model, calibrated_data, 1))
    files: list[Path] = []
    for name, its_steps in chosen.items():
        drawn, axes = figure(len(its_steps))
        for ax, step in zip(axes, its_steps, strict=True):
            rounding = model.rounding(step)
            before, _ = arrays[step]
            along = _channel_axis(rounding, axis, before.ndim)
            channels = np.moveaxis(before, along, 0).reshape(before.shape[along], -1)
            boxes(ax, f"{rounding.name} ({rounding.kind}), axis {along}", channels)
        files.append(save(drawn, Path(save_dir) / FOLDER / f"{file_name(name)}.png"))
    return files


def _channel_axis(rounding: Rounding, axis: int | None, rank: int) -> int:
    chosen = axis if axis is not None else rounding.axis
    if chosen is None:
        return rank - 1
    if not -rank <= chosen < rank:
        raise HbirError(f"axis {chosen} is not one of {rounding.name!r}, which has {rank}")
    return chosen % rank
