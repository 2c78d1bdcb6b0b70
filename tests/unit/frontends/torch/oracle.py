"""PyTorch itself, run eagerly, as the judge of what hbir.torch.export makes of a module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from typing_extensions import override

import hbir
import hbir.torch


class Function(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    @override
    def forward(self, *tensors: Any) -> Any:
        return self.function(*tensors)


def random(*shape: int, seed: int = 0, low: float = -3.0, high: float = 3.0) -> Tensor:
    """Float32 in low..high, the same every time."""
    generator = np.random.default_rng(seed)
    return torch.tensor(generator.uniform(low, high, shape).astype(np.float32))


def cpu_functions(module: hbir.Module) -> list[str]:
    """The signatures of the module's CPU ops, sorted."""
    return sorted(
        name.removeprefix("hbtl.call ")
        for name, count in module.functions[0].statistics().items()
        if name.startswith("hbtl.call")
        for _ in range(count)
    )


def feed_of(module: hbir.Module, inputs: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs, flattened, by the names of the module's ports."""
    ports = module.functions[0].flatten_inputs
    leaves = [leaf for leaf in pytree.tree_leaves(inputs) if isinstance(leaf, Tensor)]
    return {port.name: leaf.numpy() for port, leaf in zip(ports, leaves, strict=True)}


def check(
    network: nn.Module | Callable[..., Any],
    *inputs: Any,
    on_cpu: Sequence[str] = (),
    tolerance: float = 1e-5,
) -> hbir.Module:
    """Export, run, and compare each output with the eager module's: shape, dtype and elements.

    on_cpu: the signatures of the CPU ops there must be; there are no others.
    """
    module = network if isinstance(network, nn.Module) else Function(network)
    module.eval()
    exported = hbir.torch.export(module, inputs)
    assert cpu_functions(exported) == sorted(on_cpu)
    with torch.no_grad():
        wanted = [leaf.numpy() for leaf in pytree.tree_leaves(module(*inputs))]
    found = list(exported.functions[0].feed(feed_of(exported, inputs)).values())
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    return exported


def operations(module: hbir.Module) -> set[str]:
    """The names of the module's ops, constants left out."""
    return set(module.functions[0].statistics()) - {"hbir.constant"}
