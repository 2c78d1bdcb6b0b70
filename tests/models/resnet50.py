"""A ResNet-50-shaped ONNX model: the published topology, random weights, settled batch norms.

For bits, time and memory, not for accuracy: the weights are He-initialised noise. The shape is
torchvision's (stride on the 3x3 of a bottleneck): 53 convolutions each with a batch norm, 16
residual adds, max pooling, a global average and a 1000-class linear head; 25.5 M weights, 4.1 G
multiply-adds.

`python -m tests.models.resnet50 OUT.onnx` writes it.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tests.models.onnx_builder import OnnxBuilder, settle_batch_norms, write_model

INPUT_NAME = "image"
OUTPUT_NAME = "logits"
INPUT_SHAPE = (1, 3, 224, 224)
CLASSES = 1000
SEED = 50
EXPANSION = 4
# (bottleneck width, number of blocks, stride of the first block)
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


def build(input_shape: tuple[int, int, int, int] = INPUT_SHAPE) -> onnx.ModelProto:
    """The model for `image` of `input_shape` (N,3,H,W) and `logits` (N,1000), always the same."""
    generator = np.random.default_rng(SEED)
    builder = OnnxBuilder("resnet50")
    x = builder.input(INPUT_NAME, input_shape)
    x = _conv_bn(builder, generator, x, "conv1", 3, 64, kernel=7, stride=2)
    x = builder.node("Relu", "relu1", [x])
    x = builder.node(
        "MaxPool", "maxpool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    )
    channels = 64
    for stage, (width, blocks, first_stride) in enumerate(STAGES, start=1):
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            x = _bottleneck(builder, generator, x, f"layer{stage}.{block}", channels, width, stride)
            channels = width * EXPANSION
    x = builder.node("GlobalAveragePool", "avgpool", [x])
    x = builder.node("Flatten", "flatten", [x], axis=1)
    weight = generator.standard_normal((CLASSES, channels), np.float32) / np.sqrt(channels)
    head = [
        builder.weight("fc.weight", weight.astype(np.float32)),
        builder.weight("fc.bias", np.zeros(CLASSES, np.float32)),
    ]
    builder.node("Gemm", OUTPUT_NAME, [x, *head], transB=1)
    builder.output(OUTPUT_NAME, (input_shape[0], CLASSES))
    model = builder.model()
    noise = generator.standard_normal((4, *input_shape[1:]), np.float32)
    settle_batch_norms(model, {INPUT_NAME: noise})
    return model


def noise_images(count: int, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """`count` images (count,3,224,224) of unit normal noise, as the batch norms are settled on."""
    shape = (count, *INPUT_SHAPE[1:])
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _conv_bn(
    builder: OnnxBuilder,
    generator: np.random.Generator,
    x: str,
    name: str,
    cin: int,
    cout: int,
    kernel: int,
    stride: int = 1,
) -> str:
    """Convolution with He-normal weights, then a batch norm with a scale around 1."""
    deviation = np.sqrt(2 / (cin * kernel * kernel))
    weight = generator.standard_normal((cout, cin, kernel, kernel), np.float32) * deviation
    x = builder.conv(x, name, weight.astype(np.float32), stride)
    return builder.batch_norm(
        x,
        f"{name}.bn",
        scale=generator.uniform(0.5, 1.5, cout).astype(np.float32),
        bias=generator.normal(0, 0.1, cout).astype(np.float32),
        mean=np.zeros(cout, np.float32),
        variance=np.ones(cout, np.float32),
    )


def _bottleneck(
    builder: OnnxBuilder,
    generator: np.random.Generator,
    x: str,
    name: str,
    cin: int,
    width: int,
    stride: int,
) -> str:
    """1x1, 3x3 (strided) and 1x1 convolutions beside an identity or a 1x1 projection."""
    cout = width * EXPANSION
    shortcut = x
    if stride != 1 or cin != cout:
        shortcut = _conv_bn(builder, generator, x, f"{name}.downsample", cin, cout, 1, stride)
    y = _conv_bn(builder, generator, x, f"{name}.conv1", cin, width, 1)
    y = builder.node("Relu", f"{name}.relu1", [y])
    y = _conv_bn(builder, generator, y, f"{name}.conv2", width, width, 3, stride)
    y = builder.node("Relu", f"{name}.relu2", [y])
    y = _conv_bn(builder, generator, y, f"{name}.conv3", width, cout, 1)
    y = builder.node("Add", f"{name}.add", [y, shortcut])
    return builder.node("Relu", f"{name}.relu3", [y])


def main(arguments: list[str]) -> None:
    """Write the model to the one path given."""
    if len(arguments) != 1:
        sys.exit("usage: python -m tests.models.resnet50 OUT.onnx")
    write_model(build(), Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
