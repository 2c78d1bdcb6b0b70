"""EfficientNet-B0 (Tan and Le 2019, table 1): swish and squeeze-excite."""

from torch import Tensor, nn
from typing_extensions import override

from benchmarks.models.layers import SqueezeExcite, classifier, conv_bn

# expansion, output channels, repeats, stride of the first, kernel
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


class Block(nn.Module):
    """An inverted residual with squeeze-excite on a quarter of the input's channels."""

    def __init__(self, cin: int, cout: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        hidden = cin * expansion
        expand = [conv_bn(cin, hidden, 1, activation=nn.SiLU)] if expansion != 1 else []
        self.body = nn.Sequential(
            *expand,
            conv_bn(hidden, hidden, kernel, stride, hidden, activation=nn.SiLU),
            SqueezeExcite(hidden, cin // 4, nn.SiLU),
            conv_bn(hidden, cout, 1, activation=None),
        )
        self.residual = stride == 1 and cin == cout

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


def efficientnet(classes: int = 1000) -> nn.Module:
    """EfficientNet-B0, ready to be exported."""
    blocks: list[nn.Module] = [conv_bn(3, 32, stride=2, activation=nn.SiLU)]
    cin = 32
    for expansion, cout, repeats, stride, kernel in STAGES:
        for number in range(repeats):
            blocks.append(Block(cin, cout, expansion, stride if number == 0 else 1, kernel))
            cin = cout
    head = conv_bn(cin, 1280, 1, activation=nn.SiLU)
    return nn.Sequential(*blocks, head, classifier(1280, classes)).eval()
