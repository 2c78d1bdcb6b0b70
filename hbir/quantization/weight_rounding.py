"""Which way each weight is rounded: up or down, so that the layer's output changes least.

Rounding to nearest is best for each weight alone, not for their sum (Nagel et al., "Up or Down?
Adaptive Rounding for Post-Training Quantization", 2020). Here the same layer-wise problem, the
least E‖X(W − Ŵ)‖² with each ŵ one of the two integers beside w, is descended coordinate by
coordinate on the inputs' covariance: every step is exact, none makes the error larger, and nothing
is drawn at random but the rows that are looked at, from a fixed seed. What rounding shifts the mean
by goes into the bias.

It is the last step of a quantization: what scales weights (activations per channel, equalization)
has been done, and which weights get 16 bits is known. Layers whose covariance would be too large
keep their nearest integers; a message says which.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hbir.dialects.hbir.conv import Conv2dOp
from hbir.dialects.hbir.linear import LinearOp
from hbir.ir.origin import name_of, origin_of
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array, shape_of
from hbir.module import Module
from hbir.passes.gemm import GemmOp, as_gemm, constant_parts
from hbir.passes.pipelines import run_pipeline
from hbir.passes.wanted_places import kept_on_cpu
from hbir.runtime.interpreter import Plan

log = logging.getLogger("hbir.calibrate")

LARGEST = 127
"""Largest integer of weights at 8 bits."""

SWEEPS = 4
"""How often all weights of a layer are gone through, at most."""

ROWS_PER_BATCH = 1024
"""Output positions of a batch that are looked at."""

MOST_OPERATIONS = 4e9
"""Multiplications of a sweep, terms² x output channels, above which a layer isn't tried."""

CERTAIN = 1e-3
"""A weight as near as this to an integer, in steps, is that integer: the largest must stay."""

SEED = 0


@dataclass(frozen=True)
class LayerInput:
    """Samples of what a layer multiplies: rows (groups, N, K) for weights (groups, K, outputs)."""

    rows: Array

    def covariance(self) -> tuple[Array, Array]:
        """The mean (groups, K) and the covariance (groups, K, K), float64."""
        rows = self.rows.astype(np.float64)
        mean = rows.mean(axis=1)
        centred = rows - mean[:, None, :]
        return mean, centred.transpose(0, 2, 1) @ centred / rows.shape[1]


def rounded_weights(module: Module, samples: Sequence[Sequence[Array]]) -> Module:
    """A copy of an optimized module, float or qat, whose 8-bit weights are integers times their
    scales.

    Convert, whose scales are the same, rounds them to just these. Weights with a fake-quant of
    their own, and those of layers that the user wants on the CPU, stay. samples: inputs of a few
    batches.
    """
    result = module.clone()
    function = result.functions[0].op
    rewrite = Rewrite(result.context)
    plan = Plan(function, result.weights)
    runs = [plan.start(inputs) for inputs in samples]
    generator = np.random.default_rng(SEED)
    for number, op in enumerate(plan.ops):
        gemm = as_gemm(op)
        chosen = None if gemm is None or kept_on_cpu([gemm]) is not None else gemm
        parts = None if chosen is None else constant_parts(rewrite, chosen)
        if gemm is not None and parts is not None and _worth_trying(gemm, parts[0]):
            slot = plan.slots(number)[0][0]
            arrays = [array for values in runs if (array := values[slot]) is not None]
            rows = np.concatenate([rows_of(gemm, x, generator) for x in arrays], axis=1)
            _round(gemm, parts, LayerInput(rows), rewrite)
        for values in runs:
            plan.advance(values, number)
    run_pipeline(result.context, result.op, ("dead-code-elimination",))
    return result


def _worth_trying(gemm: GemmOp, weights: Array) -> bool:
    if not isinstance(gemm, Conv2dOp | LinearOp):
        return False
    matrix = as_matrices(gemm, weights)
    operations = float(matrix.shape[0]) * matrix.shape[1] ** 2 * matrix.shape[2]
    if operations > MOST_OPERATIONS:
        log.info("%s: too large to choose roundings; nearest", name_of(gemm.output, "a layer"))
        return False
    return True


