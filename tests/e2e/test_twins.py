"""A network that comes in from PyTorch and from ONNX is the same network.

The ONNX twins are PyTorch's own exports, not optimized by the exporter (it would fold batch norms
into the weights in float32).
"""

import contextlib
import io
import logging
import warnings
from typing import Any, cast

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import hbir
import hbir.onnx
import hbir.torch
from benchmarks.architectures import measure
from benchmarks.architectures.networks import ARCHITECTURES
from examples.mnist import network as mnist_network
from tests.e2e import mnist
from tests.e2e.levels import Feed
from tests.e2e.twins import assert_same_network

MARCH = "nash-e"

ARCHITECTURE_TWINS = (
    "MobileNetV3",
    "ConvNeXt",
    "ViT-S/16",
    "SigLIP",
    "Swin-T",
    "MLP-Mixer",
    "PoolFormer",
    "EfficientDet",
    "U-Net",
    "DeepLabV3+",
    "PSPNet",
    "SegFormer-B0",
    "ESPCN",
    "LSTM",
    "GRU",
    "Conformer",
    "CREPE",
)
"""Not among them: those with a split, which an export that isn't optimized writes as a sequence."""


def exported_onnx(module: nn.Module, example: torch.Tensor, ports: hbir.Module) -> onnx.ModelProto:
    """PyTorch's ONNX export of a network, with the port names of `ports`."""
    function = ports.functions[0]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = cast(Any, torch.onnx).export(
            module,
            (example,),
            dynamo=True,
            optimize=False,
            verbose=False,
            input_names=[port.name for port in function.flatten_inputs],
            output_names=[port.name for port in function.flatten_outputs],
        )
    return program.model_proto


def assert_twins(one: hbir.Module, other: hbir.Module, feeds: list[Feed]) -> None:
    """The same float outputs to the rounding of reordered sums, the same quantized module."""
    *calibration, evaluation = feeds
    wanted = one.functions[0].feed(evaluation)
    found = other.functions[0].feed(evaluation)
    assert list(found) == list(wanted)
    for name, want in wanted.items():
        np.testing.assert_allclose(found[name], want, rtol=1e-5, atol=1e-5)
    quantized = [hbir.convert(hbir.calibrate(m, calibration), MARCH) for m in (one, other)]
    assert_same_network(*quantized)


@pytest.mark.parametrize("name", ARCHITECTURE_TWINS)
def test_an_architecture_from_torch_and_from_onnx(name: str) -> None:
    variant = ARCHITECTURES[name].small
    module, from_torch = measure.exported(variant)
    proto = exported_onnx(module, variant.example(), from_torch)
    feeds = [measure.feed_of(from_torch, array) for array in measure.inputs(variant, 3)]
    assert_twins(from_torch, hbir.onnx.export(proto), feeds)


def test_the_bundled_model_and_its_torch_twin() -> None:
    """model.onnx was written node by node, not by an exporter."""
    network = mnist_network.load()
    example = torch.zeros(1, 1, 28, 28)
    twin = hbir.torch.export(network, example, name="mnist", output_names=["logits"])
    feeds = [*mnist.feeds(mnist.digits("calib")[0][:8]), mnist.feeds(mnist.digits("test")[0])[0]]
    assert_twins(hbir.onnx.export(str(mnist.MODEL)), twin, feeds)
