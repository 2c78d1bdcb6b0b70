"""The public entry points."""

from pathlib import Path
from typing import Any

import onnx
import pytest

import hbir.onnx
from hbir.errors import HbirError
from tests.unit.frontends.onnx.oracle import model_of, node, random

_onnx: Any = onnx  # its `save` is typed only in part


def model() -> onnx.ModelProto:
    nodes = [node("Conv", ["x", "w"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"])]
    return model_of(nodes, {"x": (1, 3, "h", 8)}, ["y"], {"w": random(4, 3, 3, 3)})


def test_export_takes_protos_and_paths(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    _onnx.save(model(), path)
    shapes = {"x": (1, 3, 6, 8)}
    texts = {
        hbir.onnx.export(source, input_shapes=shapes).asm(elide=False)
        for source in (model(), path, str(path))
    }
    assert len(texts) == 1


def test_export_gives_a_float_module() -> None:
    module = hbir.onnx.export(model(), "main", input_shapes=(1, 3, 6, 8))
    assert (module.level, module.march, module.functions[0].name) == ("float", None, "main")


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    _onnx.save(model(), path)
    with pytest.raises(HbirError) as error:
        hbir.onnx.export(path)
    assert str(error.value).startswith(str(path))


def test_statistics_counts_operators() -> None:
    assert hbir.onnx.statistics(model()) == {"Conv": 1, "Relu": 2}
