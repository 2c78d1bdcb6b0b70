"""ShuffleNetV2 x1.0 (Ma et al. 2018, table 5): channel split, concat and shuffle."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import classifier, conv_bn

# output channels, repeats
STAGES = ((116, 4), (232, 8), (464, 4))


def shuffle(x: Tensor, groups: int = 2) -> Tensor:
    """The channels of `groups` groups in turn."""
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class Block(nn.Module):
    """Half of the channels pass; with stride 2 both halves are convolved."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        width, self.stride = cout // 2, stride
        branch = cin if stride == 2 else width
        self.right = nn.Sequential(
            conv_bn(branch, width, 1),
            conv_bn(width, width, 3, stride, width, activation=None),
            conv_bn(width, width, 1),
        )
        self.left = nn.Sequential(
            conv_bn(cin, cin, 3, stride, cin, activation=None), conv_bn(cin, width, 1)
        )
        if stride == 1:
            self.left = nn.Sequential()

    @override
    def forward(self, x: Tensor) -> Tensor:
        left, right = (x, x) if self.stride == 2 else x.chunk(2, dim=1)
        return shuffle(torch.cat([self.left(left), self.right(right)], dim=1))


def shufflenet_v2(classes: int = 1000) -> nn.Module:
    """ShuffleNetV2 at width 1.0, ready to be exported."""
    blocks: list[nn.Module] = [conv_bn(3, 24, stride=2), nn.MaxPool2d(3, 2, 1)]
    cin = 24
    for cout, repeats in STAGES:
        for number in range(repeats):
            blocks.append(Block(cin, cout, 2 if number == 0 else 1))
            cin = cout
    return nn.Sequential(*blocks, conv_bn(cin, 1024, 1), classifier(1024, classes)).eval()
