"""`hbir-opt`: run passes over IR and print it.

Output goes to stdout, or with `-o` to a file that holds everything, constants included. On a
terminal constants above 16 elements are elided; into a pipe they are printed as
`dense_resource<hash>` without their bytes, which is what tests compare and people read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from io import StringIO

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.cli.command import CommandParser, error_text, run_command
from hbir.cli.inputs import SPLIT_MARK, STDIN, input_kind, input_shapes, read_text, split_text
from hbir.cli.pass_output import PrintIrAfter, print_times
from hbir.errors import HbirError
from hbir.files import SuffixError, write_file
from hbir.ir.context import HbirContext, make_context
from hbir.ir.text import TextError, parse_module, print_module
from hbir.ir.verify import verify_module
from hbir.passes import all_passes
from hbir.passes.manager import PassListener, PassManager, parse_pipeline, pass_options
from hbir.passes.pipelines import PIPELINES

OUTPUT_SUFFIXES = (".mlir", ".bc")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = _argument_parser()
    options = parser.parse_args(argv)
    if options.list_passes:
        return run_command(_list_passes)
    if options.input is None:
        parser.error("the file to read is missing (- is stdin)")
    return run_command(lambda: _run(options))


def _argument_parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="hbir-opt", description="Run passes over IR and print it.")
    add = parser.add_argument
    add("input", nargs="?", metavar="FILE", help=".mlir, .bc or .onnx; - is text on stdin")
    add("-o", dest="output", metavar="FILE", help="write a .mlir or .bc, constants included")
    add(
        "-p",
        "--pass-pipeline",
        default="",
        metavar="'a,b{opt=1 other=2}'",
        help="passes to run",
    )
    add("--list-passes", action="store_true", help="the passes, their options, and pipelines")
    add(
        "--input-shape",
        action="append",
        default=[],
        metavar="NAME=1x3x224x224",
        help="fix a dynamic input of an .onnx file (may be repeated)",
    )
    add("--split-input-file", action="store_true", help=f"each piece between '{SPLIT_MARK}' alone")
    add("--verify-diagnostics", action="store_true", help="print errors as output; exit with 0")
    add("--parsing-diagnostics", action="store_true", help="the same for errors of the text only")
    add("--no-verify", action="store_true", help="verify neither the input nor after the passes")
    add("--allow-unregistered-dialect", action="store_true", help="accept ops of any dialect")
    add("--print-op-generic", action="store_true", help="print the generic form")
    add("--print-debuginfo", action="store_true", help="print locations")
    add("--print-ir-after-all", action="store_true", help="the IR after each pass, on stderr")
    add("--print-ir-after-change", action="store_true", help="... after passes that changed it")
    add("--time-passes", action="store_true", help="a table of times, on stderr")
    return parser


def _run(options: argparse.Namespace) -> int:
    passes = parse_pipeline(options.pass_pipeline, all_passes(), PIPELINES)
    if options.output and not options.output.endswith(OUTPUT_SUFFIXES):
        raise SuffixError(f"{options.output}: output is a .mlir or .bc file")
    whole: list[str] = []
    failed = False
    for index, source in enumerate(_sources(options)):
        mark = f"{SPLIT_MARK}\n" if index else ""
        try:
            text = _transform(source, passes, options)
        except HbirError as error:
            message = error_text(error, source.filename)
            if not _is_expected(error, options):
                print(message, file=sys.stderr)
                failed = True
                continue
            text = f"{message}\n"
        if options.output:
            whole.append(mark + text)
        else:
            sys.stdout.write(mark + text)
            sys.stdout.flush()  # in order with what goes to stderr
    if options.output and not failed:
        write_file(options.output, "".join(whole).encode())
    return 1 if failed else 0


def _is_expected(error: HbirError, options: argparse.Namespace) -> bool:
    if options.verify_diagnostics:
        return True
    return bool(options.parsing_diagnostics) and isinstance(error, TextError)


class _Source:
    """One module to be read: a file, or a piece of one."""

    def __init__(self, filename: str, text: str | None) -> None:
        self.filename = filename
        self.text = text

    def read(self, options: argparse.Namespace) -> tuple[ModuleOp, HbirContext]:
        """Parse or import it."""
        if self.text is not None:
            context = make_context(allow_unregistered=options.allow_unregistered_dialect)
            return parse_module(self.text, context, self.filename), context
        shapes = dict(input_shapes(options.input_shape))
        from hbir.onnx import export

        module = export(self.filename, input_shapes=shapes)
        return module.op, module.context


def _sources(options: argparse.Namespace) -> Iterator[_Source]:
    if input_kind(options.input) == "onnx":
        yield _Source(options.input, None)
        return
    if options.input_shape:
        raise HbirError(f"{options.input}: --input-shape is for .onnx files; text has its shapes")
    filename = "<stdin>" if options.input == STDIN else options.input
    text = read_text(options.input)
    for piece in split_text(text) if options.split_input_file else [text]:
        yield _Source(filename, piece)


def _transform(source: _Source, passes: Sequence[ModulePass], options: argparse.Namespace) -> str:
    """The text of `source` after `passes`."""
    op, context = source.read(options)
    if not options.no_verify:
        verify_module(op)
    listeners: list[PassListener] = []
    if options.print_ir_after_all or options.print_ir_after_change:
        only_changes = not options.print_ir_after_all
        listeners.append(PrintIrAfter(only_changes=only_changes, generic=options.print_op_generic))
    manager = PassManager(passes, listeners=listeners, verify=not options.no_verify)
    try:
        manager.run(context, op)
    finally:
        if options.time_passes:
            print_times(manager.times)
    stream = StringIO()
    print_module(
        op,
        stream,
        context.weights if options.output else None,
        elide=not options.output and sys.stdout.isatty(),
        generic=options.print_op_generic,
        debuginfo=options.print_debuginfo,
    )
    return stream.getvalue()


def _list_passes() -> int:
    for name, factory in sorted(all_passes().items()):
        pass_type = factory()
        print(f"{name}: {_summary(pass_type)}")
        for option, type_ in pass_options(pass_type):
            print(f"    {option.replace('_', '-')}: {type_}")
    for name, names in PIPELINES.items():
        print(f"{name} = {','.join(names)}")
    return 0


def _summary(pass_type: type[ModulePass]) -> str:
    """The first line of the pass's docstring, else of its module's."""
    text = pass_type.__dict__.get("__doc__") or ""
    if not text or text.startswith(f"{pass_type.__name__}("):  # dataclass makes one up
        text = sys.modules[pass_type.__module__].__doc__ or ""
    return text.strip().split("\n", 1)[0]
