"""MobileNetV2 (Sandler et al. 2018, table 2)."""

from torch import Tensor, nn
from typing_extensions import override

# expansion, output channels, repeats, stride of the first
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def conv_bn(
    cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True
) -> nn.Sequential:
    """A convolution, its norm and, if asked for, a ReLU6."""
    layers: list[nn.Module] = [
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
    ]
    return nn.Sequential(*layers, *([nn.ReLU6()] if relu else []))


class InvertedResidual(nn.Module):
    """Expand with 1x1, depthwise convolution, project with 1x1; added to the input where it fits.

    kernel: of the depthwise convolution.
    """

    def __init__(self, cin: int, cout: int, stride: int, expansion: int, kernel: int = 3) -> None:
        super().__init__()
        hidden = cin * expansion
        expand = [conv_bn(cin, hidden, 1)] if expansion != 1 else []
        self.body = nn.Sequential(
            *expand,
            conv_bn(hidden, hidden, kernel, stride, groups=hidden),
            conv_bn(hidden, cout, 1, relu=False),
        )
        self.residual = stride == 1 and cin == cout

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return x + y if self.residual else y


def mobilenet_v2(classes: int = 1000) -> nn.Module:
    """MobileNetV2 at width 1.0, ready to be exported."""
    blocks: list[nn.Module] = []
    cin = 32
    for expansion, cout, repeats, stride in STAGES:
        for number in range(repeats):
            blocks.append(InvertedResidual(cin, cout, stride if number == 0 else 1, expansion))
            cin = cout
    return nn.Sequential(
        conv_bn(3, 32, 3, 2),
        *blocks,
        conv_bn(cin, 1280, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(1280, classes),
    ).eval()
