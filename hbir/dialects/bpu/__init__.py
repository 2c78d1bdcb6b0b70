"""The `bpu` dialect: what the hardware computes, exactly, on si8, si16 and si32 tensors.

One file per op family; `schedule.py` has the attributes that say how and where an op runs. Every
multiplier, shift, bias, table and pad value is explicit: zero points and clip bounds are
properties, per-channel parameters are operands. `docs/arithmetic.md` has each op's formula and its
proofs; `hbir/kernels/integer` has its meaning.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from hbir.dialects import collect_dialect


def dialect() -> Dialect:
    """The dialect of the ops and attributes in this folder."""
    return collect_dialect("bpu", __name__)
