"""The stage files of real networks: what they compute, and how alike they are to the source."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import hbir
import hbir.onnx
from hbir.hb_runtime import HBRuntime
from hbir.ptq import stages
from hbir.ptq.verifier import verify
from tests.e2e import mnist
from tests.models import ppocr

Array = np.ndarray[Any, Any]
_onnx: Any = onnx  # its functions are typed only in part


@dataclass
class Files:
    """Where the files of a network are, and a feed that it was not calibrated on."""

    folder: Path
    feed: Mapping[str, Array]

    def path(self, stage: str) -> Path:
        return self.folder / f"{stage}.onnx"


def written(
    folder: Path,
    source: Path,
    feeds: list[dict[str, Array]],
    shapes: dict[str, tuple[int, ...]] | None = None,
) -> Files:
    """The four files and the quantized module of a network; the last feed is kept for the test."""
    module = hbir.onnx.export(source, input_shapes=shapes)
    calibrated = hbir.calibrate(module, feeds[:-1])
    files = Files(folder, feeds[-1])
    stages.write_original_float(source, shapes, files.path("original_float"))
    stages.write_optimized_float(module, files.path("optimized_float"))
    stages.write_calibrated(calibrated, files.path("calibrated"))
    stages.write_ptq(calibrated, files.path("ptq"))
    hbir.save(hbir.convert(calibrated, "nash-e"), folder / "quantized.bc")
    return files


@pytest.fixture(scope="module", params=["mnist", "recognition"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "mnist":
        return written(folder, mnist.MODEL, mnist.feeds(mnist.digits("calib")[0][:9]))
    generator = np.random.default_rng(0)
    shape = (1, 3, 48, 64)
    feeds = [{"x": generator.uniform(-1, 1, shape).astype(np.float32)} for _ in range(3)]
    return written(folder, ppocr.RECOGNITION["v4"].path(), feeds, {"x": shape})


def test_float_stages_agree(files: Files) -> None:
    found = verify(files.path("original_float"), files.path("optimized_float"), files.feed)
    assert found.layers is not None
    assert len(found.layers) > 10
    for tensor in (*found.outputs, *found.layers):
        assert tensor.cosine > 1 - 1e-6, tensor


def test_the_ptq_file_is_what_the_integers_are(files: Files) -> None:
    found = verify(files.path("ptq"), files.folder / "quantized.bc", files.feed)
    assert found.layers is not None
    assert all(output.cosine > 0.99 for output in found.outputs)
    # Integers that fall to the other side of a half add up along a deep network; a tensor that is
    # computed otherwise is nowhere near.
    compared = [tensor for tensor in found.layers if tensor.shape is not None]
    assert 2 * len(compared) > len(found.layers) >= 10
    for tensor in compared:
        assert tensor.cosine > 0.9, tensor


def test_the_picture_looks_like_the_source(files: Files) -> None:
    """Every node of the optimized file is of the source's, and most of the source's are there."""
    source, optimized = (
        _onnx.load(files.path(stage)) for stage in ("original_float", "optimized_float")
    )
    names = {node.name for node in source.graph.node}
    kept = {part for node in optimized.graph.node for part in node.name.split("/")[0].split("+")}
    computing = Counter(n.op_type for n in source.graph.node)["Conv"]
    assert sum(node.op_type == "Conv" for node in optimized.graph.node) == computing
    assert len(kept & names) > len(kept) * 0.6
    assert [p.name for p in optimized.graph.output] == [p.name for p in source.graph.output]


def test_all_stages_run_by_one_interface(files: Files) -> None:
    for stage in stages.STAGES:
        (got,) = HBRuntime(files.path(stage)).run(None, files.feed)
        assert np.isfinite(got).all()
