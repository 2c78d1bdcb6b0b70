"""All tools, one after the other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hbir.ptq.debugger.calibrated import ModelOrFile, load_calibrated
from hbir.ptq.debugger.data import CalibratedData
from hbir.ptq.debugger.get_channelwise_data_distribution import get_channelwise_data_distribution
from hbir.ptq.debugger.get_sensitivity_of_nodes import NODE_TYPES, get_sensitivity_of_nodes
from hbir.ptq.debugger.metrics import COSINE
from hbir.ptq.debugger.plot_acc_error import NodeGroups, plot_acc_error
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER, plot_distribution
from hbir.ptq.debugger.sensitivity_analysis import sensitivity_analysis
from hbir.ptq.display import Display, Silent

WORST_SHOWN = 5
"""Nodes whose distributions are shown where none are named."""


def runall(
    model_or_file: ModelOrFile,
    calibrated_data: CalibratedData,
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
    ns_metrics: str | Sequence[str] = COSINE,
    output_node: str | None = None,
    node_type: str | None = None,
    data_num: int | None = 1,
    verbose: bool = False,
    interested_nodes: str | Sequence[str] | None = None,
    dis_nodes_list: str | Sequence[str] | None = None,
    cw_nodes_list: str | Sequence[str] | None = None,
    axis: int | None = None,
    quantize_node: NodeGroups = None,
    non_quantize_node: NodeGroups = None,
    ae_metric: str = COSINE,
    average_mode: bool = False,
    pick_threshold: float = 0.999,
    sensitive_nodes: str | Sequence[str] | None = None,
    *,
    display: Display | None = None,
) -> Path:
    """Sensitivities, distributions, accumulated errors and sensitivity analysis, all in save_dir.

    node_type: one of node, weight, activation; all three where none is named. Where
    dis_nodes_list or cw_nodes_list is None, distributions are those of the most sensitive nodes.
    Without quantize_node and non_quantize_node three curves of errors are drawn: of weights alone,
    of activations alone, and of both. display: shows how far it is. Returns the folder; raises what
    the tools raise.
    """
    shown: Display = display if display is not None else Silent()
    model = load_calibrated(model_or_file, shown)
    folder = Path(save_dir)
    worst: list[str] = []
    for kind in NODE_TYPES if node_type is None else (node_type,):
        found = get_sensitivity_of_nodes(
            model,
            ns_metrics,
            calibrated_data,
            output_node,
            kind,
            data_num,
            verbose,
            interested_nodes,
            folder,
            display=shown,
        )
        worst = worst or list(found)[:WORST_SHOWN]
    plot_distribution(model, calibrated_data, dis_nodes_list or worst, folder, display=shown)
    get_channelwise_data_distribution(
        model, calibrated_data, cw_nodes_list or worst, axis, folder, display=shown
    )
    if not quantize_node and not non_quantize_node:
        quantize_node = [["weight"], ["activation"], ["weight", "activation"]]
    plot_acc_error(
        calibrated_data,
        model,
        quantize_node,
        non_quantize_node,
        ae_metric,
        average_mode,
        folder,
        display=shown,
    )
    sensitivity_analysis(
        model,
        calibrated_data,
        ae_metric,
        pick_threshold,
        data_num,
        sensitive_nodes,
        save_dir=folder,
        display=shown,
    )
    return folder
