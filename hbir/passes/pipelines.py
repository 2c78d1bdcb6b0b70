"""The pipelines: which passes run, in which order, and what each step is for. All in one place.

The schedule phase's passes depend on what the schedules cost: `hbir.compiler` chooses among them.
Names are those of `hbir-opt --list-passes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from hbir.ir.verify import verify_module
from hbir.passes import load_pass
from hbir.passes.manager import PassListener, PassManager

OPTIMIZE = (
    "fold-constants",
    "decompose-image-preprocess",
    "recognize-adaptive-pool",  # while the gathers and slices it is made of are whole
    # What stands for moves and for steps becomes these, so that all below sees them.
    "index-to-slice",
    "scatter-to-concat",
    "decompose-recurrent",
    "decompose-log-softmax",
    # Norms and attention, before moves cancel: those of the decompositions take part.
    "decompose-attention",
    "recognize-norms",
    "recognize-groupnorm",
    "decompose-groupnorm",
    "decompose-layernorm",
    "cumsum-to-linear",
    "represent-bools",
    "bound-infinities",
    "eliminate-identities",  # reshapes that hide a concat from its slices
    "simplify-slices",
    "cancel-transposes",
    "sink-reshapes",
    "eliminate-identities",  # reshapes that meet now
    # Recognise whole functions before their pieces are absorbed into a convolution.
    "decompose-div",
    "absorb-scale",
    "bound-masks",
    "recognize-activations",
    "matmul-to-linear",
    "absorb-batchnorm",
    "absorb-affine",
    "absorb-batchnorm",  # of a convolution whose addition or multiplication is now gone
    "absorb-pad",
    "lower-batchnorm",
    "absorb-pointwise",  # a normalisation of the input, too
    "eliminate-identities",
    "fold-constants",
    "dead-code-elimination",
    "mark-fusion-groups",
    "verify-float",
)
"""Float to float. Calibration observes what this leaves, so it runs first; `convert` runs it again,
which changes nothing on a calibrated module and prepares one that was trained with fake-quants."""

CALIBRATE = ("place-fake-quants", "verify-qat")
"""Float to qat, once ranges are observed."""

QUANTIZE = (
    # Every tensor the BPU touches gets a scale.
    "propagate-scales",
    "unify-scales",
    "quantize-constants",
    # Which op goes where, and why.
    "place-ops",
    # Integers.
    "expand-fake-quants",
    "lower-to-bpu",
    "cancel-quantize-dequantize",
    "lower-to-hbtl",
    "dead-code-elimination",
    "fold-requantize",
    "simplify-moves",
    "flatten-planes",
    "dead-code-elimination",
    "verify-quantized",
)
"""Qat to quantized; `place-ops` and `lower-to-bpu` know the march from the module's attribute."""

CONVERT = (*OPTIMIZE, "verify-qat", *QUANTIZE)
"""Qat to quantized, as `hbir.convert` runs it."""

PIPELINES: dict[str, tuple[str, ...]] = {
    "optimize": OPTIMIZE,
    "calibrate": CALIBRATE,
    "quantize": QUANTIZE,
    "convert": CONVERT,
}
"""Names that `hbir-opt --pass-pipeline` takes for whole pipelines."""


def run_pipeline(
    ctx: Context,
    module: ModuleOp,
    names: Sequence[str],
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    listeners: Sequence[PassListener] = (),
) -> PassManager:
    """Run the named passes on `module` in place, and verify what they leave.

    Verifying after each of thirty passes is most of a conversion's time; `hbir-opt` does it, and so
    names the pass at fault. options: pass name → its options, where they aren't the defaults.
    Returns the manager, which holds their times. Raises PassError for the first that fails, and
    VerifyError when the result doesn't verify.
    """
    given = options or {}
    passes = [load_pass(name)(**given.get(name, {})) for name in names]
    manager = PassManager(passes, listeners=listeners, verify=False)
    manager.run(ctx, module)
    verify_module(module)
    return manager
