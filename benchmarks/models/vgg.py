"""VGG (Simonyan and Zisserman 2014, table 1), with batch norm."""

from torch import nn

from benchmarks.models.layers import conv_bn

DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)


def vgg(layers: int = 16, classes: int = 1000, hidden: int = 4096, grid: int = 7) -> nn.Module:
    """VGG-`layers`; the classifier has two hidden layers over a grid x grid feature map."""
    blocks: list[nn.Module] = []
    cin = 3
    for width, depth in zip(WIDTHS, DEPTHS[layers], strict=True):
        for _ in range(depth):
            blocks.append(conv_bn(cin, width))
            cin = width
        blocks.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *blocks,
        nn.AdaptiveAvgPool2d(grid),
        nn.Flatten(),
        nn.Linear(cin * grid * grid, hidden),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(hidden, classes),
    ).eval()
