"""`hbir.torch` as users see it."""

import subprocess
import sys

import torch
from torch import nn

import hbir

BLOCK_TORCH = """
import sys
sys.modules["torch"] = None
import hbir
try:
    hbir.torch.export(None)
except hbir.HbirError as error:
    print(error)
"""


def test_export_and_statistics() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 1)).eval()
    example = torch.zeros(1, 3, 8, 8)
    assert hbir.torch.statistics(network, example) == {"conv2d.default": 2, "relu.default": 1}
    module = hbir.torch.export(network, example, name="net")
    assert module.level == "float"
    assert module.functions[0].statistics()["hbir.conv2d"] == 2
    assert module.functions[0].name == "net"
    (output,) = module.functions[0].flatten_outputs
    assert (output.name, output.type.shape) == ("output", (1, 4, 6, 6))


def test_without_torch_it_says_how_to_get_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_TORCH], capture_output=True, text=True, check=True
    )
    assert "pip install 'hbir[torch]'" in done.stdout
