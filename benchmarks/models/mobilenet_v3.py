"""MobileNetV3-Small (Howard et al. 2019, table 2): hard swish, squeeze-excite with a hard gate."""

from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import SqueezeExcite, conv_bn

# kernel, hidden channels, output channels, squeeze-excite, hard swish, stride
BLOCKS = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)


class Block(nn.Module):
    """Expand, depthwise convolution, squeeze-excite, project; added to the input where it fits."""

    def __init__(self, cin: int, row: tuple[int, int, int, bool, bool, int]) -> None:
        super().__init__()
        kernel, hidden, cout, excite, hard, stride = row
        activation = nn.Hardswish if hard else nn.ReLU
        layers: list[nn.Module] = []
        if hidden != cin:
            layers.append(conv_bn(cin, hidden, 1, activation=activation))
        layers.append(conv_bn(hidden, hidden, kernel, stride, hidden, activation=activation))
        if excite:
            layers.append(SqueezeExcite(hidden, hidden // 4, gate=nn.Hardsigmoid))
        layers.append(conv_bn(hidden, cout, 1, activation=None))
        self.body = nn.Sequential(*layers)
        self.residual = stride == 1 and cin == cout

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


def mobilenet_v3(classes: int = 1000) -> nn.Module:
    """MobileNetV3-Small at width 1.0, ready to be exported."""
    blocks: list[nn.Module] = [conv_bn(3, 16, stride=2, activation=nn.Hardswish)]
    cin = 16
    for row in BLOCKS:
        blocks.append(Block(cin, row))
        cin = row[2]
    return nn.Sequential(
        *blocks,
        conv_bn(cin, 576, 1, activation=nn.Hardswish),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(576, 1024),
        nn.Hardswish(),
        nn.Dropout(0.2),
        nn.Linear(1024, classes),
    ).eval()
