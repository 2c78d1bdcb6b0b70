"""GoogLeNet (Szegedy et al. 2015, table 1), with batch norm and without its training heads."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import classifier, conv_bn

# 1x1; 3x3 reduced and full; 5x5 reduced and full; behind the pool
FIRST = ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64))
SECOND = (
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
)
THIRD = ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128))


class Inception(nn.Module):
    """Four branches side by side."""

    def __init__(self, cin: int, row: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pool = row
        self.branches = nn.ModuleList(
            [
                conv_bn(cin, one, 1),
                nn.Sequential(conv_bn(cin, reduce3, 1), conv_bn(reduce3, three, 3)),
                nn.Sequential(conv_bn(cin, reduce5, 1), conv_bn(reduce5, five, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_bn(cin, pool, 1)),
            ]
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def googlenet(classes: int = 1000) -> nn.Module:
    """GoogLeNet, ready to be exported."""
    layers: list[nn.Module] = [
        conv_bn(3, 64, 7, 2),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        conv_bn(64, 64, 1),
        conv_bn(64, 192),
        nn.MaxPool2d(3, 2, ceil_mode=True),
    ]
    cin = 192
    for rows in (FIRST, SECOND, THIRD):
        for row in rows:
            layers.append(Inception(cin, row))
            cin = row[0] + row[2] + row[4] + row[5]
        if rows is not THIRD:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
    return nn.Sequential(*layers, nn.Dropout(0.4), classifier(cin, classes)).eval()
