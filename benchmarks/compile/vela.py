"""The peer: ethos-u-vela 5.2.0 in a virtual environment of its own.

Its inputs are fully integer TFLite files of the two networks, 224x224, random weights: data beside
the project, not in it. They were made from torchvision-shaped modules by litert-torch 0.10.0 and
ai-edge-quantizer 0.10.0 (`recipe.static_wi8_ai8()`); vela places every op of them on the NPU.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VELA_MODELS_VARIABLE = "HBIR_VELA_MODELS"
MODELS = Path(os.environ.get(VELA_MODELS_VARIABLE, ROOT.parent / "shared" / "data" / "vela"))
"""Folder of NAME.int8.tflite."""

ENVIRONMENT = ROOT / ".venv-vela"

REQUIREMENT = "ethos-u-vela==5.2.0"
ACCELERATOR = "ethos-u85-1024"


def vela_command(environment: Path) -> str:
    """Path of the `vela` command in `environment`, which is made and filled when it isn't there.

    Raises subprocess.CalledProcessError when pip can't install it.
    """
    command = environment / "bin" / "vela"
    if not command.exists():
        print(f"installing {REQUIREMENT} into {environment}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", REQUIREMENT]
        subprocess.run(pip, check=True)
    return str(command)


def vela_arguments(command: str, tflite: Path, output: Path) -> list[str]:
    """The command line that compiles `tflite` into the folder `output`."""
    return [
        command,
        "--accelerator-config",
        ACCELERATOR,
        "--output-dir",
        str(output),
        str(tflite),
    ]
