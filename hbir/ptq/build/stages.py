"""Errors of a compilation say during which stage they came up, in the vendor tool's words."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from hbir.errors import HbirError


class StageError(HbirError):
    """An error with the stage it came up in."""


@contextmanager
def during(stage: str) -> Generator[None]:
    """Errors in the block become `*** ERROR-OCCUR-DURING <stage> ***, error message: ...`."""
    try:
        yield
    except StageError:
        raise
    except HbirError as error:
        raise StageError(f"*** ERROR-OCCUR-DURING {stage} ***, error message: {error}") from error
