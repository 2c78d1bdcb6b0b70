"""Moves, indexing and order against PyTorch."""

# torch is typed only in part, lambdas not at all:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

import torch
from torch import Tensor
from torch.nn import functional

from tests.unit.frontends.torch.oracle import check, random


def shapes(x: Tensor) -> list[Tensor]:
    return [
        x.view(2, 12, 5), x.flatten(1), x.reshape(-1), x.unsqueeze(0).squeeze(1), x.transpose(1, 3),
        x.permute(3, 0, 2, 1), x[0].t() if x.dim() == 3 else x[0, 0].t(), x.unflatten(1, (3, 1)),
        x.movedim(1, -1), x.mT, x.swapaxes(0, 2), x.expand(2, 3, 4, 5), x[:, :1].expand(2, 3, 4, 5),
        x.repeat(1, 2, 1, 1), x.tile(2), x.repeat_interleave(2, 1), torch.atleast_2d(x),
    ]  # fmt: skip


def test_shapes() -> None:
    check(shapes, random(2, 3, 4, 5))


def parts(x: Tensor) -> list[Tensor]:
    y = x.clone()
    y[:, 1:3] = 0.5
    z = x.clone()
    z[:, :, 1] = x[:, :, 0]
    return [
        x[:, 1], x[..., ::2], x[:, -1:], x.narrow(2, 1, 2), *x.chunk(2, 1), *x.split([1, 3], 2),
        *x.unbind(1), *x.tensor_split(3, 3), x.select(3, -2), torch.cat([x, y], 2),
        torch.stack([x, z], 1), functional.pad(x, (1, 2)), functional.pad(x, (1, -1, 0, 2), value=3.0),
        torch.roll(x, (1, -2), (2, 3)), torch.roll(x, 0, 1), x.flip(1, 3), x.unfold(3, 3, 2), y, z,
    ]  # fmt: skip


def test_parts() -> None:
    check(parts, random(2, 3, 4, 5))


def shuffles(x: Tensor) -> list[Tensor]:
    return [
        functional.pixel_shuffle(x, 2), functional.pixel_unshuffle(x, 2),
        functional.channel_shuffle(x, 4),
    ]  # fmt: skip


def test_shuffles() -> None:
    check(shuffles, random(1, 8, 4, 6))


def chosen(x: Tensor, indices: Tensor) -> list[Tensor]:
    rows, columns = torch.tensor([0, 1, -1]), torch.tensor([2, 0, 1])
    return [
        x[:, indices], x[:, rows, columns], x[..., rows], x.index_select(2, indices),
        torch.gather(x, 2, x.argsort(2)), torch.gather(x, 2, x.argmax(2, keepdim=True)),
        functional.embedding(indices, x[0]), x.diagonal(dim1=1, dim2=2).contiguous(),
    ]  # fmt: skip


def test_elements_chosen_by_indices() -> None:
    check(chosen, random(2, 3, 4), torch.tensor([2, 0, 1, 1]))


def taken(x: Tensor) -> Tensor:
    return torch.take_along_dim(x, x.argmax(2, keepdim=True), 2)


def test_indices_that_torch_wraps_are_wrapped_on_the_cpu() -> None:
    check(taken, random(2, 3, 4), on_cpu=["onnx::Mod"])


def order(x: Tensor) -> list[Tensor]:
    return [
        *x.topk(2), *x.topk(2, 1, largest=False), *x.sort(), *x.sort(1, descending=True),
        x.argmax(1), x.argmin(-1, keepdim=True), x.argmax(), *x.max(1), *x.min(2, keepdim=True),
    ]  # fmt: skip


def test_order() -> None:
    check(order, random(2, 3, 5))


def scattered(x: Tensor, source: Tensor) -> list[Tensor]:
    index = torch.tensor([[0, 2, 1], [3, 0, 2]])
    return [x.scatter(1, index, source), x.scatter_add(1, index, source)]


def test_scatter() -> None:
    check(scattered, random(2, 4), random(2, 3, seed=1))


def constants(x: Tensor) -> list[Tensor]:
    return [
        x + torch.zeros_like(x), x * torch.full_like(x, 2), x + torch.arange(5.0),
        x + x.new_ones(4, 5), x * torch.linspace(0, 1, 5), torch.ones(2, 3),
    ]  # fmt: skip


def test_constants_are_folded() -> None:
    exported = check(constants, random(3, 4, 5), on_cpu=["onnx::Identity"])
    assert "hbir.cast_type" not in exported.functions[0].statistics()


def test_padding_by_reflection_runs_on_the_cpu() -> None:
    check(
        lambda x: functional.pad(x, (1, 2, 2, 0), "reflect"),
        random(1, 2, 4, 5),
        on_cpu=["onnx::Pad"],
    )
