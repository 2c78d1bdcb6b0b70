"""MobileNet (Howard et al. 2017, table 1)."""

from torch import nn

from benchmarks.models.layers import classifier, conv_bn

# output channels, stride of the depthwise convolution
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2),
    (1024, 1),
)  # fmt: skip


def mobilenet_v1(classes: int = 1000) -> nn.Module:
    """MobileNet at width 1.0: depthwise and pointwise convolutions in turn."""
    blocks: list[nn.Module] = [conv_bn(3, 32, stride=2)]
    cin = 32
    for cout, stride in BLOCKS:
        blocks += [conv_bn(cin, cin, 3, stride, groups=cin), conv_bn(cin, cout, 1)]
        cin = cout
    return nn.Sequential(*blocks, classifier(cin, classes)).eval()
