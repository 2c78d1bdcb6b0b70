"""hb_compile on a real network in all its modes: every file is there, opens, and says the same.

The others of the acceptance run are `python -m benchmarks.hb_compile`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
