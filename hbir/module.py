"""`Module`, `Function` and `Argument`: a network at any level of IR, as users hold it.

The names and habits are those of the vendor's overlay API: `module.functions[0].feed({name:
array})`, `module[0](*arrays)`, `flatten_inputs[i].name / .type.shape / .type.np_dtype`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from hbir.errors import HbirError
from hbir.interface import Ports, bind_inputs
from hbir.ir.context import HbirContext, make_context
from hbir.ir.function import TARGET, body_of, functions_of, output_names
from hbir.ir.storage import module_chunks, module_text, read_text
from hbir.ir.text import print_module
from hbir.ir.types import Array
from hbir.ir.verify import verify_module
from hbir.ir.version import DIALECT_VERSION, VERSION, version_attributes
from hbir.ir.weights import WeightStore
from hbir.overlay.argument import ModuleArgument, inputs_of, outputs_of
from hbir.overlay.remove import TYPES, kept_at_input, kept_at_output, type_of

if TYPE_CHECKING:
    from hbir.backend.march import March

LEVEL = "hbir.level"
"""Module attribute that names the level of IR: one of `LEVELS`."""

LEVELS = ("float", "qat", "quantized", "scheduled")

Listener = Callable[[str, Array, Operation | None], None]
"""Called with (source tensor name, array, op) for each named tensor of a run; op None: an input."""


class Function:
    """A function of a module: feed it arrays, at whatever level it is."""

    def __init__(self, module: Module, op: FuncOp) -> None:
        self._module = module
        self.op = op

    @property
    def name(self) -> str:
        """The function's symbol name."""
        return self.op.sym_name.data

    @property
    def desc(self) -> str:
        """The function's description."""
        value = self.op.attributes.get("hbir.desc")
        return value.data if isinstance(value, StringAttr) else ""

    @desc.setter
    def desc(self, text: str) -> None:
        self.op.attributes["hbir.desc"] = StringAttr(text)

    @property
    def flatten_inputs(self) -> Ports[ModuleArgument]:
        """The inputs in order."""
        return Ports(inputs_of(self.op, self._module.weights))

    @property
    def flatten_outputs(self) -> Ports[ModuleArgument]:
        """The outputs in order."""
        return Ports(outputs_of(self.op, self._module.weights))

    inputs = flatten_inputs
    outputs = flatten_outputs

    @property
    def operations(self) -> list[Operation]:
        """The ops of the function's body, the return left out."""
        return [op for op in body_of(self.op).ops if op.results]

    def feed(self, inputs: Mapping[str, Any], listener: Listener | None = None) -> dict[str, Array]:
        """Run on `inputs` (name → array); returns name → array.

        `listener` gets every named tensor on the way. Raises HbirError for wrong names, shapes or
        dtypes.
        """
        arrays = bind_inputs(f"function {self.name!r}", self.flatten_inputs, inputs)
        outputs = self._run(arrays, listener)
        return dict(zip(output_names(self.op), outputs, strict=True))

    def __call__(self, *arrays: Any) -> Array | tuple[Array, ...]:
        """Run on arrays in order; one output comes alone, several as a tuple."""
        ports = self.flatten_inputs
        if len(arrays) != len(ports):
            raise HbirError(f"function {self.name!r} takes {len(ports)} inputs, got {len(arrays)}")
        given = {port.name: array for port, array in zip(ports, arrays, strict=True)}
        outputs = tuple(self.feed(given).values())
        return outputs[0] if len(outputs) == 1 else outputs

    def _run(self, arrays: list[Array], listener: Listener | None) -> list[Array]:
        if self._module.level == "scheduled":
            from hbir.runtime.scheduled import run
        else:
            from hbir.runtime.interpreter import run
        return run(self.op, arrays, self._module.weights, listener)

    def get_removable_io_op(self) -> list[tuple[str, str]]:
        """(name, type) of every op that `remove_io_op` could remove now, inputs first."""
        return [
            (f"{port.name}_{kind}", kind)
            for port in (*self.flatten_inputs, *self.flatten_outputs)
            for kind in [type_of(op) for op in port.get_attached_op]
        ]

    def remove_io_op(
        self,
        op_types: str | Sequence[str] | None = None,
        op_names: str | Sequence[str] | None = None,
    ) -> list[str]:
        """Remove ops at inputs and outputs, inwards as far as they are wanted; returns their names.

        op_types: of `TYPES`; op_names: of `get_removable_io_op`, which count alone where given.
        Raises HbirError for a type that can't be removed, or a name that is no removable op's.
        """
        op_types = [op_types] if isinstance(op_types, str) else op_types
        op_names = [op_names] if isinstance(op_names, str) else op_names
        for kind in op_types or ():
            if kind not in TYPES:
                raise HbirError(f"Unsupport removing {kind} now; types are {', '.join(TYPES)}")
        removed: list[str] = []
        while found := self._next_wanted(op_types, op_names):
            name, port = found
            done, reason = port.remove_attached_op()
            if not done:
                raise HbirError(f"{name}: {reason}")
            removed.append(name)
        missing = [name for name in op_names or () if name not in removed]
        if missing:
            known = ", ".join(name for name, _ in self.get_removable_io_op()) or "none"
            raise HbirError(
                f"no op {missing[0]!r} at an input or output can go; removable: {known}"
            )
        return removed

    def kept_io_op(self, op_types: Sequence[str]) -> list[tuple[str, str]]:
        """(name, why) of the ops of these types that `remove_io_op` left: something other stands
        between them and the input or output, or more reads them."""
        found: list[tuple[str, str]] = []
        for argument, port in zip(body_of(self.op).args, self.flatten_inputs, strict=True):
            found += [(f"{port.name}_{k}", why) for k, why in kept_at_input(argument, op_types)]
        for index, port in enumerate(self.flatten_outputs):
            kept = kept_at_output(self.op, index, op_types)
            found += [(f"{port.name}_{kind}", why) for kind, why in kept]
        return found

    def _next_wanted(
        self, op_types: Sequence[str] | None, op_names: Sequence[str] | None
    ) -> tuple[str, ModuleArgument] | None:
        for port in (*self.flatten_inputs, *self.flatten_outputs):
            for op in port.get_attached_op:
                kind = type_of(op)
                name = f"{port.name}_{kind}"
                if name in op_names if op_names else kind in (op_types or ()):
                    return name, port
        return None

    def statistics(self) -> dict[str, int]:
        """Op name → count. CPU ops appear as `hbtl.call` with their signature."""
        counts: dict[str, int] = {}
        for op in self.operations:
            signature = op.properties.get("signature")
            key = f"{op.name} {signature.data}" if isinstance(signature, StringAttr) else op.name
            counts[key] = counts.get(key, 0) + 1
        return dict(sorted(counts.items()))

    @override
    def __str__(self) -> str:
        inputs = ", ".join(map(str, self.flatten_inputs))
        outputs = ", ".join(map(str, self.flatten_outputs))
        return f"func @{self.name}({inputs}) -> {outputs}"


