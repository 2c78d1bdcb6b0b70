"""The two ways in which a node of a user's model is not imported as a BPU op."""

from __future__ import annotations

from hbir.errors import HbirError


class UnsupportedError(HbirError):
    """A node that neither the BPU nor the CPU can run. Names operator, node and constraint."""


class NoBpuForm(HbirError):
    """Raised by an import function: the node has no BPU form, for the reason given.

    The node then becomes a CPU op that carries the reason.
    """
