"""The YAML files of the acceptance run, and their networks and data.

Two follow published examples, one the older generation's template: its march, deprecated keys, `;`
and empty texts for what isn't said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from tests.models import mobilenetv2, ppocr
from tests.models.photos import calibration_photos

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

SAMPLES = 8

DETECTION = """
model_parameters:
  onnx_model: "{model}"
  march: "nash-e"
  layer_out_dump: False
  working_dir: "out"
  output_model_file_prefix: "{name}"
  remove_node_type: "Dequantize"
input_parameters:
  input_name: "x"
  input_type_rt: "nv12"
  input_type_train: "bgr"
  input_layout_train: "NCHW"
  input_shape: "1x3x320x320"
  mean_value: "123.675 116.28 103.53"
  scale_value: "0.01712475 0.017507 0.01742919"
calibration_parameters:
  cal_data_dir: "data"
  calibration_type: "default"
compiler_parameters:
  compile_mode: "latency"
  debug: True
  optimize_level: "O2"
"""

RECOGNITION = """
model_parameters:
  onnx_model: "{model}"
  march: "nash-e"
  working_dir: "out"
  output_model_file_prefix: "{name}"
  node_info: {{"{softmax}": {{"ON": "BPU", "InputType": "int16", "OutputType": "int16"}}}}
input_parameters:
  input_name: "x"
  input_type_rt: "featuremap"
  input_type_train: "featuremap"
  input_shape: "1x3x48x320"
calibration_parameters:
  cal_data_dir: "data"
  calibration_type: "default"
  optimization: "set_all_nodes_int16"
compiler_parameters:
  compile_mode: "latency"
  optimize_level: "O2"
"""

CLASSIFIER = """
# As the older generation's template has it.
model_parameters:
  onnx_model: '{model}'
  march: "bernoulli2"
  layer_out_dump: False
  log_level: 'debug'
  working_dir: 'out'
  output_model_file_prefix: '{name}'
input_parameters:
  input_name: ""
  input_type_rt: 'nv12;'
  input_layout_rt: ''
  input_type_train: 'rgb;'
  input_layout_train: 'NCHW;'
  input_shape: ''
  norm_type: 'data_mean_and_scale'
  mean_value: '123.675 116.28 103.53'
  scale_value: '0.01712475 0.017507 0.01742919'
calibration_parameters:
  cal_data_dir: 'data'
  preprocess_on: False
  calibration_type: 'max'
  max_percentile: 0.9999
compiler_parameters:
  compile_mode: 'latency'
  debug: False
  optimize_level: 'O3'
"""


@dataclass(frozen=True)
class Network:
    """A network of the run."""

    name: str
    config: str
    model: Callable[[Path], Path]
    data: Callable[[], Sequence[Array]]
    shapes: tuple[tuple[str, str], ...] = ()
    """`--input-shape` where the file leaves its inputs open."""

    def write(self, folder: Path) -> Path:
        """The network, its data and its YAML file in a folder; returns the YAML's path."""
        folder.mkdir(parents=True, exist_ok=True)
        model = self.model(folder)
        (folder / "data").mkdir(exist_ok=True)
        for index, array in enumerate(self.data()):
            np.save(folder / "data" / f"{index}.npy", array)
        names = {"model": model.name, "name": self.name, "softmax": _softmax(model)}
        path = folder / f"{self.name}.yaml"
        path.write_text(self.config.format(**names))
        return path


def _softmax(model: Path) -> str:
    """The name of the model's last Softmax; its first node's where it has none."""
    nodes = onnx.ModelProto.FromString(model.read_bytes()).graph.node
    found = [node.name for node in nodes if node.op_type == "Softmax"]
    return found[-1] if found else nodes[0].name


def _copied(source: Callable[[], Path]) -> Callable[[Path], Path]:
    def copy(folder: Path) -> Path:
        target = folder / "model.onnx"
        target.write_bytes(source().read_bytes())
        return target

    return copy


def _mobilenet(folder: Path) -> Path:
    target = folder / "model.onnx"
    target.write_bytes(mobilenetv2.build().SerializeToString())
    return target


NETWORKS = (
    Network(
        "direction",
        DETECTION.replace("1x3x320x320", "1x3x48x192")
        .replace("123.675 116.28 103.53", "127.5")
        .replace("0.01712475 0.017507 0.01742919", "0.00784313725"),
        _copied(ppocr.DIRECTION["v4"].path),
        lambda: ppocr.direction_lines(SAMPLES, 0)[0],
        (("x", "1x3x48x192"),),
    ),
    Network(
        "detection",
        DETECTION,
        _copied(ppocr.DETECTION["v4"].path),
        lambda: ppocr.detection_pages(SAMPLES, 0),
        (("x", "1x3x320x320"),),
    ),
    Network(
        "recognition",
        RECOGNITION,
        _copied(ppocr.RECOGNITION["v4"].path),
        lambda: ppocr.recognition_lines(SAMPLES, 0)[0],
        (("x", "1x3x48x320"),),
    ),
    Network(
        "mobilenetv2",
        CLASSIFIER,
        _mobilenet,
        lambda: calibration_photos()[:SAMPLES],
    ),
)
