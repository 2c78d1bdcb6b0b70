"""`onnx_text.py TEST.mlir OUT.onnx`: the model that a test holds in ONNX's own text form.

Lines that begin with // are the test's; the rest is parsed by onnx.parser.
"""

import sys
from pathlib import Path
from typing import Any

import onnx
from onnx import parser

if __name__ == "__main__":
    source, target = sys.argv[1:]
    lines = Path(source).read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("//"))
    library: Any = onnx  # its `save` is typed only in part
    library.save(parser.parse_model(text), target)
