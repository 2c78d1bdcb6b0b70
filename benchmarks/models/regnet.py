"""RegNetY-400MF (Radosavovic et al. 2020): bottlenecks of grouped convolutions, squeeze-excite."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import SqueezeExcite, classifier, conv_bn

# output channels, depth
STAGES = ((48, 1), (104, 3), (208, 6), (440, 6))
GROUP_WIDTH = 8


class Block(nn.Module):
    """1x1, grouped 3x3, squeeze-excite, 1x1 without a bottleneck's narrowing, and a shortcut."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(cin, cout, 1),
            conv_bn(cout, cout, 3, stride, cout // GROUP_WIDTH),
            SqueezeExcite(cout, cin // 4),
            conv_bn(cout, cout, 1, activation=None),
        )
        self.shortcut = (
            conv_bn(cin, cout, 1, stride, activation=None)
            if stride != 1 or cin != cout
            else nn.Identity()
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.shortcut(x) + self.body(x))


def regnet(classes: int = 1000) -> nn.Module:
    """RegNetY-400MF, ready to be exported."""
    blocks: list[nn.Module] = [conv_bn(3, 32, stride=2)]
    cin = 32
    for cout, depth in STAGES:
        for number in range(depth):
            blocks.append(Block(cin, cout, 2 if number == 0 else 1))
            cin = cout
    return nn.Sequential(*blocks, classifier(cin, classes)).eval()
