"""Compiled files kept for the next time: the same module, march and options give the same bytes.

A file's name is the hash of all that shapes it: the IR with its constants' content hashes, the
machine's numbers, the options, the compiler's version and the file format's.
"""

from __future__ import annotations

import hashlib
from io import StringIO
from pathlib import Path

from hbir.backend.march import Machine
from hbir.compiler.options import CompileOptions
from hbir.errors import HbirError
from hbir.files import read_file, write_file
from hbir.hbm.format import FORMAT_VERSION
from hbir.ir.text import print_module
from hbir.module import Module


def cached_file(
    module: Module, machine: Machine, opt: int, desc: str, options: CompileOptions
) -> Path | None:
    """Where the compiled file is kept, or would be; None where nothing is to be kept.

    Raises HbirError when the folder doesn't exist.
    """
    if options.cache_mode == "disable":
        return None
    folder = Path(options.cache_path)
    if not folder.is_dir():
        raise HbirError(f"cache_path {options.cache_path}: no such folder")
    from hbir import __version__

    text = StringIO()
    print_module(module.op, text, None, elide=False)
    shaping = (__version__, FORMAT_VERSION, opt, desc, options.changed(), machine.identity)
    digest = hashlib.blake2b(repr(shaping).encode(), digest_size=16)
    digest.update(text.getvalue().encode())
    return folder / f"{digest.hexdigest()}.hbm"


def copy_cached(kept: Path | None, path: str, options: CompileOptions) -> bool:
    """Copy the kept file to `path`; whether there was one to be used."""
    if kept is None or options.cache_mode != "enable" or not kept.is_file():
        return False
    write_file(path, read_file(kept))
    return True
