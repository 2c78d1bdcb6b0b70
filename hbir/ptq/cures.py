"""What a user can do about an op that runs on the CPU, from the reason it carries.

A broken constraint names its own cure (the second paragraph of the function's docstring). The other
reasons come from the frontends, which see what the source model asks for, and from `place-ops`,
which sees the network and the machine; their cures are a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from hbir.passes.constraints import constraints_by_op, cure_of, rule_of
from hbir.passes.constraints.float16 import FLOAT16_CONSTRAINTS

_CURES: tuple[tuple[str, str], ...] = (
    (
        r"has no BPU form$",
        "Write it with operators of docs/supported-operators.md, or take it out of the network when"
        " it stands at the beginning or end",
    ),
    (
        r"must be constant, .* is computed$",
        "Export with fixed shapes and fold constants, so that it becomes an initializer",
    ),
    (
        r"has no \w+, the engine that runs it on other marches",
        "Compile for a march that has the engine, or take the op out of the network when it stands"
        " at the end",
    ),
    (
        r"places that it may read at any time need \d+ bytes on chip",
        "Make that axis shorter, by splitting or by a smaller resolution, or choose a march with"
        " more memory on chip",
    ),
    (
        r"is the unquantized result of a convolution on its way out",
        "Take the op out of the network and run it on the float result, or let the convolution's"
        " result be quantized by having another op read it",
    ),
    (
        r"is not quantized: neither calibration nor training placed",
        "Calibrate the network, or train it with a fake-quant there; a tensor between two CPU ops"
        " needs none",
    ),
    (
        r"is not quantized: no op of the BPU reads it",
        "Take the op out of the network and run it on the float result",
    ),
    (
        r"must have 1 or 2 spatial dimensions",
        "Fold the extra dimension into the batch or the channels, or into several 2-D layers",
    ),
    (
        r"must have rank|must be at least|must lie in|must have \d+ entries|one number",
        "Reshape its operands, or set the attribute, as the reason says",
    ),
    (
        r"must be one of|must be \w+, got|must not be used|must use",
        "Export the node with what the reason asks for",
    ),
    (
        r"float32|element type|must hold",
        "Cast to float32 before the op, or compute it outside the network",
    ),
    (
        r"custom op",
        "It runs as the registered Python function; take it out of the network if the board shall"
        " not need it",
    ),
)
"""Part of a reason → what to do, the first that fits."""

OTHERWISE = (
    "Change the node as the reason says, take it out of the network when it stands at the beginning"
    " or end, or accept that the CPU computes it"
)


def cure_for(reason: str) -> str:
    """One sentence, without a full stop, for a reason; "" for none."""
    if not reason:
        return ""
    for rule, cure in _cures_by_rule():
        if rule in reason:
            return cure
    for pattern, cure in _CURES:
        if re.search(pattern, reason):
            return cure
    return OTHERWISE


@lru_cache(maxsize=1)
def _cures_by_rule() -> tuple[tuple[str, str], ...]:
    constraints: set[Callable[..., str | None]] = set(FLOAT16_CONSTRAINTS.values())
    for rules in constraints_by_op().values():
        constraints.update(rules)
    pairs = sorted((rule_of(constraint), cure_of(constraint)) for constraint in constraints)
    return tuple((rule, cure) for rule, cure in pairs if cure)
