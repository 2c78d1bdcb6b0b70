"""Who runs a network many times: `--workers N` local processes, or `--dask ADDRESS` a cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from hbir.errors import HbirError

DASK_TIMEOUT_S = 20
"""How long to wait for a scheduler to answer."""


@contextmanager
def executor_of(workers: int = 0, dask: str | None = None) -> Generator[Executor | None]:
    """The executor of a command's options, closed at the end; None for work in this process.

    workers: how many local processes; 0 or 1 for none. dask: the address of a Dask scheduler, which
    goes on running afterwards; its workers need hbir. Results are the same with any of them.
    Raises HbirError for both at once, and for a cluster that can't be reached.
    """
    if workers < 0:
        raise HbirError(f"--workers must be 0 or more, got {workers}")
    if dask is not None and workers:
        raise HbirError("give --workers or --dask, not both")
    if dask is not None:
        with _dask_client(dask) as client:
            yield client.get_executor()
        return
    if workers < 2:
        yield None
        return
    # Processes that are forked inherit locks of BLAS threads; new ones start clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as executor:
        yield executor


@contextmanager
def _dask_client(address: str) -> Generator[Any]:
    try:
        import distributed
    except ImportError:
        raise HbirError("--dask needs dask: pip install 'hbir[dask]'") from None
    tools: Any = distributed
    try:
        client = tools.Client(address, timeout=DASK_TIMEOUT_S)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise HbirError(
            f"--dask {address}: no Dask scheduler answers ({reason}); expected an address as"
            " tcp://host:8786"
        ) from None
    with client:
        yield client
