"""MLIR bytecode for xDSL: a reader and a writer in Python, with nothing of hbir in them.

    from hbir.bytecode import read_bytecode, write_bytecode

    chunks = write_bytecode(module)             # write them one after the other
    module = read_bytecode(data, ctx).module    # `data` may be a memory-mapped file

What is read and written is in docs/bytecode.md. Needs xDSL and NumPy.
"""

from __future__ import annotations

from hbir.bytecode.errors import BytecodeError, BytecodeWriteError
from hbir.bytecode.reader import Bytecode, is_bytecode, read_bytecode
from hbir.bytecode.writer import write_bytecode

__all__ = [
    "Bytecode",
    "BytecodeError",
    "BytecodeWriteError",
    "is_bytecode",
    "read_bytecode",
    "write_bytecode",
]
