"""ResNet (He et al. 2015, table 1), the stride in a bottleneck's 3x3 as torchvision has it."""

import torch
from torch import Tensor, nn
from typing_extensions import override

DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
BOTTLENECK_FROM = 50
EXPANSION = 4


def conv_bn(cin: int, cout: int, kernel: int, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """A convolution that keeps the size at stride 1, its norm and, if asked for, a ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(cout),
    ]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Block(nn.Module):
    """A residual block: two 3x3 convolutions, or a bottleneck of 1x1, 3x3 and 1x1."""

    def __init__(self, cin: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        cout = width * EXPANSION if bottleneck else width
        if bottleneck:
            self.body = nn.Sequential(
                conv_bn(cin, width, 1),
                conv_bn(width, width, 3, stride),
                conv_bn(width, cout, 1, relu=False),
            )
        else:
            self.body = nn.Sequential(
                conv_bn(cin, width, 3, stride), conv_bn(width, cout, 3, relu=False)
            )
        self.shortcut = (
            conv_bn(cin, cout, 1, stride, relu=False)
            if stride != 1 or cin != cout
            else nn.Identity()
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


class ResNet(nn.Module):
    """ResNet of 18, 34, 50, 101 or 152 layers."""

    def __init__(self, layers: int, classes: int = 1000) -> None:
        super().__init__()
        bottleneck = layers >= BOTTLENECK_FROM
        self.stem = nn.Sequential(conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
        blocks: list[nn.Module] = []
        cin = 64
        for stage, depth in enumerate(DEPTHS[layers]):
            width = 64 << stage
            for number in range(depth):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(Block(cin, width, stride, bottleneck))
                cin = width * EXPANSION if bottleneck else width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, classes))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)))


def resnet(layers: int) -> nn.Module:
    """ResNet-`layers`, ready to be exported."""
    return ResNet(layers).eval()
