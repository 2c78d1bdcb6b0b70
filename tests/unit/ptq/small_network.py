"""A small network as an ONNX file, data for it, and a YAML file: what hb_compile's tests start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

SHAPE = (1, 3, 8, 8)
Changes = Mapping[str, Mapping[str, Any]]


def write_network(
    path: Path,
    inputs: Mapping[str, Sequence[int | str]] | None = None,
    elem_type: int = TensorProto.FLOAT,
    last: str = "Sigmoid",
) -> Path:
    """Per input a convolution, a Relu and a global average; their sum goes through a Sigmoid, or
    another operator.

    Nodes are Conv_<input>, Relu_<input>, Mean_<input>, Sum and Sigmoid; the output is `y`.
    """
    generator = np.random.default_rng(0)
    given = inputs or {"x": SHAPE}
    nodes: list[onnx.NodeProto] = []
    weights: list[TensorProto] = []
    means: list[str] = []
    for name in given:
        weight = generator.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"{name}.weight"))
        source = name
        if elem_type != TensorProto.FLOAT:
            source = f"{name}.float"
            nodes.append(helper.make_node("Cast", [name], [source], f"Cast_{name}", to=1))
        for kind, read, made in (
            ("Conv", [source, f"{name}.weight"], f"{name}.conv"),
            ("Relu", [f"{name}.conv"], f"{name}.relu"),
            ("GlobalAveragePool", [f"{name}.relu"], f"{name}.mean"),
        ):
            title = "Mean" if kind == "GlobalAveragePool" else kind
            pads: dict[str, Any] = {"pads": [1, 1, 1, 1]} if kind == "Conv" else {}
            nodes.append(helper.make_node(kind, read, [made], f"{title}_{name}", **pads))
        means.append(f"{name}.mean")
    nodes.append(helper.make_node("Sum", means, ["sum"], "Sum"))
    nodes.append(helper.make_node(last, ["sum"], ["y"], last))
    ports = [helper.make_tensor_value_info(n, elem_type, s) for n, s in given.items()]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "small", ports, [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def write_data(folder: Path, count: int = 3, shape: Sequence[int] = SHAPE) -> Path:
    """`count` .npy files of normal numbers."""
    folder.mkdir()
    generator = np.random.default_rng(1)
    for index in range(count):
        np.save(folder / f"{index}.npy", generator.normal(size=shape).astype(np.float32))
    return folder


BASE: dict[str, dict[str, Any]] = {
    "model_parameters": {
        "onnx_model": "net.onnx",
        "march": "nash-e",
        "working_dir": "out",
        "output_model_file_prefix": "net",
    },
    "input_parameters": {"input_type_rt": "featuremap", "input_type_train": "featuremap"},
    "calibration_parameters": {"cal_data_dir": "data", "calibration_type": "max"},
    "compiler_parameters": {"optimize_level": "O0"},
}


def write_config(folder: Path, changes: Changes | None = None) -> Path:
    """The base configuration with changed keys per section; None removes a key."""
    document: dict[str, dict[str, Any]] = {}
    wanted = changes or {}
    for section in [*BASE, *(name for name in wanted if name not in BASE)]:
        merged: dict[str, Any] = {**BASE.get(section, {}), **wanted.get(section, {})}
        document[section] = {key: value for key, value in merged.items() if value is not None}
    file = folder / "net.yaml"
    file.write_text(yaml.safe_dump(document))
    return file
