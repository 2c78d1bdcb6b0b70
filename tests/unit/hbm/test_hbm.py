"""`Hbm` and `Graph` as users hold them."""

from pathlib import Path

import numpy as np
import pytest

from hbir.errors import HbirError
from hbir.hbm import Hbm
from hbir.hbm.writer import write_program
from tests.unit.runtime.programs import random_program, tiled_convolution


@pytest.fixture
def hbm(tmp_path: Path) -> Hbm:
    write_program(tiled_convolution(), tmp_path / "model.hbm")
    return Hbm(tmp_path / "model.hbm")


def test_graphs_are_found_by_number_and_name(hbm: Hbm) -> None:
    assert hbm.functions == hbm.graphs == list(hbm)
    assert len(hbm) == 1
    assert hbm[0] is hbm["main"] is hbm.graphs[0]
    assert hbm.graphs[0].name == "main"
    with pytest.raises(HbirError, match="no graph 'other'; it has main"):
        hbm["other"]


def test_the_interface_says_names_shapes_and_dtypes(hbm: Hbm) -> None:
    graph = hbm[0]
    (x,) = graph.flatten_inputs
    assert (x.name, x.type.shape, x.type.np_dtype) == ("x", (1, 8, 8, 8), np.int8)
    assert graph.outputs["y"].type.shape == (1, 8, 8, 16)
    assert hbm.march_name == "nash-e"
    assert str(graph) == "graph @main(tensor<1x8x8x8xsi8> x) -> tensor<1x8x8x16xsi8> y"
    assert [node.device for node in graph.nodes] == ["Bpu"]


def test_feed_and_call_agree_and_results_are_new_arrays(hbm: Hbm) -> None:
    x = np.random.default_rng(0).integers(-128, 128, (1, 8, 8, 8)).astype(np.int8)
    first = hbm[0].feed({"x": x})["y"]
    kept = first.copy()
    second = hbm[0](np.zeros_like(x))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(hbm[0](x), first)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "missing 'x'"),
        ({"x": np.zeros((1, 8, 8, 8), np.int8), "z": 1}, "unknown 'z'"),
        ({"x": np.zeros((8, 8, 8), np.int8)}, r"input 'x' has shape \[8, 8, 8\], expected"),
        ({"x": np.zeros((1, 8, 8, 8), np.float32)}, "has dtype float32, expected int8"),
    ],
)
def test_wrong_inputs_are_named(hbm: Hbm, inputs: dict[str, object], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        hbm[0].feed(inputs)


def test_the_suffix_is_checked(tmp_path: Path) -> None:
    with pytest.raises(HbirError, match=r"should end with \.hbm"):
        Hbm(tmp_path / "model.bc")


def test_hazards_are_found_at_the_first_feed(tmp_path: Path) -> None:
    path = tmp_path / "model.hbm"
    write_program(tiled_convolution(waits=False), path)
    x = np.zeros((1, 8, 8, 8), np.int8)
    with pytest.raises(HbirError, match="that nothing before it has written"):
        Hbm(path)[0].feed({"x": x})
    assert Hbm(path, check=False)[0].feed({"x": x})["y"].shape == (1, 8, 8, 16)


def test_files_do_not_depend_on_when_they_are_written(tmp_path: Path) -> None:
    for name in ("a.hbm", "b.hbm"):
        write_program(random_program(7)[0], tmp_path / name)
    assert (tmp_path / "a.hbm").read_bytes() == (tmp_path / "b.hbm").read_bytes()