class Module:
    """A network: the MLIR module, and the context that owns its constants."""

    def __init__(self, op: ModuleOp, context: HbirContext) -> None:
        self.op = op
        self.context = context

    @classmethod
    def parse(cls, asm: str, filename: str = "<text>") -> Self:
        """The module of a text (a bare `func.func` will do), verified."""
        context = make_context()
        op = read_text(asm, context, filename)
        verify_module(op)
        return cls(op, context)

    @property
    def module(self) -> ModuleOp:
        """The raw MLIR module."""
        return self.op

    @property
    def weights(self) -> WeightStore:
        """The store of the module's constants."""
        return self.context.weights

    @property
    def functions(self) -> list[Function]:
        """The functions that have a body, in order."""
        return [Function(self, op) for op in functions_of(self.op)]

    @property
    def graphs(self) -> list[Function]:
        """The same as `functions`."""
        return self.functions

    def __getitem__(self, key: int | str) -> Function:
        functions = self.functions
        if isinstance(key, int):
            return functions[key]
        for function in functions:
            if function.name == key:
                return function
        names = ", ".join(function.name for function in functions)
        raise HbirError(f"the module has no function {key!r}; it has {names}")

    def __iter__(self) -> Iterator[Function]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)

    @property
    def level(self) -> str:
        """`float`, `qat`, `quantized` or `scheduled`: what the module says, else what it holds."""
        said = self._text_attribute(LEVEL)
        if said in LEVELS:
            return said
        return _level_of_ops(self.op)

    @level.setter
    def level(self, level: str) -> None:
        if level not in LEVELS:
            raise HbirError(f"there is no level {level!r}; levels are {', '.join(LEVELS)}")
        self.op.attributes[LEVEL] = StringAttr(level)
        self.op.attributes.update(version_attributes())

    @property
    def version(self) -> str:
        """The version of the dialects the module is written in."""
        return self._text_attribute(VERSION) or DIALECT_VERSION

    @property
    def march(self) -> March | None:
        """The march that the module was converted for; None before."""
        target = self._text_attribute(TARGET)
        if target is None:
            return None
        from hbir.backend.march import March

        return March.get(target)

    def _text_attribute(self, key: str) -> str | None:
        value = self.op.attributes.get(key)
        return value.data if isinstance(value, StringAttr) else None

    def clone(self) -> Module:
        """A module to be changed on its own; the constants are shared."""
        return Module(self.op.clone(), self.context)

    def verify(self) -> None:
        """Raises VerifyError when an op breaks an invariant."""
        verify_module(self.op)

    def asm(self, *, elide: bool = True, generic: bool = False, debuginfo: bool = False) -> str:
        """The module as text; with `elide=False` with all constants, so that it parses back."""
        stream = StringIO()
        weights = None if elide else self.weights
        print_module(self.op, stream, weights, elide=elide, generic=generic, debuginfo=debuginfo)
        return stream.getvalue()

    def text(self) -> str:
        """What a `.mlir` file of the module holds: all constants, and the versions."""
        return module_text(self.op, self.weights)

    def bytecode(self) -> list[bytes | memoryview]:
        """What a `.bc` file of the module holds, as chunks; the large ones are not copies."""
        return module_chunks(self.op, self.weights)

    @override
    def __str__(self) -> str:
        return self.asm()


def _level_of_ops(op: ModuleOp) -> str:
    level = "float"
    for inner in op.walk():
        if inner.name.startswith("bpu."):
            return "quantized"
        if inner.name in ("qnt.const_fake_quant", "hbir.fake_cast"):
            level = "qat"
    return level
