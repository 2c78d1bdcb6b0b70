"""The frontends' errors, where this frontend's files look for them."""

from __future__ import annotations

from hbir.frontends.errors import NoBpuForm, UnsupportedError

__all__ = ["NoBpuForm", "UnsupportedError"]
