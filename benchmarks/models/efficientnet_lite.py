"""EfficientNet-Lite 0 to 4: EfficientNet without squeeze-and-excite, ReLU6 for swish, and the stem
and the head not scaled (TensorFlow TPU repository, `efficientnet/lite`).

EfficientNet-B0 with ReLU and without squeeze-and-excite, as the HEAL model card times it, is the
same graph as Lite 0.
"""

import math

from torch import nn

from benchmarks.models.mobilenet_v2 import InvertedResidual, conv_bn

# repeats, kernel, stride of the first, expansion, output channels (EfficientNet-B0, table 1)
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# width multiplier, depth multiplier, image size
VARIANTS = ((1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 280), (1.4, 1.8, 300))
STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
CHANNEL_DIVISOR = 8


def _channels(channels: int, width: float) -> int:
    scaled = channels * width
    rounded = max(CHANNEL_DIVISOR, int(scaled + CHANNEL_DIVISOR / 2) // CHANNEL_DIVISOR * 8)
    return rounded + CHANNEL_DIVISOR if rounded < 0.9 * scaled else rounded


def image_size(variant: int) -> int:
    """Height and width that variant `variant` is made for."""
    return VARIANTS[variant][2]


def efficientnet_lite(variant: int, classes: int = 1000) -> nn.Module:
    """EfficientNet-Lite `variant`, ready to be exported."""
    width, depth, _ = VARIANTS[variant]
    blocks: list[nn.Module] = []
    cin = STEM_CHANNELS
    for number, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        cout = _channels(channels, width)
        # The first and the last stage keep their depth.
        scaled = repeats if number in (0, len(STAGES) - 1) else math.ceil(repeats * depth)
        for repeat in range(scaled):
            block_stride = stride if repeat == 0 else 1
            blocks.append(InvertedResidual(cin, cout, block_stride, expansion, kernel))
            cin = cout
    return nn.Sequential(
        conv_bn(3, STEM_CHANNELS, 3, 2),
        *blocks,
        conv_bn(cin, HEAD_CHANNELS, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(HEAD_CHANNELS, classes),
    ).eval()
