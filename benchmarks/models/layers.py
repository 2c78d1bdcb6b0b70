"""Layers that several architectures share, and random weights that keep activations in range."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from typing_extensions import override


def conv_bn(
    cin: int,
    cout: int,
    kernel: int = 3,
    stride: int = 1,
    groups: int = 1,
    dilation: int = 1,
    activation: Callable[[], nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """A convolution that keeps the size at stride 1, its norm and its activation, if any."""
    pad = (kernel - 1) // 2 * dilation
    layers: list[nn.Module] = [
        nn.Conv2d(cin, cout, kernel, stride, pad, dilation, groups, bias=False),
        nn.BatchNorm2d(cout),
    ]
    return nn.Sequential(*layers, *([activation()] if activation is not None else []))


def classifier(channels: int, classes: int) -> nn.Sequential:
    """The mean over H and W, and a linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class SqueezeExcite(nn.Module):
    """Channel attention (Hu et al. 2018): the mean, two 1x1 convolutions, a gate."""

    def __init__(
        self,
        channels: int,
        hidden: int,
        activation: Callable[[], nn.Module] = nn.ReLU,
        gate: Callable[[], nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, hidden, 1),
            activation(),
            nn.Conv2d(hidden, channels, 1),
            gate(),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x * self.weights(x)


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of (N, C, H, W)."""

    @override
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@torch.no_grad()
def randomize(module: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and statistics from a seed, of sizes that keep activations in range (He et al. 2015).

    PyTorch's own initial weights shrink what passes through a deep network to nothing, and its
    norms start as identities.
    """
    random = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        for name, parameter in layer.named_parameters(recurse=False):
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                if isinstance(layer, nn.ConvTranspose2d):
                    fan_in = parameter.numel() // parameter.shape[1]
                parameter.normal_(0, (1.5 / fan_in) ** 0.5, generator=random)
            elif name.startswith("weight") and not isinstance(layer, nn.PReLU):
                parameter.uniform_(0.5, 1.0, generator=random)
            elif "bias" in name:
                parameter.normal_(0, 0.05, generator=random)
        for name, buffer in layer.named_buffers(recurse=False):
            if name == "running_mean":
                buffer.normal_(0, 0.1, generator=random)
            elif name == "running_var":
                buffer.uniform_(0.5, 1.5, generator=random)
    return module
