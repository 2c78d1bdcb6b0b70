"""`hbir-opt`: run passes over IR and print it.

Output goes to stdout, or with `-o` to a file: text as `.mlir`, bytecode as `.bc`. Files and pipes
hold everything, constants included; on a terminal, or with --elide, constants above 16 elements are
left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from io import StringIO

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.cli.command import CommandParser, error_text, run_command
from hbir.cli.inputs import SPLIT_MARK, STDIN, input_kind, input_shapes, read_bytes, split_text
from hbir.cli.pass_output import PrintIrAfter, print_times
from hbir.errors import HbirError
from hbir.files import SuffixError, write_file
from hbir.ir.context import HbirContext, make_context
from hbir.ir.storage import module_chunks, module_text, read_module, text_of
from hbir.ir.text import TextError, print_module
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
    add("input", nargs="?", metavar="FILE", help=".mlir, .bc or .onnx; - is stdin")
    add("-o", dest="output", metavar="FILE", help="write a .mlir (text) or .bc (bytecode)")
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
    add("--elide-constants", action="store_true", help="on stdout, leave large constants out")
    add("--print-ir-after-all", action="store_true", help="the IR after each pass, on stderr")
    add("--print-ir-after-change", action="store_true", help="... after passes that changed it")
    add("--time-passes", action="store_true", help="a table of times, on stderr")
    return parser


def _run(options: argparse.Namespace) -> int:
    passes = parse_pipeline(options.pass_pipeline, all_passes(), PIPELINES)
    _check_output(options)
    whole: list[bytes | memoryview] = []
    failed = False
    for index, source in enumerate(_sources(options)):
        mark = f"{SPLIT_MARK}\n" if index else ""
        try:
            chunks = _transform(source, passes, options)
        except HbirError as error:
            message = error_text(error, source.filename)
            if not _is_expected(error, options):
                print(message, file=sys.stderr)
                failed = True
                continue
            chunks = [f"{message}\n".encode()]
        if options.output:
            whole += (mark.encode(), *chunks)
        else:
            sys.stdout.writelines([mark, *(bytes(chunk).decode() for chunk in chunks)])
            sys.stdout.flush()  # in order with what goes to stderr
    if options.output and not failed:
        write_file(options.output, whole)
    return 1 if failed else 0


def _check_output(options: argparse.Namespace) -> None:
    if not options.output:
        return
    if not options.output.endswith(OUTPUT_SUFFIXES):
        raise SuffixError(f"{options.output}: output is a .mlir or .bc file")
    several = options.split_input_file or options.verify_diagnostics or options.parsing_diagnostics
    if options.output.endswith(".bc") and several:
        raise HbirError(f"{options.output}: bytecode is one module, no pieces or diagnostics")


def _is_expected(error: HbirError, options: argparse.Namespace) -> bool:
    if options.verify_diagnostics:
        return True
    return bool(options.parsing_diagnostics) and isinstance(error, TextError)


class _Source:
    """One module to be read: a file, or a piece of one."""

    def __init__(self, filename: str, data: bytes | memoryview | None) -> None:
        self.filename = filename
        self.data = data

    def read(self, options: argparse.Namespace) -> tuple[ModuleOp, HbirContext]:
        """Parse or import it."""
        if self.data is not None:
            context = make_context(allow_unregistered=options.allow_unregistered_dialect)
            return read_module(self.data, context, self.filename), context
        shapes = dict(input_shapes(options.input_shape))
        from hbir.onnx import export

        module = export(self.filename, input_shapes=shapes)
        return module.op, module.context


def _sources(options: argparse.Namespace) -> Iterator[_Source]:
    if input_kind(options.input) == "onnx":
        yield _Source(options.input, None)
        return
    if options.input_shape:
        raise HbirError(f"{options.input}: --input-shape is for .onnx files; IR has its shapes")
    filename = "<stdin>" if options.input == STDIN else options.input
    data = read_bytes(options.input)
    if not options.split_input_file:
        yield _Source(filename, data)
        return
    for piece in split_text(text_of(data, filename)):
        yield _Source(filename, piece.encode())


def _transform(
    source: _Source, passes: Sequence[ModulePass], options: argparse.Namespace
) -> Sequence[bytes | memoryview]:
    """The text or bytecode of `source` after `passes`, as chunks."""
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
    return _rendered(op, context, options)


def _rendered(
    op: ModuleOp, context: HbirContext, options: argparse.Namespace
) -> Sequence[bytes | memoryview]:
    generic, debuginfo = options.print_op_generic, options.print_debuginfo
    if options.output and options.output.endswith(".bc"):
        return module_chunks(op, context.weights)
    if options.output:
        text = module_text(op, context.weights, generic=generic, debuginfo=debuginfo)
        return [text.encode()]
    stream = StringIO()
    print_module(
        op,
        stream,
        context.weights,
        elide=options.elide_constants or sys.stdout.isatty(),
        lenient=True,
        generic=generic,
        debuginfo=debuginfo,
    )
    return [stream.getvalue().encode()]


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
