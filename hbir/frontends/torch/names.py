"""Names for nodes: the path of the module that calls them, so that reports name the user's modules.

A layer of torch.nn that is called once and is one operator bears the module's path alone
(`layer1.0.conv1`); else the operator's name follows the path (`layer1.0.add`). A name that is taken
is numbered (`layer1.0.relu_1`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

from torch import fx
from torch._ops import OpOverload

from hbir.ir.origin import Node as SourceNode

_LIBRARY = "torch.nn.modules."
"""Modules of classes below it are layers: users know them by their path."""


_SPOKEN = {"native_batch_norm_legit_no_training": "batch_norm", "to_copy": "to"}
"""What users call operators that torch writes in another way."""


@dataclass(frozen=True)
class _Place:
    """The innermost module that a node is called in: its path and class."""

    path: str
    kind: str


def operator_name(node: fx.Node) -> str:
    """The overload as ATen spells it, without the namespace: `conv2d.default`."""
    target = node.target
    if not isinstance(target, OpOverload):
        return getattr(target, "__name__", str(target))
    return str(cast(Any, target)).removeprefix("aten.")


def short_name(node: fx.Node) -> str:
    """The operator without its overload: `conv2d`."""
    name = operator_name(node).partition(".")[0].strip("_")
    return _SPOKEN.get(name, name)


def node_names(nodes: list[fx.Node]) -> dict[fx.Node, SourceNode]:
    """Node → its name and operator, as origins hold them. Names are unique."""
    places = {node: _place(node) for node in nodes}
    counts = Counter(places.values())
    taken: Counter[str] = Counter()
    result: dict[fx.Node, SourceNode] = {}
    for node in nodes:
        place, kind = places[node], short_name(node)
        alone = place.path != "" and place.kind.startswith(_LIBRARY) and counts[place] == 1
        name = place.path if alone else ".".join(filter(None, (place.path, kind)))
        taken[name] += 1
        unique = name if taken[name] == 1 else f"{name}_{taken[name] - 1}"
        while unique != name and taken[unique]:
            taken[name] += 1
            unique = f"{name}_{taken[name] - 1}"
        taken[unique] += unique != name
        result[node] = SourceNode(unique, kind)
    return result


def _place(node: fx.Node) -> _Place:
    stack: dict[str, tuple[str, object]] = node.meta.get("nn_module_stack") or {}
    if not stack:
        return _Place("", "")
    path, kind = list(stack.values())[-1]
    path = path.partition("@")[0]  # a second call of the same module is `conv@1`
    text = kind if isinstance(kind, str) else f"{type(kind).__module__}.{type(kind).__qualname__}"
    return _Place(path, text)


def source_line(node: fx.Node) -> str:
    """Where in the user's code a node comes from: `model.py:12, in forward: y = f(x)`; "" if
    unknown."""
    trace: str = node.meta.get("stack_trace") or ""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    frames = [index for index, line in enumerate(lines) if line.startswith('File "')]
    own = [index for index in frames if "/torch/nn/" not in lines[index]] or frames
    if not own:
        return ""
    file, line, function = _parts(lines[own[-1]])
    code = lines[own[-1] + 1] if own[-1] + 1 < len(lines) and own[-1] + 1 not in frames else ""
    return f"{file}:{line}, in {function}" + (f": {code}" if code else "")


def _parts(frame: str) -> tuple[str, str, str]:
    """`File "/a/model.py", line 12, in forward` → its parts, the file without folders."""
    file = frame.split('"')[1].replace("\\", "/").rpartition("/")[2]
    rest = frame.rpartition('"')[2].split(", ")
    line = rest[1].removeprefix("line ") if len(rest) > 1 else "?"
    return file, line, rest[2].removeprefix("in ") if len(rest) > 2 else "?"
