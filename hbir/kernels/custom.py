"""Custom ops: a user's Python functions on the CPU, registered by file.

The registry of the process. A call in the IR or in a `.hbm` holds an op's name, its domain and the
name of the file that registered it; the function itself is never stored. `hbir.custom` is what
users import; how to write an op is said there.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from hbir.errors import HbirError
from hbir.kernels.types import Array

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class TensorInfo:
    """Shape and dtype of an operand or a result, as shape inference sees them."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


Infer = Callable[[Sequence[TensorInfo | None], Attributes], Sequence[TensorInfo]]
Compute = Callable[[Sequence[Array | None], Attributes], Any]


@dataclass(frozen=True)
class CustomOp:
    """A registered op. domain: None for any; file: the name of the file that registered it."""

    name: str
    domain: str | None
    infer: Infer
    compute: Compute
    file: str


_ops: dict[tuple[str | None, str], CustomOp] = {}
_shape_functions: dict[str, Callable[[Any], Any]] = {}
"""Shape inference by op, of files of the X3 and J5 generation, which register it apart."""

_current_file: list[str] = []
"""The file that is being read, innermost last."""


def register_op(
    op_type: str, domain: str = "", infer: Callable[..., Any] | None = None
) -> Callable[[FunctionT], FunctionT]:
    """Register the decorated function as an op of an ONNX domain.

    The function gets the operands as arrays in the source model's layout (None for one left out)
    and the node's attributes by keyword; it returns an array, or a tuple of them. infer gets
    `TensorInfo`s in place of arrays and returns one per result: a TensorInfo, or (shape, dtype);
    without it there is one result, like the first operand. Raises HbirError for a name that another
    file has registered.
    """

    def register(function: FunctionT) -> FunctionT:
        def compute(arrays: Sequence[Array | None], attributes: Attributes) -> Any:
            return function(*arrays, **attributes)

        def inferred(infos: Sequence[TensorInfo | None], attributes: Attributes) -> Any:
            if infer is None:
                return [_first(infos)]
            return _as_infos(op_type, infer(*infos, **attributes))

        _add(CustomOp(op_type, domain, inferred, compute, _file_of(function)))
        return function

    return register


def op_implement_register(kind: str) -> Callable[[FunctionT], FunctionT]:
    """As files of the X3 and J5 generation register an op: the decorated class computes it.

    It is made from the node's attributes by keyword; its method `compute` (or `forward`) gets the
    operands as arrays. The op is found in any domain.
    """

    def register(cls: FunctionT) -> FunctionT:
        def compute(arrays: Sequence[Array | None], attributes: Attributes) -> Any:
            made: Any = cls(**attributes)
            method = getattr(made, "compute", None) or made.forward
            return method(*arrays)

        def infer(infos: Sequence[TensorInfo | None], attributes: Attributes) -> Any:
            return _infer_by_shapes(kind, infos)

        _add(CustomOp(kind, None, infer, compute, _file_of(cls)))
        return cls

    return register


def op_shape_infer_register(kind: str) -> Callable[[FunctionT], FunctionT]:
    """The same generation's shape inference: a function of the operands' shapes, in a list, that
    returns the results' shapes, in a list."""

    def register(function: FunctionT) -> FunctionT:
        _shape_functions[kind] = function
        return function

    return register


def register_files(
    files: str | Iterable[str | os.PathLike[str]], folder: str | os.PathLike[str] = "."
) -> list[CustomOp]:
    """Run Python files that register ops; returns the ops. files: paths, or one text with `;`.

    Imports of `horizon_nn.custom` in them get hbir's functions of the same names, where that
    package isn't installed. Raises HbirError, naming the file, for one that fails or registers
    nothing.
    """
    given = files.split(";") if isinstance(files, str) else list(files)
    found: list[CustomOp] = []
    for entry in given:
        text = os.fspath(entry).strip()
        if text:
            found += _run_file(Path(folder) / text)
    return found


def find_op(domain: str, name: str) -> CustomOp | None:
    """The op of a domain, or the one registered for any."""
    return _ops.get((domain, name)) or _ops.get((None, name))


def registered_op(domain: str, name: str, file: str) -> CustomOp:
    """`find_op` for a call that was made when the op was known. Raises HbirError."""
    op = find_op(domain, name)
    if op is None:
        where = f" of domain {domain!r}" if domain else ""
        raise HbirError(
            f"custom op {name}{where} is not registered here; register the file that it came from"
            f' first: hbir.custom.register_files(["{file or "my_ops.py"}"])'
        )
    return op


def infer_custom(
    op: CustomOp, infos: Sequence[TensorInfo | None], attributes: Attributes
) -> list[TensorInfo]:
    """The results of an op. Raises HbirError that names the op when its function fails."""
    try:
        return list(op.infer(infos, attributes))
    except HbirError:
        raise
    except Exception as error:  # a user's function raises anything
        raise HbirError(_failed(op, "shape inference", error)) from error


