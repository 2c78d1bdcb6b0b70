"""onnxruntime as what runs the float network on calibration data, where it is installed.

It is several times faster than the interpreter, and its sums differ from the interpreter's in their
last bits, as the order of additions does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from onnx import helper
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.errors import HbirError
from hbir.exporters.onnx.exporter import export_with_tensors
from hbir.ir.function import body_of, input_names
from hbir.ir.origin import name_of
from hbir.ir.types import Array
from hbir.module import Module
from hbir.passes.groups import is_inside_group
from hbir.passes.permutation import Dims, inverse
from hbir.quantization.observe import Runner, interpreter_runner
from hbir.runtime.interpreter import Listener

log = logging.getLogger("hbir.calibrate")

QUIET = 3
"""onnxruntime's log level of errors."""


def fastest_runner(module: Module) -> Runner:
    """onnxruntime where it can run an optimized float module, else the interpreter."""
    return onnxruntime_runner(module) or interpreter_runner(module)


def onnxruntime_runner(module: Module) -> Runner | None:
    """What runs an optimized float module of one function, whose ops all have origins; None where
    onnxruntime isn't installed, or the module holds something that it doesn't run."""
    try:
        import onnxruntime
    except ImportError:
        return None
    tools: Any = onnxruntime
    try:
        file, tensors = export_with_tensors(module)
    except HbirError as error:
        log.debug("calibration runs on the interpreter: %s", error)
        return None
    function = module.functions[0].op
    watched = [
        (result, *tensors[result])
        for op in body_of(function).ops
        if not is_inside_group(op)
        for result in op.results
        if result in tensors
    ]
    inputs: list[str] = list(input_names(function))
    known = {str(output.name) for output in file.model.graph.output} | set(inputs)
    names = dict.fromkeys(tensor for _, tensor, _ in watched)
    file.model.graph.output.extend(
        helper.make_empty_tensor_value_info(name) for name in names if name not in known
    )
    options = tools.SessionOptions()
    options.log_severity_level = QUIET
    # Threads that wait by turning in circles would take the core that statistics are made on.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    threads = os.environ.get("OMP_NUM_THREADS", "")
    options.intra_op_num_threads = int(threads) if threads.isdecimal() else 0
    try:
        session: Any = tools.InferenceSession(
            file.data(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its own classes, of which none is public
        log.debug("calibration runs on the interpreter: %s", error)
        return None
    return _Session(session, inputs, watched)


class _Session:
    """A session, and which of its tensors is which result of the IR."""

    def __init__(
        self, session: Any, inputs: list[str], watched: Sequence[tuple[SSAValue, str, Dims]]
    ) -> None:
        self._session, self._inputs = session, inputs
        computed = [name for _, name, _ in watched if name not in inputs]
        self._fetched: list[str] = list(dict.fromkeys(computed))
        self._results: list[tuple[Operation, str, str, Dims]] = [
            (result.op, name_of(result, ""), tensor, inverse(layout))
            for result, tensor, layout in watched
            if isinstance(result, OpResult)
        ]

    def __call__(self, batches: Sequence[Sequence[Array]], listener: Listener) -> None:
        """The next batch runs, off Python's lock, while the listener looks at one."""
        with ThreadPoolExecutor(1) as ahead:
            under_way = [ahead.submit(self._tensors, arrays) for arrays in batches[:1]]
            for following in [*batches[1:], None]:
                found = under_way.pop().result()
                if following is not None:
                    under_way.append(ahead.submit(self._tensors, following))
                self._tell(found, listener)

    def _tensors(self, arrays: Sequence[Array]) -> dict[str, Array]:
        given = dict(zip(self._inputs, arrays, strict=True))
        try:
            found: list[Any] = self._session.run(self._fetched, given) if self._fetched else []
        except Exception as error:  # its own classes, of which none is public
            reason = " ".join(str(error).split())
            raise HbirError(f"the float network can't be run: {reason}") from None
        return {**dict(zip(self._fetched, found, strict=True)), **given}

    def _tell(self, found: Mapping[str, Array], listener: Listener) -> None:
        for name in self._inputs:
            listener(name, found[name], None)
        for op, name, tensor, axes in self._results:
            listener(name, np.asarray(found[tensor]).transpose(axes), op)
