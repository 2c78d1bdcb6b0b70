"""Renders the reference pages of docs/ from the code they describe.

    python tools/render_docs.py            write the pages
    python tools/render_docs.py --check    exit 1 when one is stale

docs/passes.md comes from the pass registry, docs/operators.md from the dialects, the BPU
constraints' docstrings and the frontend's table. A unit test runs the check.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from xdsl.ir import Dialect, Operation
from xdsl.passes import get_pass_option_infos

from hbir.dialects import all_dialects
from hbir.files import write_file
from hbir.frontends.onnx.registry import import_functions
from hbir.frontends.torch.cpu import cpu_functions
from hbir.frontends.torch.registry import import_functions as torch_import_functions
from hbir.passes import PHASES, load_pass, pass_modules
from hbir.passes.constraints import constraints_by_op, cure_of, rule_of
from hbir.passes.constraints.float16 import FLOAT16_CONSTRAINTS

DOCS = Path(__file__).resolve().parent.parent / "docs"

_GENERATED = "<!-- Written by tools/render_docs.py; change the code's docstrings instead. -->\n"


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring on one line."""
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())


def render_passes() -> str:
    """docs/passes.md: every pass by phase, what it does and its options."""
    lines = ["# Passes", "", _GENERATED]
    lines += [
        "`hbir-opt FILE --pass-pipeline='a,b{option=1}'` runs them; `hbir-opt --list-passes`",
        "prints this list. The pipelines that `calibrate`, `convert` and `compile` run are in",
        "`hbir/passes/pipelines.py`.",
        "",
    ]
    for phase in PHASES:
        lines += [f"## {phase}", "", "| pass | does | options |", "| --- | --- | --- |"]
        lines += list(_pass_rows(phase))
        lines.append("")
    return "\n".join(lines)


def _pass_rows(phase: str) -> Iterator[str]:
    for name, module in pass_modules().items():
        if module.split(".")[2] != phase:
            continue
        kind = load_pass(name)
        options = ", ".join(
            f"`{info.name}` ({_cell(info.expected_type)})" for info in get_pass_option_infos(kind)
        )
        doc = kind.__doc__ or inspect.getdoc(sys.modules[kind.__module__])
        yield f"| `{name}` | {_cell(first_paragraph(doc))} | {options} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def render_operators() -> str:
    """docs/operators.md: the float ops with their BPU constraints, and what the frontend takes."""
    lines = ["# Operators", "", _GENERATED]
    lines += [
        "## On the BPU",
        "",
        "An op that breaks a constraint runs on the CPU (`hbtl.call`), and its `reason` says so.",
        "",
        "| op | does | constraints |",
        "| --- | --- | --- |",
    ]
    constraints = constraints_by_op()
    for op in _operations("hbir"):
        if op in constraints:
            rules = "; ".join(rule_of(rule) for rule in constraints[op]) or "none"
            lines.append(f"| `{op.name}` | {_cell(first_paragraph(op.__doc__))} | {_cell(rules)} |")
    lines += ["", *_float16_rules()]
    lines += [
        "",
        "## From ONNX",
        "",
        "Nodes of these types get hbir's own ops (opset 9 to the newest). Any other node of the",
        "standard domain that `onnx.reference` can evaluate becomes a CPU op; the rest is refused",
        "by name.",
        "",
        ", ".join(f"`{name}`" for name in import_functions()),
        "",
        "## From PyTorch",
        "",
        "ATen operators that get hbir's own ops, whole; torch decomposes the others into these as",
        "far as it can. Those of the second list run on the CPU where the first has no form for a",
        "node. The rest is refused by name.",
        "",
        _overloads(torch_import_functions()),
        "",
        f"On the CPU: {_overloads(cpu_functions())}",
        "",
    ]
    for dialect, title in (("qnt", "Quantization"), ("bpu", "Integer"), ("hbtl", "CPU")):
        lines += [f"## {title} ops (`{dialect}`)", "", "| op | does |", "| --- | --- |"]
        lines += [
            f"| `{op.name}` | {_cell(first_paragraph(op.__doc__))} |" for op in _operations(dialect)
        ]
        lines.append("")
    return "\n".join(lines)


def _float16_rules() -> Iterator[str]:
    yield "### In float16"
    yield ""
    yield "On marches that have it, ops read float16 wherever they read a tensor, but for:"
    yield ""
    yield "| op | constraint | cure |"
    yield "| --- | --- | --- |"
    for op, rule in FLOAT16_CONSTRAINTS.items():
        yield f"| `{op.name}` | {_cell(rule_of(rule))} | {_cell(cure_of(rule))} |"


def _overloads(names: Iterable[str]) -> str:
    """ATen operators, each once, without their overloads."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(n.partition(".")[0] for n in names))


def _operations(dialect: str) -> list[type[Operation]]:
    loaded: Dialect = all_dialects()[dialect]()
    return sorted(loaded.operations, key=lambda op: op.name)


PAGES: dict[str, Callable[[], str]] = {
    "passes.md": render_passes,
    "operators.md": render_operators,
}


def stale_pages() -> list[str]:
    """The pages whose file doesn't say what the code says."""
    return [
        name
        for name, render in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text() != render()
    ]


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    stale = stale_pages()
    if parser.parse_args().check:
        for name in stale:
            print(f"docs/{name} is stale; run python tools/render_docs.py")
        return 1 if stale else 0
    for name in stale:
        write_file(DOCS / name, PAGES[name]().encode())
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
