"""CREPE-tiny (Kim et al. 2018): pitch from 1024 samples by convolutions in one dimension."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

WIDTHS = (128, 16, 16, 16, 32, 64)
PITCHES = 360


class Crepe(nn.Module):
    """(N, 1024) samples to the activation of each pitch."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        convs: list[nn.Module] = []
        norms: list[nn.Module] = []
        cin = 1
        for layer, width in enumerate(WIDTHS):
            kernel, stride = (512, 4) if layer == 0 else (64, 1)
            convs.append(nn.Conv1d(cin, width, kernel, stride))
            norms.append(nn.BatchNorm1d(width, eps=0.001))
            cin = width
        self.convs, self.norms = nn.ModuleList(convs), nn.ModuleList(norms)
        self.head = nn.Linear(cin * (samples // 256), PITCHES)

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1)
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            pads = (254, 254) if layer == 0 else (31, 32)
            x = norm(torch.relu(conv(functional.pad(x, pads))))
            x = functional.max_pool1d(x, 2)
        return torch.sigmoid(self.head(x.transpose(1, 2).flatten(1)))


def crepe(samples: int = 1024) -> nn.Module:
    """CREPE-tiny, ready to be exported."""
    return Crepe(samples).eval()
