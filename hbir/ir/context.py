"""The xDSL context of a module: the dialects it may use, and its weight store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.func import Func
from xdsl.ir import Attribute, Dialect, Operation

from hbir.errors import HbirError
from hbir.ir.weights import WeightStore


class _Resources(OpAsmDialectInterface):
    """Leaves resource names as they are: hbir's are content hashes, kept in the weight store.

    xDSL's own storage is one for the whole process, holds hex text, and renames a handle that it
    meets a second time.
    """

    @override
    def declare_resource(self, key: str) -> str:
        return key

    @override
    def parse_resource(self, key: str, val: str) -> None:
        raise HbirError(f"resource {key} stands outside the file's resource section")

    @override
    def build_resources(self, keys: Iterable[str]) -> dict[str, str]:
        return {}


@dataclass
class HbirContext(Context):
    """A context that also owns the constants of its modules."""

    weights: WeightStore = field(default_factory=WeightStore)

    @override
    def get_optional_op(
        self, name: str, *, dialect_stack: Sequence[str] = ()
    ) -> type[Operation] | None:
        """As xDSL does, but an op comes without the rest of its dialect.

        A network uses ops of a few families: importing the others' definitions would take longer
        than compiling it.
        """
        from hbir.dialects import op_of_its_file

        dialect, _, rest = name.partition(".")
        known = rest and dialect in self.registered_dialect_names
        if known and dialect not in self._loaded_dialects:
            found = op_of_its_file(name)
            if found is not None:
                return found
        return super().get_optional_op(name, dialect_stack=dialect_stack)

    @override
    def get_optional_attr(self, name: str) -> type[Attribute] | None:
        """As xDSL does, but origins, which every op has, load no dialect."""
        from hbir.ir.origin import OriginAttr

        return OriginAttr if name == OriginAttr.name else super().get_optional_attr(name)

    @override
    def clone(self) -> HbirContext:
        """A context with the same dialects that shares the weight store."""
        copy = make_context()
        copy.allow_unregistered = self.allow_unregistered
        copy.weights = self.weights
        return copy


def weights_of(ctx: Context) -> WeightStore:
    """The weight store of the context a pass was given.

    Raises HbirError for a plain xDSL context, which has none.
    """
    if isinstance(ctx, HbirContext):
        return ctx.weights
    raise HbirError("hbir's passes need a context made by hbir.ir.context.make_context()")


def make_context(*, allow_unregistered: bool = False) -> HbirContext:
    """A context with builtin, func and all of hbir's dialects, and an empty weight store."""
    from hbir.dialects import all_dialects

    ctx = HbirContext(allow_unregistered=allow_unregistered)
    ctx.load_dialect(
        Dialect("builtin", list(Builtin.operations), list(Builtin.attributes), [_Resources()])
    )
    ctx.load_dialect(Func)
    for name, factory in all_dialects().items():
        ctx.register_dialect(name, factory)
    return ctx
