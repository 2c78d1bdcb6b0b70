"""hbir-opt where FileCheck can't look: terminals, stdin, files left behind, exit statuses."""

import io
import re
import sys
from pathlib import Path

import pytest
from typing_extensions import override

from hbir.cli.opt import main
from hbir.passes import all_passes

LARGE = """
func.func @f() -> tensor<17xi8> {
  %c = hbir.constant dense_resource<w> : tensor<17xi8>
  func.return %c : tensor<17xi8>
}
{-#
  dialect_resources: { builtin: { w: "0x400000000102030405060708090A0B0C0D0E0F1011" } }
#-}
"""
BROKEN = "func.func @f(%x: tensor<4xf32>) -> tensor<5xf32> {\n  func.return %x : tensor<4xf32>\n}\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.mlir"
    path.write_text(LARGE)
    return path


def test_large_constants_are_elided_on_a_terminal(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([str(large)]) == 0
    assert "dense_resource<__elided__> : tensor<17xi8>" in terminal.getvalue()


def test_a_pipe_loses_nothing(
    large: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(large)]) == 0
    out = capsys.readouterr().out
    assert "0102030405060708090a0b0c0d0e0f1011" in out
    monkeypatch.setattr(sys, "stdin", io.StringIO(out))
    assert main(["-"]) == 0
    assert capsys.readouterr().out == out


def test_bytecode_comes_through_stdin(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(large), "-o", str(tmp_path / "a.bc")]) == 0
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "a.bc").read_bytes()))
    )
    assert main(["-"]) == 0
    assert "0102030405060708090a0b0c0d0e0f1011" in capsys.readouterr().out


def test_a_file_is_known_by_its_content(large: Path, tmp_path: Path) -> None:
    """Text in a .bc, as hbir wrote it before it had bytecode, and bytecode in a .mlir."""
    named_bc, bytecode = tmp_path / "text.bc", tmp_path / "a.bc"
    named_bc.write_bytes(large.read_bytes())
    assert main([str(named_bc), "-o", str(bytecode)]) == 0
    assert bytecode.read_bytes().startswith(b"ML\xefR")
    named_mlir = tmp_path / "bytecode.mlir"
    named_mlir.write_bytes(bytecode.read_bytes())
    again = tmp_path / "again.bc"
    assert main([str(named_mlir), "-o", str(again)]) == 0
    assert again.read_bytes() == bytecode.read_bytes()


@pytest.mark.parametrize("flag", ["--split-input-file", "--verify-diagnostics"])
def test_bytecode_is_one_module(
    flag: str, large: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(large), flag, "-o", str(tmp_path / "a.bc")]) == 1
    assert "bytecode is one module" in capsys.readouterr().err


def test_a_file_holds_all_constants_even_from_a_terminal(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    out = tmp_path / "out.mlir"
    assert main([str(large), "-o", str(out)]) == 0
    again = tmp_path / "again.mlir"
    assert main([str(out), "-o", str(again)]) == 0
    assert "0102030405060708090a0b0c0d0e0f1011" in out.read_text()
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("flag", [[], ["--split-input-file"]])
def test_a_failure_leaves_the_output_file_as_it_was(flag: list[str], tmp_path: Path) -> None:
    source, out = tmp_path / "in.mlir", tmp_path / "out.mlir"
    source.write_text(f"module {{}}\n// -----\n{BROKEN}" if flag else BROKEN)
    out.write_text("precious")
    assert main([str(source), "-o", str(out), *flag]) == 1
    assert out.read_text() == "precious"
    assert sorted(tmp_path.iterdir()) == [source, out]


def test_a_failed_verify_is_one_message_about_one_op(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.mlir"
    source.write_text(BROKEN)
    assert main([str(source)]) == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    message, op = streams.err.splitlines()
    assert message.startswith(f"error: func.return ({source}:2:3): ")
    assert op.strip() == "func.return %x : tensor<4xf32>"


def test_unverified_ir_is_printed_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.mlir"
    source.write_text(BROKEN)
    assert main([str(source), "--no-verify"]) == 0
    assert "func.return %x" in capsys.readouterr().out


def test_stdin_is_named_in_messages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("func.func @f(\n"))
    assert main(["-"]) == 1
    assert capsys.readouterr().err.startswith("error: <stdin>:2:1: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"ML\xefR\x0d", "byte 5, header: ends too early"),
        (b"\xff\xfe\x00", "not text"),
        (b"", "Could not parse"),
        (b"\x00" * 64, "error: "),
    ],
)
def test_a_file_that_is_no_ir_is_refused_in_one_line(
    data: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.bc"
    source.write_bytes(data)
    assert main([str(source)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {source}")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("name", ["model.tflite", "model", "mlir"])
def test_an_unknown_suffix_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 1
    assert "expected a .mlir, .bc or .onnx file" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--no-such-flag"], [], ["a.mlir", "b.mlir"], ["-o"]])
def test_a_wrong_command_line_is_one_line(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("shape", ["x", "x=", "=1x2", "x=1xax3", "x=0x3", "x=1x-2"])
def test_a_wrong_input_shape_is_refused(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model.onnx", "--input-shape", shape]) == 1
    assert f"input shape {shape!r}: expected NAME=" in capsys.readouterr().err


def test_every_pass_is_listed_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-passes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    summaries = dict(line.split(": ", 1) for line in lines if re.match(r"[\w-]+: ", line))
    assert sorted(summaries) == sorted(all_passes())
    assert all(summaries.values())


def test_an_onnx_file_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundled = Path(__file__).resolve().parents[3] / "examples" / "mnist" / "model.onnx"
    assert main([str(bundled)]) == 0
    assert "hbir.conv2d" in capsys.readouterr().out
