"""Layout of a .hbm file: header, section table, section kinds.

docs/hbm-format.md says the same in prose. All numbers are little-endian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import IntEnum

import numpy as np

from hbir.errors import HbirError

MAGIC = b"HBIRHBM\0"
FORMAT_VERSION = 2
SECTION_ALIGNMENT_BYTES = 64
CHECKSUM_BYTES = 32

HEADER_DTYPE = np.dtype(
    [
        ("magic", "V8"),
        ("version", "<u4"),
        ("section_count", "<u4"),
        ("file_bytes", "<u8"),
        ("reserved", "<u8"),
        ("checksum", "u1", (CHECKSUM_BYTES,)),
    ]
)
"""The file's first 64 bytes. `checksum` is the BLAKE2b-256 of all of the file but itself."""

SECTION_DTYPE = np.dtype([("kind", "<u4"), ("reserved", "<u4"), ("offset", "<u8"), ("size", "<u8")])
"""An entry of the section table, which follows the header."""

CHECKSUM_OFFSET = HEADER_DTYPE.itemsize - CHECKSUM_BYTES


class Section(IntEnum):
    """Section kinds, in the order in which they stand in a file; each stands there once."""

    STRUCTURE = 1
    """JSON: machine, graphs, interfaces, segments, function calls (queues by number)."""
    CONSTANTS = 2
    """Space.CONSTANT, as it lies in DDR: weights in tile order, tables, requantization."""
    DESCRIPTORS = 3
    """Records of `DESCRIPTOR_DTYPE`."""
    PARAMETERS = 4
    """Signed 64-bit words."""
    WAITS = 5
    """Records of `WAIT_DTYPE`."""
    INSTRUCTIONS = 6
    """Records of `INSTRUCTION_DTYPE`, queue after queue."""
    QUEUES = 7
    """Records of `QUEUE_DTYPE`."""
    DEBUG = 8
    """JSON: the layers and values of each graph."""
    PARTS = 9
    """Records of `PART_DTYPE`, `position` counted through the INSTRUCTIONS section."""


QUEUE_DTYPE = np.dtype([("core", "<u2"), ("engine", "<u2"), ("first", "<u4"), ("count", "<u4")])
"""A queue: `count` instructions from number `first` of the INSTRUCTIONS section."""


class FormatError(HbirError):
    """A file that is not a whole, valid .hbm; the message has section and byte offset."""


def checksum(parts: Iterable[bytes | memoryview]) -> bytes:
    """The checksum of the concatenated parts of a file."""
    digest = hashlib.blake2b(digest_size=CHECKSUM_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()
