"""Runs passes over a module: verifies after each, times it, tells listeners, names what fails.

Pipelines are written in xDSL's syntax, `a,b{opt=1 other=2}`; `parse_pipeline` reads them with
errors a user can act on.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, get_type_hints

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec
from xdsl.utils.arg_spec import parse_pipeline as parse_specs
from xdsl.utils.exceptions import ArgSpecParseError, DiagnosticException
from xdsl.utils.hints import type_repr

from hbir.errors import HbirError, did_you_mean
from hbir.ir.verify import VerifyError, verify_module

PassRegistry = Mapping[str, Callable[[], type[ModulePass]]]
"""Pass name → a function that imports its class."""


class PipelineError(HbirError):
    """A pipeline text with a syntax error, an unknown pass, or an option its pass doesn't take."""


class PassError(HbirError):
    """A pass that failed, or left a module that doesn't verify; `op` is the op it failed on."""

    def __init__(self, pass_name: str, reason: str, op: Operation | None = None) -> None:
        self.pass_name = pass_name
        self.op = op
        super().__init__(f"pass {pass_name}: {reason}")


class PassListener(Protocol):
    """Is told before and after each pass; `after` comes once the module has verified."""

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        """`pass_` is about to run on `module`."""
        ...

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        """`pass_` has run on `module`, which verifies."""
        ...


@dataclass(frozen=True)
class PassTime:
    """What one run of a pass took, by the wall clock; `verify_seconds` is the verifier after it."""

    name: str
    seconds: float
    verify_seconds: float


class PassManager:
    """A list of passes to run in order. `times` grows by an entry per pass run."""

    def __init__(
        self,
        passes: Iterable[ModulePass],
        *,
        listeners: Sequence[PassListener] = (),
        verify: bool = True,
    ) -> None:
        self.passes = tuple(passes)
        self.times: list[PassTime] = []
        self._listeners = tuple(listeners)
        self._verify = verify

    def run(self, ctx: Context, module: ModuleOp) -> None:
        """Run every pass on `module`, in place.

        Raises PassError at the first pass that fails; the module is then of no further use.
        """
        for pass_ in self.passes:
            for listener in self._listeners:
                listener.before(pass_, module)
            self._run_one(pass_, ctx, module)
            for listener in self._listeners:
                listener.after(pass_, module)

    def _run_one(self, pass_: ModulePass, ctx: Context, module: ModuleOp) -> None:
        start = time.perf_counter()
        try:
            pass_.apply(ctx, module)
        except (HbirError, DiagnosticException) as error:
            raise PassError(pass_.name, first_line(error), failed_op(error)) from error
        middle = time.perf_counter()
        if self._verify:
            try:
                verify_module(module)
            except VerifyError as error:
                reason = f"its result does not verify: {error}"
                raise PassError(pass_.name, reason, error.op) from error
        end = time.perf_counter()
        self.times.append(PassTime(pass_.name, middle - start, end - middle))


def failed_op(error: BaseException) -> Operation | None:
    """The op that an error is about, where it says one."""
    op = getattr(error, "op", None)
    return op if isinstance(op, Operation) else None


def first_line(error: BaseException) -> str:
    """An error's message without what xDSL appends to it; its class name when it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def parse_pipeline(
    text: str, registry: PassRegistry, pipelines: Mapping[str, Sequence[str]] | None = None
) -> list[ModulePass]:
    """The passes of `a,b{opt=1}`, made with their options.

    A name in `pipelines` stands for the passes it lists, which run with their default options.
    Raises PipelineError.
    """
    try:
        specs = list(parse_specs(text.strip()))
    except ArgSpecParseError as error:
        # xDSL's message is the text with a caret below; its last line says what was wrong
        reason = str(error).strip().splitlines()[-1].strip(" ^-|")
        raise PipelineError(f"pass pipeline {text!r}: {reason}") from None
    passes: list[ModulePass] = []
    for spec in specs:
        names = (pipelines or {}).get(spec.name)
        if names is None:
            passes.append(_make_pass(spec, registry))
        elif spec.parameters:
            raise PipelineError(f"{spec.name} is a whole pipeline, which takes no options")
        else:
            passes += [_make_pass(ArgSpec(name, {}), registry) for name in names]
    return passes


def _make_pass(spec: ArgSpec, registry: PassRegistry) -> ModulePass:
    if spec.name not in registry:
        hint = did_you_mean(spec.name, registry) or "; --list-passes shows what there is"
        raise PipelineError(f"there is no pass {spec.name!r}{hint}")
    pass_type = registry[spec.name]()
    options = {option.replace("_", "-"): type_ for option, type_ in pass_options(pass_type)}
    for given in spec.parameters:
        if given.replace("_", "-") not in options:
            takes = ", ".join(options) or "none"
            raise PipelineError(f"pass {spec.name} has no option {given!r}; it takes: {takes}")
    try:
        return pass_type.from_spec(spec)
    except (ValueError, TypeError) as error:
        wanted = " ".join(f"{name}={type_}" for name, type_ in options.items())
        raise PipelineError(f"pass {spec.name}: {error}; options: {wanted}") from None


def pass_options(pass_type: type[ModulePass]) -> list[tuple[str, str]]:
    """A pass's options: name, and type with the default where there is one."""
    hints = get_type_hints(pass_type)
    options: list[tuple[str, str]] = []
    for field in dataclasses.fields(pass_type):
        type_ = type_repr(hints[field.name])
        has_default = field.default is not dataclasses.MISSING
        options.append((field.name, f"{type_} = {field.default!r}" if has_default else type_))
    return options
