"""How the numbers of each channel lie: channels that differ much lose most with one scale."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hbir.errors import HbirError
from hbir.ptq.debugger.calibrated import ModelOrFile, Rounding, load_calibrated
from hbir.ptq.debugger.data import CalibratedData
from hbir.ptq.debugger.pictures import boxes, figure, file_names, save, title
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER, form_text, rounded_arrays
from hbir.ptq.display import Display, Silent

FOLDER = "channelwise_distribution"


def get_channelwise_data_distribution(
    model_or_file: ModelOrFile,
    calibrated_data: CalibratedData,
    nodes_list: str | Sequence[str],
    axis: int | None = None,
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
    *,
    display: Display | None = None,
) -> list[Path]:
    """A picture per node of nodes_list, in `channelwise_distribution/`; returns the files.

    It shows the extremes, the middle half and the median of each channel of a calibration node's
    tensor, or of the tensors and weights that another node reads; `weight` and `activation` are all
    of these, a picture each. The first sample is shown. axis: of the channels, in your model's
    layout (1 in N, C, H, W); by default the one that has scales of its own, else the one that hbir
    has last. display: shows how far it is. Raises HbirError for unknown names, an axis that isn't
    there, and without matplotlib.
    """
    shown: Display = display if display is not None else Silent()
    model = load_calibrated(model_or_file, shown)
    chosen = model.each_chosen(nodes_list)
    with shown.stage("run"):
        arrays = rounded_arrays(model, chosen, calibrated_data)
    axis_of = {
        step: _channel_axis(model.rounding(step), axis, array.ndim)
        for step, (array, _) in arrays.items()
    }
    names = file_names(chosen)
    files: list[Path] = []
    for name in shown.each("channels", chosen, len(chosen)):
        drawn, axes = figure(len(chosen[name]))
        for ax, step in zip(axes, chosen[name], strict=True):
            rounding, (before, _) = model.rounding(step), arrays[step]
            channels = np.moveaxis(before, axis_of[step], 0)
            boxes(
                ax,
                channels.reshape(len(channels), -1),
                rounding.limits if rounding.axis is None else None,
            )
            of_user = rounding.perm[axis_of[step]] if rounding.perm else axis_of[step]
            counted = f"{len(channels)} channels along axis {of_user}"
            title(ax, rounding.name, f"{form_text(rounding)}; {counted}")
        files.append(save(drawn, Path(save_dir) / FOLDER / f"{names[name]}.png"))
    return files


def _channel_axis(rounding: Rounding, axis: int | None, rank: int) -> int:
    """The axis of the array that is the channels'."""
    if axis is None:
        return rank - 1 if rounding.axis is None else rounding.axis
    if not -rank <= axis < rank:
        raise HbirError(
            f"axis {axis} is not one of {rounding.name!r}, whose axes are 0 to {rank - 1}"
        )
    return rounding.perm.index(axis % rank) if len(rounding.perm) == rank else axis % rank
