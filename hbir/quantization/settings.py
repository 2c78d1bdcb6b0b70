"""`QuantSettings`: everything that can be said about a quantization, checked and typed.

`hbir/ptq/quant_config.py` makes them of a user's files; `hbir/quantization/search.py` and
`hbir/ptq/quantize.py` do what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from hbir.ir.types import Array
from hbir.quantization.dtypes import DtypeChoice
from hbir.quantization.methods.method import KL, MAX, Method

TARGET_COSINE = 0.995
"""The cosine to float at which a search of methods is content."""

WARN_BELOW = 0.99
"""The cosine below which a user is told which layers are at fault."""

Metric = Callable[[Sequence[Mapping[str, Array]], Sequence[Mapping[str, Array]]], float]
"""(what float gives, what integers give), a mapping from output names per batch → how good; more is
better."""


Choices = tuple[DtypeChoice, ...]
"""Of a node: the type of all its inputs, or types by place; later ones win."""


@dataclass(frozen=True)
class Scheme:
    """What a search tries: a method, with activations scaled per channel or per tensor."""

    method: Method
    per_channel: bool = False

    @property
    def label(self) -> str:
        """As logs name it."""
        if not self.per_channel:
            return self.method.label
        return self.method.label + ("," if ":" in self.method.label else ":") + "per_channel=True"


def schemes(
    methods: Sequence[Method], per_channel: Sequence[bool] = (False,)
) -> tuple[Scheme, ...]:
    """All combinations, those without another pass over the data first."""
    found = [Scheme(m, p) for p, m in product(sorted(set(per_channel)), methods)]
    return tuple(dict.fromkeys(found))


_SEARCHED = ((MAX, 0.99995), (MAX, 1.0), (KL, 1.0))
"""What the toolchain's own search tries, per tensor and per channel."""

DEFAULT_SCHEMES = schemes(
    [
        Method(name, percentile, asymmetric)
        for asymmetric, found in ((True, (*_SEARCHED, (MAX, 0.9999), (MAX, 0.99999))),
                                  (False, _SEARCHED))
        for name, percentile in found
    ],
    (False, True),
)  # fmt: skip
"""What is tried where nothing is said. Ranges of two ends come first: they cost the machine nothing
and are seldom worse."""


@dataclass(frozen=True)
class Subgraph:
    """The nodes on ways from `inputs` to `outputs`, which are nodes' names, and their type."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    qtype: str


@dataclass(frozen=True)
class MixedPrecision:
    """How wider types are chosen: the fewest µs of them that reach `target`.

    target: a cosine to float, or a value of `metric` where that is given. wide: the type used.
    batches: on how many the integer network is judged.
    """

    target: float = TARGET_COSINE
    metric: Metric | None = None
    wide: str = "int16"
    batches: int = 8


@dataclass(frozen=True)
class QuantSettings:
    """How a float network becomes a qat one.

    schemes: tried in order until one reaches `threshold`. load: a file with the ranges of an
    earlier calibration, which then replace the data's; load_path: as the user gave it. Types go by
    priority: `all_node_type` < `op_types` (operator type → choice) < `subgraphs` < `node_types`
    (node → choice). on_cpu: nodes kept in float on the CPU; on_bpu: nodes that must run on the BPU,
    whatever was said of their type. made_up_data: ranges mean nothing, so nothing is judged.
    """

    march: str = "nash-e"
    schemes: tuple[Scheme, ...] = DEFAULT_SCHEMES
    threshold: float = TARGET_COSINE
    load: Path | None = None
    load_path: str = ""
    all_node_type: str = "int8"
    model_output_type: str | None = None
    op_types: Mapping[str, Choices] = field(default_factory=dict[str, Choices])
    subgraphs: tuple[Subgraph, ...] = ()
    node_types: Mapping[str, Choices] = field(default_factory=dict[str, Choices])
    on_cpu: tuple[str, ...] = ()
    on_bpu: tuple[str, ...] = ()
    cpu_op_types: tuple[str, ...] = ()
    bpu_op_types: tuple[str, ...] = ()
    bias_correction: bool = True
    equalization: bool = False
    rounding: str = "nearest"
    mixed_precision: MixedPrecision | None = None
    made_up_data: bool = False
    warnings: tuple[str, ...] = ()
