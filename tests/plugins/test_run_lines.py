"""The runner of RUN lines agrees with the shell, and fails when lit would."""

import shlex
import sys
from pathlib import Path

import pytest

from tests.plugins.run_lines import NoRunLine, RunFailed, run_line, run_lines, run_test, substitute

MODULE = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n  func.return %x : tensor<4xf32>\n}\n"
FALSE = f'{shlex.quote(sys.executable)} -c "raise SystemExit(3)"'


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "test.mlir"
    path.write_text(text)
    return path


def test_continued_lines_are_joined(tmp_path: Path) -> None:
    source = write(tmp_path, "// RUN: a b \\\n// RUN:   c\n// RUN: d\n")
    assert run_lines(source) == ["a b c", "d"]


def test_a_file_that_runs_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoRunLine):
        run_test(write(tmp_path, MODULE), tmp_path)


def test_substitutions(tmp_path: Path) -> None:
    source = tmp_path / "a.mlir"
    line = substitute("%s %S %p %t %T 100%%", source, tmp_path)
    assert line == f"{source} {tmp_path} {tmp_path} {tmp_path}/a.mlir.tmp {tmp_path} 100%"


def test_a_check_that_holds_passes(tmp_path: Path) -> None:
    text = f"// RUN: hbir-opt %s | filecheck %s\n// CHECK: func.func @f\n{MODULE}"
    run_test(write(tmp_path, text), tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "hbir-opt %s | filecheck %s",  # the CHECK line below doesn't match
        "hbir-opt %s | filecheck %s --check-prefix=NONE",
        "hbir-opt %s --no-such-flag",
        "not hbir-opt %s",
        "hbir-opt %s -p no-such-pass | filecheck %s --check-prefix=OK --allow-empty",
        "hbir-opt %s.absent && hbir-opt %s",
        "hbir-opt %s && hbir-opt %s.absent",
        "no-such-command",
        "hbir-opt %s | grep -q nowhere-to-be-found",
        "(exit 3)",
    ],
)
def test_what_must_fail_fails(line: str, tmp_path: Path) -> None:
    source = write(tmp_path, f"// CHECK: something else\n// OK: func.func\n{MODULE}")
    with pytest.raises((RunFailed, FileNotFoundError)):
        run_line(substitute(line, source, tmp_path))


def test_every_command_of_a_pipe_must_succeed() -> None:
    with pytest.raises(RunFailed, match="exit status: 3"):
        run_line(f"{FALSE} | cat")


def test_not_inverts(tmp_path: Path) -> None:
    run_line(f"not {FALSE}")
    run_line(f"not {FALSE} | cat")
    run_line("not not cat")


def test_streams_are_redirected(tmp_path: Path) -> None:
    source, out, err = write(tmp_path, MODULE), tmp_path / "out", tmp_path / "err"
    run_line(f"hbir-opt {source} > {out}")
    run_line(f"hbir-opt - < {out} > {out}.again")
    assert out.read_text() == Path(f"{out}.again").read_text() != ""
    run_line(f"hbir-opt {source} --time-passes > {out} 2> {err}")
    assert "pass times" in err.read_text()
    assert "pass times" not in out.read_text()
    run_line(f"hbir-opt {source} --time-passes > {out} 2>&1")
    assert out.read_text().startswith("pass times")
    run_line(f"hbir-opt {source} >> {out}")
    assert out.read_text().count("func.func") == 2


def test_quotes_keep_an_argument_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_line(f"echo 'a | b; c && d' \"e > f\" > {out}")
    assert out.read_text() == "a | b; c && d e > f\n"


def test_other_shell_syntax_goes_to_bash(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_line(f"echo $((1 + 2)) > {out}")
    assert out.read_text() == "3\n"


def test_a_traceback_fails_even_behind_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def defective(argv: list[str]) -> int:
        raise KeyError(argv[0])

    monkeypatch.setattr("hbir.cli.opt.main", defective)
    with pytest.raises(RunFailed, match="ended in a traceback"):
        run_line("not hbir-opt x.mlir")
