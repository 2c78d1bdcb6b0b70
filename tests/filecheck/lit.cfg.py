"""Plain lit over the FileCheck tests: `make lit`. pytest runs the same files in its own process."""

import os
import sys
from pathlib import Path

import lit.formats

HERE = Path(__file__).resolve().parent

config.name = "hbir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = str(HERE)
config.test_exec_root = str(HERE.parents[1] / "build" / "lit")
# hbir-opt, filecheck and the rest stand beside the Python that runs lit
config.environment["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), config.environment["PATH"]]
)
config.environment["OMP_NUM_THREADS"] = "1"
