"""A case per ATen operator that hbir imports from PyTorch: the form in which networks call it.

A case is a function of activations: `x`, `y` (1, 4, 6, 8) around 0, `p` positive, `q` above 1, `u`
within −1…1, `m` and `n` matrices (1, 6, 8) and (1, 8, 6). All are one module whose parts are called
as the operators are; activations come from additions and results go to others, so that each
operator stands in the middle of a network.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from tools.operators.onnx_cases import RANGES, SHAPES

Activations: TypeAlias = Any
"""A namespace with a tensor by name."""

_aten: Any = torch.ops.aten
_F: Any = F
_torch: Any = torch


def _weights(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    return torch.rand(shape, generator=generator) - 0.5


def _layer(layer: nn.Module, operand: str) -> Callable[[Activations], Any]:
    layer.eval()
    for parameter in layer.parameters():
        parameter.requires_grad_(False)
        parameter.copy_(_weights(*parameter.shape))
    return lambda a: layer(getattr(a, operand))


def _recurrent(kind: Callable[..., nn.Module], **options: Any) -> Callable[[Activations], Any]:
    run = _layer(kind(8, 4, batch_first=True, **options), "m")
    return lambda a: run(a)[0]


_FIRST = torch.tensor([2, 0])
_PLACES = torch.zeros((1, 3, 8), dtype=torch.int64)
_VECTOR, _ROW, _MATRIX, _TABLE = _weights(4), _weights(8), _weights(8, 4), _weights(6, 8)
_SQUARE, _POSITIVE = _weights(1, 6, 6), _weights(4) + 1

CASES: dict[str, Callable[[Activations], Any]] = {
    "_log_softmax": lambda a: _aten._log_softmax(a.m, -1, False),
    "_native_batch_norm_legit_no_training": lambda a: _aten._native_batch_norm_legit_no_training(
        a.p, _VECTOR, _VECTOR, _VECTOR, _POSITIVE, 0.1, 1e-5
    )[0],
    "_softmax": lambda a: _aten._softmax(a.m, -1, False),
    "_to_copy": lambda a: _aten._to_copy(a.x > a.y, dtype=torch.float32),
    "_unsafe_view": lambda a: _aten._unsafe_view(a.x, [1, 24, 8]),
    "_upsample_nearest_exact1d": lambda a: _F.interpolate(a.m, size=16, mode="nearest-exact"),
    "_upsample_nearest_exact2d": lambda a: _F.interpolate(a.x, size=(12, 16), mode="nearest-exact"),
    "abs": lambda a: a.x.abs(),
    "acos": lambda a: a.u.acos(),
    "acosh": lambda a: a.q.acosh(),
    "adaptive_avg_pool1d": lambda a: _F.adaptive_avg_pool1d(a.m, 2),
    "adaptive_avg_pool2d": lambda a: _F.adaptive_avg_pool2d(a.x, (2, 2)),
    "adaptive_max_pool1d": lambda a: _aten.adaptive_max_pool1d(a.m, 2)[0],
    "adaptive_max_pool2d": lambda a: _aten.adaptive_max_pool2d(a.x, [2, 2])[0],
    "add": lambda a: a.x + a.y,
    "addmm": lambda a: torch.addmm(_VECTOR, a.m.reshape(6, 8), _MATRIX),
    "alias": lambda a: _aten.alias(a.x),
    "amax": lambda a: a.x.amax(1),
    "amin": lambda a: a.x.amin(1),
    "argmax": lambda a: a.x.argmax(1),
    "argmin": lambda a: a.x.argmin(1),
    "asin": lambda a: a.u.asin(),
    "asinh": lambda a: a.x.asinh(),
    "atan": lambda a: a.x.atan(),
    "atanh": lambda a: a.u.atanh(),
    "avg_pool1d": lambda a: _F.avg_pool1d(a.m, 2),
    "avg_pool2d": lambda a: _F.avg_pool2d(a.x, 2),
    "baddbmm": lambda a: torch.baddbmm(_SQUARE, a.m, a.n),
    "bitwise_and": lambda a: ((a.x > a.y) & (a.y > a.p)).float(),
    "bitwise_not": lambda a: (~(a.x > a.y)).float(),
    "bitwise_or": lambda a: ((a.x > a.y) | (a.y > a.p)).float(),
    "bitwise_xor": lambda a: ((a.x > a.y) ^ (a.y > a.p)).float(),
    "bmm": lambda a: torch.bmm(a.m, a.n),
    "cat": lambda a: torch.cat([a.x, a.y], 1),
    "ceil": lambda a: a.x.ceil(),
    "celu": lambda a: _F.celu(a.x, 2.0),
    "chunk": lambda a: a.x.chunk(2, 1)[0],
    "clamp": lambda a: a.x.clamp(-1, 2),
    "clamp_max": lambda a: a.x.clamp_max(1),
    "clamp_min": lambda a: a.x.clamp_min(-1),
    "clone": lambda a: a.x.clone(),
    "constant_pad_nd": lambda a: _aten.constant_pad_nd(a.x, [1, 1, 1, 1], 0.0),
    "contiguous": lambda a: a.x.contiguous(),
    "conv1d": _layer(nn.Conv1d(6, 4, 3, padding=1), "m"),
    "conv2d": _layer(nn.Conv2d(4, 8, 3, padding=1), "x"),
    "conv_transpose1d": _layer(nn.ConvTranspose1d(6, 4, 2, 2), "m"),
    "conv_transpose2d": _layer(nn.ConvTranspose2d(4, 8, 2, 2), "x"),
    "copy": lambda a: _aten.copy(a.x, a.y),
    "cos": lambda a: a.x.cos(),
    "cosh": lambda a: a.u.cosh(),
    "cumsum": lambda a: a.m.cumsum(1),
    "detach": lambda a: a.x.detach(),
    "diagonal": lambda a: a.m.diagonal(0, 1, 2),
    "div": lambda a: a.x / a.p,
    "dropout": lambda a: _F.dropout(a.x, training=False),
    "einsum": lambda a: torch.einsum("bij,bjk->bik", a.m, a.n),
    "elu": lambda a: _F.elu(a.x),
    "embedding": lambda a: a.m.reshape(6, 8)[0:1] + _F.embedding(_FIRST[:1], _TABLE),
    "eq": lambda a: (a.x == a.y).float(),
    "erf": lambda a: a.x.erf(),
    "exp": lambda a: a.u.exp(),
    "exp2": lambda a: a.u.exp2(),
    "expand": lambda a: a.m.expand(4, 6, 8),
    "expm1": lambda a: a.u.expm1(),
    "fill": lambda a: _aten.fill(a.x, 1.0) + a.x,
    "flatten": lambda a: a.x.flatten(1),
    "flip": lambda a: a.m.flip(1),
    "floor": lambda a: a.x.floor(),
    "fmod": lambda a: a.p.fmod(1.0),
    "full_like": lambda a: torch.full_like(a.x, 1.0) + a.x,
    "gather": lambda a: a.m.gather(1, _PLACES),
    "ge": lambda a: (a.x >= a.y).float(),
    "gelu": lambda a: _F.gelu(a.x),
    "grid_sampler": lambda a: _F.grid_sample(a.x, a.u[:, :2].permute(0, 2, 3, 1)),
    "grid_sampler_2d": lambda a: _aten.grid_sampler_2d(
        a.x, a.u[:, :2].permute(0, 2, 3, 1), 0, 0, False
    ),
    "group_norm": lambda a: _F.group_norm(a.x, 2),
    "gru": _recurrent(nn.GRU),
    "gt": lambda a: (a.x > a.y).float(),
    "hardshrink": lambda a: _F.hardshrink(a.x),
    "hardsigmoid": lambda a: _F.hardsigmoid(a.x),
    "hardswish": lambda a: _F.hardswish(a.x),
    "hardtanh": lambda a: _F.hardtanh(a.x),
    "index": lambda a: a.x[:, _FIRST],
    "index_select": lambda a: a.x.index_select(1, _FIRST),
    "instance_norm": lambda a: _F.instance_norm(a.x),
    "layer_norm": lambda a: _F.layer_norm(a.m, (8,)),
    "le": lambda a: (a.x <= a.y).float(),
    "leaky_relu": lambda a: _F.leaky_relu(a.x, 0.1),
    "lift_fresh_copy": lambda a: a.x + _aten.lift_fresh_copy(_ROW),
    "linalg_vector_norm": lambda a: _torch.linalg.vector_norm(a.x, dim=1),
    "linear": _layer(nn.Linear(8, 4), "m"),
    "log": lambda a: a.p.log(),
    "log10": lambda a: a.p.log10(),
    "log1p": lambda a: a.p.log1p(),
    "log2": lambda a: a.p.log2(),
    "log_sigmoid": lambda a: _F.logsigmoid(a.x),
    "log_softmax": lambda a: a.m.log_softmax(-1),
    "logical_and": lambda a: torch.logical_and(a.x > a.y, a.y > a.p).float(),
    "logical_not": lambda a: torch.logical_not(a.x > a.y).float(),
    "logical_or": lambda a: torch.logical_or(a.x > a.y, a.y > a.p).float(),
    "logical_xor": lambda a: torch.logical_xor(a.x > a.y, a.y > a.p).float(),
    "logsumexp": lambda a: a.x.logsumexp(1),
    "lstm": _recurrent(nn.LSTM),
    "lt": lambda a: (a.x < a.y).float(),
    "masked_fill": lambda a: a.x.masked_fill(a.y > a.p, 0.0),
    "matmul": lambda a: torch.matmul(a.m, a.n),
    "max": lambda a: _torch.max(a.x, a.y),
    "max_pool1d": lambda a: _F.max_pool1d(a.m, 2),
    "max_pool2d": lambda a: _F.max_pool2d(a.x, 2),
    "maximum": lambda a: torch.maximum(a.x, a.y),
    "mean": lambda a: a.x.mean((2, 3)),
    "min": lambda a: _torch.min(a.x, a.y),
    "minimum": lambda a: torch.minimum(a.x, a.y),
    "mish": lambda a: _F.mish(a.x),
    "mm": lambda a: torch.mm(a.m.reshape(6, 8), a.n.reshape(8, 6)),
    "mul": lambda a: a.x * a.y,
    "narrow": lambda a: a.x.narrow(1, 1, 2),
    "ne": lambda a: (a.x != a.y).float(),
    "neg": lambda a: -a.x,
    "new_full": lambda a: a.x + a.x.new_full((8,), 2.0),
    "new_ones": lambda a: a.x + a.x.new_ones((8,)),
    "new_zeros": lambda a: a.x + a.x.new_zeros((8,)),
    "numpy_T": lambda a: _aten.numpy_T(a.m.reshape(6, 8)),
    "ones_like": lambda a: torch.ones_like(a.x) + a.x,
    "pad": lambda a: _F.pad(a.x, (1, 1, 1, 1)),
    "permute": lambda a: a.x.permute(0, 2, 3, 1),
    "pixel_shuffle": lambda a: _F.pixel_shuffle(a.x, 2),
    "pixel_unshuffle": lambda a: _F.pixel_unshuffle(a.x, 2),
    "pow": lambda a: a.p.pow(1.5),
    "prelu": _layer(nn.Sequential(nn.Conv2d(4, 4, 1), nn.PReLU(4)), "x"),
    "prod": lambda a: a.p.prod(1),
    "reciprocal": lambda a: a.p.reciprocal(),
    "relu": lambda a: a.x.relu(),
    "relu6": lambda a: _F.relu6(a.x),
    "remainder": lambda a: a.p.remainder(1.0),
    "repeat": lambda a: a.m.repeat(1, 2, 1),
    "reshape": lambda a: a.x.reshape(1, 24, 8),
    "rms_norm": lambda a: _F.rms_norm(a.m, (8,)),
    "rnn_relu": _recurrent(nn.RNN, nonlinearity="relu"),
    "rnn_tanh": _recurrent(nn.RNN),
    "roll": lambda a: a.m.roll(1, 1),
    "round": lambda a: a.x.round(),
    "rsqrt": lambda a: a.p.rsqrt(),
    "rsub": lambda a: _torch.rsub(a.x, 1.0),
    "scaled_dot_product_attention": lambda a: _F.scaled_dot_product_attention(a.x, a.x, a.y),
    "scatter": lambda a: a.m.scatter(1, _PLACES[:, :1], a.m[:, :1]),
    "scatter_add": lambda a: a.m.scatter_add(1, _PLACES[:, :1], a.m[:, :1]),
    "scatter_reduce": lambda a: a.m.scatter_reduce(1, _PLACES[:, :1], a.m[:, :1], "amax"),
    "select": lambda a: a.x.select(1, 0),
    "sigmoid": lambda a: a.x.sigmoid(),
    "sign": lambda a: a.x.sign(),
    "silu": lambda a: _F.silu(a.x),
    "sin": lambda a: a.x.sin(),
    "sinh": lambda a: a.u.sinh(),
    "slice": lambda a: a.x[:, 1:3],
    "slice_scatter": lambda a: a.x.slice_scatter(a.y[:, :2], 1, 0, 2),
    "softmax": lambda a: a.m.softmax(-1),
    "softplus": lambda a: _F.softplus(a.x),
    "softshrink": lambda a: _F.softshrink(a.x),
    "sort": lambda a: a.m.sort(1)[0],
    "split": lambda a: a.x.split(2, 1)[0],
    "split_with_sizes": lambda a: a.x.split_with_sizes([1, 3], 1)[0],
    "sqrt": lambda a: a.p.sqrt(),
    "square": lambda a: a.x.square(),
    "squeeze": lambda a: a.m.squeeze(0),
    "stack": lambda a: torch.stack([a.m, a.m + 1], 1),
    "sub": lambda a: a.x - a.y,
    "sum": lambda a: a.p.sum((2, 3)),
    "t": lambda a: a.m.reshape(6, 8).t(),
    "tan": lambda a: a.u.tan(),
    "tanh": lambda a: a.x.tanh(),
    "tensor_split": lambda a: a.x.tensor_split(2, 1)[0],
    "threshold": lambda a: _F.threshold(a.x, 0.5, 0.0),
    "to": lambda a: (a.x > a.y).to(torch.float32),
    "topk": lambda a: a.x.topk(2, 1)[0],
    "transpose": lambda a: a.x.transpose(1, 2),
    "unbind": lambda a: a.x.unbind(1)[0],
    "unflatten": lambda a: a.m.unflatten(1, (2, 3)),
    "unfold": lambda a: a.m.unfold(1, 2, 2),
    "unsqueeze": lambda a: a.m.unsqueeze(1),
    "upsample_bilinear2d": lambda a: _F.interpolate(a.x, size=(12, 16), mode="bilinear"),
    "upsample_linear1d": lambda a: _F.interpolate(a.m, size=16, mode="linear"),
    "upsample_nearest1d": lambda a: _F.interpolate(a.m, size=16),
    "upsample_nearest2d": lambda a: _F.interpolate(a.x, size=(12, 16)),
    "var": lambda a: a.x.var(1),
    "var_mean": lambda a: _aten.var_mean.correction(a.x, [1], correction=0)[0],
    "view": lambda a: a.x.view(1, 24, 8),
    "where": lambda a: torch.where(a.x > a.y, a.x, a.p),
    "zeros_like": lambda a: torch.zeros_like(a.x) + a.x,
}
"""By operator, without its overload."""


class _Part(nn.Module):
    def __init__(self, function: Callable[[Activations], Any]) -> None:
        super().__init__()
        self._function = function

    @override
    def forward(self, activations: dict[str, Tensor]) -> Any:
        return self._function(SimpleNamespace(**activations))


class Operators(nn.Module):
    """Every case as a part of its operator's name (`_x` becomes `private_x`)."""

    def __init__(self) -> None:
        super().__init__()
        for operator, function in CASES.items():
            self.add_module(part_name(operator), _Part(function))

    @override
    def forward(self, beside: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        activations = {name: inputs[name] + inputs[f"{name}_too"] for name in SHAPES}
        outputs: dict[str, Tensor] = {}
        for operator in CASES:
            result = getattr(self, part_name(operator))(activations)
            outputs[part_name(operator)] = result + beside if result.is_floating_point() else result
        return outputs


def part_name(operator: str) -> str:
    """The name of an operator's case in the module, and of its output."""
    return f"case{operator}" if operator.startswith("_") else f"case_{operator}"


def inputs_of(seed: int = 0) -> dict[str, Tensor]:
    """An example of the module's inputs."""
    generator = torch.Generator().manual_seed(seed)
    inputs: dict[str, Tensor] = {"beside": torch.rand(1, generator=generator)}
    for name, shape in SHAPES.items():
        low, high = RANGES[name]
        for port in (name, f"{name}_too"):
            inputs[port] = (low + (high - low) * torch.rand(shape, generator=generator)) / 2
    return inputs
