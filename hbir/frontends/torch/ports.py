"""Names of inputs and outputs: their place in the call of `forward`, joined by dots.

    forward(x, boxes)                      x, boxes
    boxes = {"a": [t, u]}                  boxes.a.0, boxes.a.1
    a dataclass or named tuple             its fields
    returns t                              output
    returns (t, u)                         output.0, output.1
    returns {"logits": t, "aux": (u, v)}   logits, aux.0, aux.1

Arguments that `forward` collects (`*xs`) are named as torch.export does: `xs_0`, `xs_1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from hbir.errors import HbirError

OUTPUT = "output"
"""Name of an output that has none of its own, and of a tuple of outputs."""


def input_names(program: ExportedProgram, fallback: Sequence[str]) -> list[str]:
    """The name of each leaf of the arguments; `fallback`: torch's names for them."""
    signature = program.module_call_graph[0].signature
    paths = _paths(signature.in_spec) if signature is not None else None
    arguments = signature.forward_arg_names if signature is not None else None
    if paths is None or arguments is None or len(paths) != len(fallback):
        return list(fallback)
    return [_input_name(path, arguments) for path in paths]


def output_names(program: ExportedProgram, count: int) -> list[str]:
    """The name of each leaf of what `forward` returns; there are `count`."""
    signature = program.module_call_graph[0].signature
    paths = _paths(signature.out_spec) if signature is not None else None
    if paths is None or len(paths) != count:
        return [f"{OUTPUT}.{index}" for index in range(count)]
    return [_output_name(path) for path in paths]


def _paths(spec: pytree.TreeSpec) -> list[tuple[Any, ...]] | None:
    """The key path of each leaf; None when a user's class can't be made of anything but tensors."""
    try:
        tree = pytree.tree_unflatten(list(range(spec.num_leaves)), spec)
        leaves, _ = pytree.tree_flatten_with_path(tree)
    except Exception:  # a user's constructor may raise anything
        return None
    return [tuple(path) for path, _ in leaves]


def _input_name(path: tuple[Any, ...], arguments: Sequence[str]) -> str:
    """`path` leads through (args, kwargs)."""
    positional = isinstance(path[0], pytree.SequenceKey) and path[0].idx == 0
    first = path[1]
    if positional and isinstance(first, pytree.SequenceKey) and first.idx < len(arguments):
        return ".".join([arguments[first.idx], *map(_text, path[2:])])
    return ".".join(map(_text, path[1:]))


def _output_name(path: tuple[Any, ...]) -> str:
    named = len(path) > 0 and not isinstance(path[0], pytree.SequenceKey)
    return ".".join([*([] if named else [OUTPUT]), *map(_text, path)])


def _text(key: Any) -> str:
    match key:
        case pytree.SequenceKey():
            return str(key.idx)
        case pytree.MappingKey():
            return str(cast(Any, key).key)
        case pytree.GetAttrKey():
            return str(key.name)
        case _:
            return str(key).strip(".[]")


def given_names(
    names: Any, default: Sequence[str], what: str, label: str, option: str
) -> list[str]:
    """`default`, or the names that the user gives instead: one per tensor, in order, or the same
    nesting of lists, tuples and dicts with names in the tensors' places.

    Raises HbirError when their number differs, or a name comes twice.
    """
    chosen = list(default)
    if names is not None:
        leaves = [names] if isinstance(names, str) else pytree.tree_leaves(names)
        chosen = [leaf for leaf in leaves if isinstance(leaf, str)]
        if len(chosen) != len(leaves) or len(chosen) != len(default):
            raise HbirError(
                f"{label}: {option} must have a name for each of the {len(default)} {what}"
                f" ({', '.join(default)}), got {names}"
            )
    repeated = sorted({name for name in chosen if chosen.count(name) > 1})
    if repeated:
        raise HbirError(
            f"{label}: two {what} would be named {repeated[0]!r}; name them with {option}"
        )
    return chosen