def _round(gemm: GemmOp, parts: tuple[Array, Array], seen: LayerInput, rewrite: Rewrite) -> None:
    weights, bias = parts
    matrices = as_matrices(gemm, weights)
    scales = np.abs(matrices).max(axis=1, keepdims=True) / LARGEST
    scales[scales == 0] = 1.0
    mean, covariance = seen.covariance()
    integers = best_integers(matrices / scales, covariance)
    found = integers * scales
    shift = np.einsum("gk,gko->go", mean, matrices - found).reshape(-1)
    _set(gemm, 1, _as_weights(gemm, found, weights.shape), rewrite)
    if gemm.bias is not None:
        _set(gemm, 2, bias + shift, rewrite)


def _set(gemm: GemmOp, index: int, array: Array, rewrite: Rewrite) -> None:
    origin = origin_of(gemm.operands[index])
    constant = rewrite.constant(array.astype(np.float32), before=gemm, origin=origin)
    gemm.operands[index] = constant
    rewrite.changed = True


def best_integers(steps: Array, covariance: Array) -> Array:
    """Integers beside `steps` (groups, K, outputs) with a small error δᵀ·covariance·δ each.

    covariance: (groups, K, K). Starts from the nearest, whose error it never exceeds. For each k in
    turn both integers are compared with all others fixed, for all outputs at once.
    """
    nearest = np.clip(np.rint(steps), -LARGEST, LARGEST)
    other = np.clip(np.where(nearest > steps, nearest - 1, nearest + 1), -LARGEST, LARGEST)
    other = np.where(np.abs(steps - nearest) < CERTAIN, nearest, other)
    integers = nearest.copy()
    error = integers - steps
    pulled = covariance @ error
    for _ in range(SWEEPS):
        changed = False
        for k in range(steps.shape[1]):
            flipped = np.where(integers[:, k] == nearest[:, k], other[:, k], nearest[:, k])
            step = flipped - integers[:, k]
            own = covariance[:, k, k][:, None]
            gain = -(2 * step * pulled[:, k] + own * step**2)
            step = np.where(gain > 1e-12 * own, step, 0.0)
            if not step.any():
                continue
            changed = True
            integers[:, k] += step
            pulled += covariance[:, :, k, None] * step[:, None, :]
        if not changed:
            break
    return integers


# ------------------------------------------------------------------- layers as matrices


def as_matrices(gemm: GemmOp, weights: Array) -> Array:
    """The weights as (groups, K, outputs): what `rows_of` is multiplied by."""
    if isinstance(gemm, LinearOp):
        return weights[None]
    groups = gemm.params()["group_num"]
    by_group = weights.reshape(groups, weights.shape[0] // groups, -1)
    return by_group.transpose(0, 2, 1)


def _as_weights(gemm: GemmOp, matrices: Array, shape: tuple[int, ...]) -> Array:
    if isinstance(gemm, LinearOp):
        return matrices[0]
    return matrices.transpose(0, 2, 1).reshape(shape)


def rows_of(gemm: GemmOp, x: Array, generator: np.random.Generator) -> Array:
    """Some of the rows (groups, N, K) that a layer multiplies for the input x."""
    if isinstance(gemm, LinearOp):
        rows = x.reshape(-1, x.shape[-1])
        return rows[_chosen(len(rows), generator)][None]
    params = gemm.params()
    top, left, bottom, right = params["pad"]
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    height, width = shape_of(gemm.w)[1:3]
    down, across = params["dilation"]
    extent = ((height - 1) * down + 1, (width - 1) * across + 1)
    windows = sliding_window_view(padded, extent, axis=(1, 2))
    rows_apart, columns_apart = params["stride"]
    windows = windows[:, ::rows_apart, ::columns_apart, :, ::down, ::across]
    count = windows.shape[0] * windows.shape[1] * windows.shape[2]
    places = np.unravel_index(_chosen(count, generator), windows.shape[:3])
    chosen = windows[places]  # (N, C, KH, KW)
    groups = params["group_num"]
    by_group = chosen.reshape(len(chosen), groups, -1, height, width)
    return by_group.transpose(1, 0, 3, 4, 2).reshape(groups, len(chosen), -1)


def _chosen(count: int, generator: np.random.Generator) -> Array:
    if count <= ROWS_PER_BATCH:
        return np.arange(count)
    return np.sort(generator.choice(count, ROWS_PER_BATCH, replace=False))
