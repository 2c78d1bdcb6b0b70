"""The bundled network in PyTorch: the twin of `model.onnx`, with the same weights.

    module = hbir.torch.export(load(), torch.zeros(1, 1, 28, 28), output_names=["logits"])

`train.py` trains this class and writes `model.onnx` from it; `load` reads the weights back.
"""

# torch is typed only in part:
# pyright: reportUnknownMemberType=false

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
BATCH_NORM_EPSILON = 1e-5


class Network(nn.Module):
    """Digits (N,1,28,28) in 0..1 to logits (N,10)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(16, eps=BATCH_NORM_EPSILON)
        self.widen = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.widen_bn = nn.BatchNorm2d(32, eps=BATCH_NORM_EPSILON)
        self.depthwise = nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False)
        self.depthwise_bn = nn.BatchNorm2d(32, eps=BATCH_NORM_EPSILON)
        self.project = nn.Conv2d(32, 32, 1, bias=False)
        self.project_bn = nn.BatchNorm2d(32, eps=BATCH_NORM_EPSILON)
        self.reduce = nn.Conv2d(32, 64, 3, stride=2, padding=1, bias=False)
        self.reduce_bn = nn.BatchNorm2d(64, eps=BATCH_NORM_EPSILON)
        self.head = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = functional.relu(self.stem_bn(self.stem(image)))
        x = functional.max_pool2d(x, 2)
        x = functional.relu(self.widen_bn(self.widen(x)))
        branch = functional.relu6(self.depthwise_bn(self.depthwise(x)))
        branch = self.project_bn(self.project(branch))
        x = functional.relu(branch + x)
        x = functional.avg_pool2d(x, 2)
        x = functional.relu(self.reduce_bn(self.reduce(x)))
        return self.head(x.mean(dim=(2, 3)))


def load() -> Network:
    """The trained network in eval mode, its weights those of `model.onnx`."""
    initializers = onnx.load(HERE / "model.onnx").graph.initializer
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in initializers}
    network = Network()
    state = {
        name: torch.tensor(arrays[name]) if name in arrays else value
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    return network.eval()
