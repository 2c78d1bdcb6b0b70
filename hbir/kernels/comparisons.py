"""The comparisons by name, which mean the same on floats and on integers: `COMPARISONS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

COMPARISONS: dict[str, Callable[[Any, Any], npt.NDArray[np.bool_]]] = {
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
}
"""Of the float level the names of ops, of `bpu.compare` its modes: x − y against 0."""
