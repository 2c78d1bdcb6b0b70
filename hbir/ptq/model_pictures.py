"""Pictures of a model file for Netron, as hb_model_info and hb_analyzer leave them in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import hbir
from hbir.errors import HbirError
from hbir.files import write_file
from hbir.hbm import Hbm
from hbir.ptq.analyzer import make_folder
from hbir.reports.perf import report_stem
from hbir.reports.prototxt import prototxt

SUFFIXES = (".hbm", ".bc", ".onnx")


def model_pictures(model: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[Path]:
    """What to open in Netron: of a `.bc` `<stem>.onnx`, of a `.hbm` `<graph>.prototxt` per graph,
    both written into `folder`; an `.onnx` is its own.

    Raises HbirError for a file that isn't there or isn't such a model.
    """
    path, out = Path(model), Path(folder)
    if path.suffix not in SUFFIXES:
        raise HbirError(f"{path}: expected one of {', '.join(SUFFIXES)}")
    if path.suffix == ".onnx":
        if not path.is_file():
            raise HbirError(f"{path}: no such file")
        return [path]
    if path.suffix == ".bc":
        module = hbir.load(path)
        make_folder(out)
        return [Path(hbir.visualize(module, out / f"{path.stem}.onnx"))]
    program = Hbm(path).program
    texts = {out / f"{report_stem(g.name)}.prototxt": prototxt(program, g) for g in program.graphs}
    make_folder(out)
    for file, text in texts.items():
        write_file(file, text.encode())
    return list(texts)
