"""GhostNet (Han et al. 2020, table 1, at a reduced depth): half of the features are cheap."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import SqueezeExcite, classifier, conv_bn

# kernel, hidden channels, output channels, squeeze-excite, stride
BLOCKS = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, True, 1),
)


class Ghost(nn.Module):
    """A convolution for half of the channels, a depthwise one of these for the other half."""

    def __init__(self, cin: int, cout: int, relu: bool) -> None:
        super().__init__()
        activation = nn.ReLU if relu else None
        self.primary = conv_bn(cin, cout // 2, 1, activation=activation)
        self.cheap = conv_bn(cout // 2, cout // 2, 3, groups=cout // 2, activation=activation)

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = self.primary(x)
        return torch.cat([y, self.cheap(y)], 1)


class Block(nn.Module):
    """Ghost, depthwise convolution where it strides, squeeze-excite, ghost, and a shortcut."""

    def __init__(self, cin: int, row: tuple[int, int, int, bool, int]) -> None:
        super().__init__()
        kernel, hidden, cout, excite, stride = row
        layers: list[nn.Module] = [Ghost(cin, hidden, relu=True)]
        if stride > 1:
            layers.append(conv_bn(hidden, hidden, kernel, stride, hidden, activation=None))
        if excite:
            layers.append(SqueezeExcite(hidden, hidden // 4, gate=nn.Hardsigmoid))
        self.body = nn.Sequential(*layers, Ghost(hidden, cout, relu=False))
        self.shortcut = nn.Sequential()
        if stride > 1 or cin != cout:
            self.shortcut = nn.Sequential(
                conv_bn(cin, cin, kernel, stride, cin, activation=None),
                conv_bn(cin, cout, 1, activation=None),
            )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


def ghostnet(classes: int = 1000) -> nn.Module:
    """A GhostNet, ready to be exported."""
    blocks: list[nn.Module] = [conv_bn(3, 16, stride=2)]
    cin = 16
    for row in BLOCKS:
        blocks.append(Block(cin, row))
        cin = row[2]
    return nn.Sequential(*blocks, conv_bn(cin, 960, 1), classifier(960, classes)).eval()
