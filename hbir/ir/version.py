"""Which version of hbir's files and dialects a module is written in, and how older ones are read.

Two module attributes say it: `hbir.format`, how a module is laid out in a file, and `hbir.version`,
the version of the dialects. Saving writes both; a module without them is taken as of today. What is
newer than this hbir is refused; what is older is upgraded step by step, or refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.ir import Attribute, Operation

from hbir.errors import HbirError

FORMAT = "hbir.format"
"""Module attribute: the version of the file's layout."""

FORMAT_VERSION = 1

VERSION = "hbir.version"
"""Module attribute: the version of the dialects the module is written in."""

DIALECT_VERSION = "0.1"

Upgrade = Callable[[ModuleOp], None]

UPGRADES: dict[str, tuple[str, Upgrade]] = {}
"""Older dialect version → the next one, and the function that brings a parsed, unverified module
there. An op that left the dialect stays registered as long as its upgrade is here."""


class VersionError(HbirError):
    """A module of a version that this hbir doesn't read."""


def version_attributes() -> dict[str, Attribute]:
    """The module attributes of today's versions."""
    return {FORMAT: IntegerAttr(FORMAT_VERSION, i64), VERSION: StringAttr(DIALECT_VERSION)}


@contextmanager
def stamped(op: Operation) -> Generator[None]:
    """Inside, `op` carries the versions that a file of it must say; afterwards its own again."""
    before = dict(op.attributes)
    op.attributes.update(version_attributes())
    try:
        yield
    finally:
        op.attributes.clear()
        op.attributes.update(before)


def check_versions(op: Operation) -> None:
    """Raises VersionError when `op`, a module, is of a version that can't be read."""
    layout = op.attributes.get(FORMAT)
    if isinstance(layout, IntegerAttr) and layout.value.data != FORMAT_VERSION:
        raise VersionError(
            f"written in file format {layout.value.data}; this hbir reads format {FORMAT_VERSION}"
        )
    version = op.attributes.get(VERSION)
    if isinstance(version, StringAttr):
        check_dialect_version(version.data)


def check_dialect_version(version: str) -> None:
    """Raises VersionError for a dialect version that is newer, unknown, or too old."""
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})*", version) is None:
        raise VersionError(
            f"{VERSION} is {version!r}, expected numbers such as {DIALECT_VERSION!r}"
        )
    if _order(version) > _order(DIALECT_VERSION):
        raise VersionError(
            f"written by a newer hbir, in dialect version {version}; this one reads up to "
            f"{DIALECT_VERSION}"
        )
    reached = version
    while reached in UPGRADES:
        reached = UPGRADES[reached][0]
    if reached != DIALECT_VERSION:
        oldest = min([*UPGRADES, DIALECT_VERSION], key=_order)
        raise VersionError(
            f"written in dialect version {version}; this hbir reads {oldest} to {DIALECT_VERSION}. "
            "Make it anew from the model, or convert it with an hbir of that time"
        )


def upgrade(module: ModuleOp) -> None:
    """Bring `module`, whose versions have been checked, to today's dialects."""
    version = module.attributes.get(VERSION)
    if not isinstance(version, StringAttr):
        return
    reached = version.data
    while reached in UPGRADES:
        reached, step = UPGRADES[reached]
        step(module)
    if reached != version.data:
        module.attributes[VERSION] = StringAttr(reached)


def check_text_version(text: str) -> None:
    """The same for a text that doesn't parse, which a newer version may be the reason of."""
    said = re.search(rf'\b{re.escape(VERSION)} *= *"([^"\n]*)"', text)
    if said is not None:
        check_dialect_version(said[1])


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
