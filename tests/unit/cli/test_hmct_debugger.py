"""The command: each tool by its name and flags, lists in the ways that people write them."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.cli.hmct_debugger import main
from tests.unit.cli.test_progress import Terminal
from tests.unit.ptq.uneven_network import calibrated, samples


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The model and the data, the first two arguments of each tool."""
    folder = tmp_path_factory.mktemp("given")
    hbir.save(calibrated(), folder / "net.bc")
    (folder / "data").mkdir()
    for index, sample in enumerate(samples(2)):
        np.save(folder / "data" / f"{index}.npy", sample)
    return [str(folder / "net.bc"), str(folder / "data")]


def test_sensitivity_prints_the_worst_first(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["-m", "[mse,mae]", "-n", "weight", "-d", "2", "-s", str(tmp_path)]
    assert main(["get-sensitivity-of-nodes", *given, *more]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].split()[1].startswith("mse=")
    assert lines[0].split()[2].startswith("mae=")
    assert (tmp_path / "node_sensitivity" / "sensitivity_of_weight.log").exists()


@pytest.mark.parametrize(
    ("tool", "flags", "file"),
    [
        ("plot-distribution", ["-n", "[conv1, conv2]"], "data_distribution/conv2.png"),
        (
            "get-channelwise-data-distribution",
            ["-n", "conv1;conv2", "-a", "-1"],
            "channelwise_distribution/conv1.png",
        ),
        ("plot-acc-error", ["-q", "[[conv1],[conv2]]", "-m", "mse"], "accumulate_error/mse.png"),
        ("plot-acc-error", ["-nq", "['conv1']", "-a"], "accumulate_error/cosine-similarity.log"),
        ("tensor-analysis", ["-n", "conv1", "-np", "1"], "tensor_analysis/w1.png"),
    ],
)
def test_tools_write_their_folders(
    tool: str, flags: list[str], file: str, given: list[str], tmp_path: Path
) -> None:
    assert main([tool, *given, *flags, "-s", str(tmp_path)]) == 0
    assert (tmp_path / file).exists()


def test_analysis_and_runall(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    analysis = ["-m", "mse", "-p", "0", "-q", "int16", "-sd", str(tmp_path / "a")]
    assert main(["sensitivity-analysis", *given, *analysis]) == 0
    assert "3 sensitive nodes: conv2" in capsys.readouterr().out
    everything = ["-s", str(tmp_path / "b"), "-nt", "node", "-dn", "1", "-pt", "0.9"]
    assert main(["runall", *given, *everything]) == 0
    assert len(list((tmp_path / "b").iterdir())) == 5


def test_mistakes_are_one_line(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot-distribution", *given, "-n", "conv9", "-s", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: the model has no quantized node")
    assert main(["runall", str(tmp_path / "no.bc"), given[1]]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["[conv1", "[a]]", "[[a],[b]]"])
def test_lists_that_are_none_are_refused(
    text: str, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot-distribution", *given, "-n", text]) == 1
    assert "expected names such as [a,b]" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [False, True])
def test_bars_show_on_a_terminal_only(
    terminal: bool, given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["plot-acc-error", *given, "-s", str(tmp_path)]) == 0
    for bar in ("read model", "accumulated error"):
        assert (bar in stream.getvalue()) == terminal
    assert bool(stream.getvalue()) == terminal
