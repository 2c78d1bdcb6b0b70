"""hb_compile on a real network in all its modes: every file is there, opens, and says the same.

The others of the acceptance run are `python -m benchmarks.hb_compile`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import onnx
import pytest

import hbir
from benchmarks.hb_compile.__main__ import MODES, run
from benchmarks.hb_compile.configs import NETWORKS
from tests.models import ppocr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The direction network, compiled in all modes."""
    folder = tmp_path_factory.mktemp("hb_compile")
    (direction,) = [network for network in NETWORKS if network.name == "direction"]
    assert run([direction], folder) == 0
    return folder / "direction"


def test_all_modes_leave_files_that_open(folder: Path) -> None:
    assert set(MODES) == {"config", "check", "fast-perf", "bc"}
    assert (folder / ".fast_perf" / "model_config.yaml").is_file()


def test_the_program_tells_directions_from_camera_planes(folder: Path) -> None:
    """What was compiled for nv12 agrees with the float network on the pictures that nv12 gives."""
    from hbir.ptq.transformers import BGR2NV12Transformer

    lines, _ = ppocr.direction_lines(6, 5)
    graph = hbir.Hbm(folder / "out" / "direction.hbm").graphs[0]
    floats = hbir.onnx.export(str(folder / "model.onnx"), input_shapes=(1, 3, 48, 192))
    agreed = 0
    for line in lines:
        pixels = np.rint(line[0] * 127.5 + 127.5).clip(0, 255).astype(np.uint8)
        (planes,) = BGR2NV12Transformer("CHW")([pixels])
        y, uv = np.split(np.asarray(planes, np.uint8).reshape(-1), [48 * 192])
        feed = {"x_y": y.reshape(1, 48, 192, 1), "x_uv": uv.reshape(1, 24, 96, 2)}
        (wanted,) = floats.functions[0].feed({"x": line}).values()
        (found,) = graph.feed(feed).values()
        agreed += int(np.argmax(wanted) == np.argmax(found))
    assert agreed == len(lines)


def test_nodes_are_called_as_in_the_users_file_at_every_stage(folder: Path) -> None:
    """In the node table each of its nodes comes once, but for those that compute constants."""
    rows = list(csv.reader((folder / "out" / "direction_node_info.csv").open()))
    names = [name for row in rows[1 : rows.index([])] for name in row[0].split("+")]
    types = [name for row in rows[1 : rows.index([])] for name in row[1].split("+")]
    files = (folder / "model.onnx", folder / "out" / "direction_original_float_model.onnx")
    for file in files:
        nodes = onnx.ModelProto.FromString(file.read_bytes()).graph.node
        known = {node.name: node.op_type for node in nodes}
        assert set(names) <= set(known)
        assert [known[name] for name in names] == types
        computing = {"Conv", "Add", "Mul", "Relu", "MaxPool", "GlobalAveragePool", "Softmax"}
        assert {name for name, kind in known.items() if kind in computing} <= set(names)
