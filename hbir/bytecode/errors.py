"""The errors of reading and writing: one each, that say where and what."""

from __future__ import annotations


class BytecodeError(ValueError):
    """A file that can't be read; the message has the byte offset and the section.

    `offset` counts bytes from the start of the file.
    """

    def __init__(self, reason: str, section: str, offset: int) -> None:
        self.reason = reason
        self.section = section
        self.offset = offset
        super().__init__(f"byte {offset}, {section}: {reason}")


class BytecodeWriteError(ValueError):
    """A module that has no bytecode form, such as an integer type wider than MLIR has."""
