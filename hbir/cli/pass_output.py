"""What hbir-opt shows of a running pipeline, on stderr: the IR after passes, and times."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import StringIO

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.ir.text import print_module
from hbir.passes.manager import PassTime


class PrintIrAfter:
    """Prints the IR after every pass, or only after those that changed it. Constants are elided."""

    def __init__(self, *, only_changes: bool, generic: bool = False) -> None:
        self._only_changes = only_changes
        self._generic = generic
        self._before = ""

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        """Remember what `pass_` was given."""
        if self._only_changes:
            self._before = _fingerprint(module)

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        """Print what `pass_` made."""
        if self._only_changes and _fingerprint(module) == self._before:
            print(f"// IR after {pass_}: no change", file=sys.stderr)
            return
        print(f"// IR after {pass_}:", file=sys.stderr)
        print_module(module, sys.stderr, elide=True, generic=self._generic)


def _fingerprint(module: ModuleOp) -> str:
    """All that a pass may change; large constants count by their handle, which is their hash."""
    stream = StringIO()
    print_module(module, stream)
    return stream.getvalue()


def print_times(times: Sequence[PassTime]) -> None:
    """A table of what each pass run took, verification apart, and the sum."""
    total = sum(time.seconds + time.verify_seconds for time in times)
    print(f"pass times, {total * 1e3:.1f} ms in all", file=sys.stderr)
    print(f"{'pass ms':>10} {'verify ms':>10} {'share':>6}  name", file=sys.stderr)
    for time in times:
        both = time.seconds + time.verify_seconds
        share = both / total if total else 0.0
        columns = f"{time.seconds * 1e3:10.1f} {time.verify_seconds * 1e3:10.1f} {share:6.0%}"
        print(f"{columns}  {time.name}", file=sys.stderr)