def run_custom(
    op: CustomOp, arrays: Sequence[Array | None], attributes: Attributes, count: int
) -> tuple[Array, ...]:
    """The op's `count` results. Raises HbirError that names the op when its function fails."""
    try:
        result = op.compute(arrays, attributes)
    except Exception as error:  # a user's function raises anything
        raise HbirError(_failed(op, "computation", error)) from error
    several = isinstance(result, tuple | list)
    results = tuple(map(np.asarray, cast(Sequence[Any], result) if several else (result,)))
    if len(results) != count:
        raise HbirError(
            f"custom op {op.name} ({op.file}) gives {len(results)} results, {count} expected"
        )
    return results


def _failed(op: CustomOp, what: str, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [""])[0]
    kind = type(error).__name__
    return f"custom op {op.name} ({op.file}): its {what} fails with {kind}: {reason}"


def _add(op: CustomOp) -> None:
    known = _ops.get((op.domain, op.name))
    if known is not None and known.file != op.file:
        raise HbirError(
            f"custom op {op.name} is registered by {known.file} already; {op.file} must not"
            " register it again"
        )
    _ops[op.domain, op.name] = op


def _file_of(function: Callable[..., Any]) -> str:
    """The name of the file that registers: without its folder, which other machines don't have."""
    if _current_file:
        return _current_file[-1]
    module = sys.modules.get(function.__module__)
    return Path(getattr(module, "__file__", None) or "").name


def _first(infos: Sequence[TensorInfo | None]) -> TensorInfo:
    first = next((info for info in infos if info is not None), None)
    if first is None:
        raise HbirError("an op without operands needs a function that infers its results' shapes")
    return first


def _as_infos(name: str, given: Any) -> list[TensorInfo]:
    """What a user's inference returned, one result or several."""
    single = isinstance(given, TensorInfo) or _is_pair(given)
    entries = [given] if single else list(cast(Sequence[Any], given))
    infos: list[TensorInfo] = []
    for entry in entries:
        if isinstance(entry, TensorInfo):
            infos.append(entry)
        elif _is_pair(entry):
            shape, dtype = entry
            infos.append(TensorInfo(tuple(int(extent) for extent in shape), np.dtype(dtype)))
        else:
            raise HbirError(
                f"custom op {name}: its shape inference must return (shape, dtype) per result, got"
                f" {entry!r}"
            )
    return infos


def _is_pair(given: Any) -> bool:
    """Whether it is (shape, dtype)."""
    if not isinstance(given, tuple) or len(cast(tuple[Any, ...], given)) != 2:
        return False
    shape, dtype = cast(tuple[Any, Any], given)
    if not isinstance(shape, tuple | list) or isinstance(dtype, tuple | list):
        return False
    return all(isinstance(extent, int | np.integer) for extent in cast(Sequence[Any], shape))


def _infer_by_shapes(kind: str, infos: Sequence[TensorInfo | None]) -> list[TensorInfo]:
    """By the function that was registered for the op's shapes; one result like the first else."""
    first = _first(infos)
    function = _shape_functions.get(kind)
    if function is None:
        return [first]
    shapes: Any = function([list(info.shape) if info is not None else [] for info in infos])
    if shapes and all(isinstance(extent, int | np.integer) for extent in shapes):
        shapes = [shapes]  # of a single result
    return [TensorInfo(tuple(int(extent) for extent in shape), first.dtype) for shape in shapes]


def _run_file(path: Path) -> list[CustomOp]:
    before = dict(_ops)
    spec = importlib.util.spec_from_file_location(f"hbir_custom_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise HbirError(f"{path}: no such Python file")
    module = importlib.util.module_from_spec(spec)
    _current_file.append(path.name)
    try:
        with _legacy_modules():
            spec.loader.exec_module(module)
    except HbirError as error:
        raise HbirError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:  # the file is the user's program
        reason = (str(error).strip().splitlines() or [""])[0]
        raise HbirError(f"{path}: fails with {type(error).__name__}: {reason}") from error
    finally:
        _current_file.pop()
    found = [op for key, op in _ops.items() if before.get(key) is not op]
    if not found:
        raise HbirError(
            f"{path}: registers no op; decorate its function with hbir.custom.register_op"
        )
    return found


@contextmanager
def _legacy_modules() -> Generator[None]:
    """`horizon_nn.custom` and `.op_registration` while a file runs, unless they are installed."""
    names = ("horizon_nn", "horizon_nn.custom", "horizon_nn.custom.op_registration")
    if any(name in sys.modules for name in names) or _is_installed(names[0]):
        yield
        return
    for name in names:
        made: Any = types.ModuleType(name)
        made.__path__ = []
        made.op_implement_register = op_implement_register
        made.op_shape_infer_register = op_shape_infer_register
        sys.modules[name] = made
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
