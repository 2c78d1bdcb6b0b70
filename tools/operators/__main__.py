"""Runs the operator cases and writes docs/supported-operators.json and .md.

python -m tools.operators            run the cases (about a minute), write both
python -m tools.operators --page     write the page alone, from the record
"""

from __future__ import annotations

import argparse
import sys

from hbir.files import write_file
from tools.operators.onnx_on_cpu import operators_on_cpu
from tools.operators.page import (
    PAGE,
    RECORD,
    marches_of_types,
    read_record,
    record_text,
    render,
)
from tools.operators.record import onnx_subjects, record, torch_subjects


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--page", action="store_true", help="write the page from the record")
    if not parser.parse_args().page:
        found = {
            "types": marches_of_types(),
            "onnx": record(onnx_subjects()),
            "torch": record(torch_subjects()),
            "onnx_cpu": operators_on_cpu(),
        }
        write_file(RECORD, record_text(found).encode())
    write_file(PAGE, render(read_record()).encode())
    print(f"wrote docs/{RECORD.name} and docs/{PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
