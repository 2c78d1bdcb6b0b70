"""The `hbtl` dialect: calls of library functions on the CPU, where the BPU has no form of an op.

    %y = hbtl.call "onnx::Einsum"(%a, %b) {parameters = {attributes = {equation = "ij,jk"}, ...},
                                           reason = "..."} : (...) -> ...

The signature names the library and the function:

* `native::hbir.softmax`: the kernel of that op; parameters are the op's properties.
* `custom::Swirl`: a function that the user registers before it runs (`hbir.custom`); parameters
  hold `attributes`, `domain`, and `file`, the name of the file that registered it; `inputs` and
  `outputs` as below.
* `onnx::Einsum`: an ONNX operator, run by the ONNX reference implementation; parameters hold
  `attributes` (tensors among them as dense constants), `domain`, `opset`, and, where the node
  leaves out optional inputs or outputs, `inputs` and `outputs`: for each position of the node's
  list the index of the operand or result, −1 for one left out.

`reason` says why the op is not on the BPU. Frontends and placement make calls with
`make_onnx_call` and `make_native_call`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from typing_extensions import override
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FloatAttr,
    StringAttr,
    TensorType,
    f64,
)
from xdsl.ir import Attribute, Dialect, SSAValue
from xdsl.irdl import (
    BaseAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    prop_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from hbir.dialects import collect_dialect
from hbir.dialects.properties import string_property
from hbir.errors import HbirError
from hbir.ir.op import TensorOp, snake_case, to_attribute, to_python
from hbir.ir.origin import Origin, set_origin
from hbir.ir.types import dtype_of
from hbir.ir.weights import WeightStore
from hbir.kernels.hbtl import CUSTOM, LIBRARIES, NATIVE, ONNX, split_signature
from hbir.kernels.table import has_kernel

if TYPE_CHECKING:
    from onnx import AttributeProto, NodeProto


@irdl_op_definition
class CallOp(IRDLOperation):
    """outputs = signature(args): ranked tensors of any element type, any number of results."""

    name = "hbtl.call"

    args = var_operand_def(TensorType)
    signature = prop_def(StringAttr)
    parameters: DictionaryAttr = prop_def(BaseAttr(DictionaryAttr), DictionaryAttr({}))
    reason = string_property("")
    outputs = var_result_def(TensorType)

    assembly_format = "$signature `(` $args `)` attr-dict `:` functional-type(operands, results)"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @property
    def library(self) -> str:
        """`native`, `onnx` or `custom`."""
        return split_signature(self.signature.data)[0]

    @property
    def function(self) -> str:
        """The name of the function in its library: `hbir.softmax`, `Einsum`."""
        return split_signature(self.signature.data)[1]

    def params(self) -> dict[str, Any]:
        """The keyword arguments of the kernel; dense constants are still attributes."""
        parameters = _python(self.parameters)
        if self.library == NATIVE:
            parameters = {snake_case(name): value for name, value in parameters.items()}
        dtypes = tuple(dtype_of(value) for value in self.results)
        return {"signature": self.signature.data, "parameters": parameters, "dtypes": dtypes}

    @override
    def verify_(self) -> None:
        try:
            library, function = split_signature(self.signature.data)
        except HbirError as error:
            raise VerifyException(str(error)) from error
        if not self.results:
            raise VerifyException("a call must have at least one result")
        if library == NATIVE and not has_kernel(function):
            raise VerifyException(f"signature names no kernel: {function}")
        if library in _EXPECTED:
            _verify_node(self, _EXPECTED[library])


_EXPECTED: dict[str, dict[str, type]] = {
    ONNX: {"attributes": dict, "domain": str, "opset": int},
    CUSTOM: {"attributes": dict, "domain": str, "file": str},
}
"""Library → the parameters of its calls, where these stand for a node."""

_ARTICLES = {ONNX: "an", CUSTOM: "a"}


def _verify_node(op: CallOp, expected: Mapping[str, type]) -> None:
    parameters = op.parameters.data
    values = cast(dict[str, Any], _python(op.parameters))
    for name, kind in expected.items():
        if not isinstance(values.get(name), kind):
            raise VerifyException(
                f"parameters of {_ARTICLES[op.library]} {op.library}:: call must hold {name}"
                f" ({kind.__name__}), they hold {', '.join(parameters) or 'nothing'}"
            )
    for name, count in (("inputs", len(op.operands)), ("outputs", len(op.results))):
        given = [index for index in values.get(name, range(count)) if index != -1]
        if given != list(range(count)):
            raise VerifyException(
                f"{name} must name each of the {count} in order, -1 for one left out, got"
                f" {list(values[name])}"
            )


def _python(attribute: Attribute) -> Any:
    """A parameter as a Python value; dense constants stay attributes, names get no other case."""
    if isinstance(attribute, DictionaryAttr):
        return {name: _python(value) for name, value in attribute.data.items()}
    return to_python(attribute)


def make_call(
    signature: str,
    operands: Sequence[SSAValue],
    result_types: Sequence[Attribute],
    parameters: Mapping[str, Attribute],
    *,
    reason: str,
    origin: Origin | None = None,
) -> CallOp:
    """A call of any library function. Raises HbirError for a signature of no known library."""
    split_signature(signature)
    op = CallOp.create(
        operands=list(operands),
        result_types=list(result_types),
        properties={
            "signature": StringAttr(signature),
            "parameters": DictionaryAttr(dict(parameters)),
            "reason": StringAttr(reason),
        },
    )
    set_origin(op, origin)
    return op


def make_native_call(
    op: TensorOp, *, reason: str, operands: Sequence[SSAValue] | None = None
) -> CallOp:
    """The CPU call that computes what `op` computes, by the kernel of the same name.

    `op` stays where it is; the call has its result type and, unless `operands` says others, its
    operands. It carries no origin: the rewriter hands it `op`'s.
    """
    parameters = {
        name: value for name, value in op.properties.items() if name not in op.HIDDEN_PROPERTIES
    }
    if op.PASSES_DTYPE:
        parameters["dtype"] = StringAttr(dtype_of(op.results[0]).name)
    return make_call(
        f"{NATIVE}::{op.name}",
        op.operands if operands is None else operands,
        op.result_types,
        parameters,
        reason=reason,
    )


def make_onnx_call(
    node: NodeProto,
    operands: Sequence[SSAValue | None],
    result_types: Sequence[Attribute | None],
    *,
    opset: int,
    weights: WeightStore,
    reason: str,
    origin: Origin | None = None,
) -> CallOp:
    """The CPU call of an ONNX node, on values in the layout that ONNX gives them.

    operands, result_types: one per input and output of the node, None for one it leaves out (empty
    name) or nobody uses; the op's results are the others, in order. opset: the version of the
    node's domain. Tensor attributes go to `weights`. Raises HbirError for attributes without a
    form here (subgraphs, sparse tensors, types).
    """
    signature = f"{ONNX}::{node.op_type}"
    names = [attribute.name for attribute in node.attribute]
    more = {"opset": to_attribute(opset)}
    return _make_node_call(
        signature, node, names, more, operands, result_types, weights, reason, origin
    )


def make_custom_call(
    node: NodeProto,
    operands: Sequence[SSAValue | None],
    result_types: Sequence[Attribute | None],
    *,
    name: str,
    attributes: Sequence[str],
    file: str,
    weights: WeightStore,
    origin: Origin | None = None,
) -> CallOp:
    """The CPU call of a custom op, as `make_onnx_call` makes one of ONNX's.

    name: the op's, as registered; attributes: those of the node's that it gets; file: the name of
    the file that registered it. Raises HbirError as `make_onnx_call`.
    """
    signature = f"{CUSTOM}::{name}"
    more = {"file": StringAttr(file)}
    reason = f"{name} is a custom op, a Python function of {file or 'the user'}"
    return _make_node_call(
        signature, node, attributes, more, operands, result_types, weights, reason, origin
    )


def _make_node_call(
    signature: str,
    node: NodeProto,
    names: Sequence[str],
    more: Mapping[str, Attribute],
    operands: Sequence[SSAValue | None],
    result_types: Sequence[Attribute | None],
    weights: WeightStore,
    reason: str,
    origin: Origin | None,
) -> CallOp:
    """A call that stands for a node. names: of the attributes that it keeps."""
    attributes = {
        attribute.name: _onnx_attribute(node, attribute, weights)
        for attribute in node.attribute
        if attribute.name in names
    }
    parameters: dict[str, Attribute] = {
        "attributes": DictionaryAttr(attributes),
        "domain": StringAttr(node.domain),
        **more,
    }
    if None in operands:
        parameters["inputs"] = _positions(operands)
    if None in result_types:
        parameters["outputs"] = _positions(result_types)
    return make_call(
        signature,
        [value for value in operands if value is not None],
        [type_ for type_ in result_types if type_ is not None],
        parameters,
        reason=reason,
        origin=origin,
    )


def _positions(values: Sequence[object | None]) -> Attribute:
    """For each value its number among those present, −1 for None."""
    count = 0
    positions: list[int] = []
    for value in values:
        positions.append(-1 if value is None else count)
        count += value is not None
    return to_attribute(positions)


def _onnx_attribute(node: NodeProto, proto: AttributeProto, weights: WeightStore) -> Attribute:
    from onnx import AttributeProto
    from onnx.numpy_helper import to_array

    match proto.type:
        case AttributeProto.INT:
            return to_attribute(proto.i)
        case AttributeProto.FLOAT:
            return FloatAttr(float(np.float32(proto.f)), f64)
        case AttributeProto.STRING:
            return StringAttr(_text(node, proto, proto.s))
        case AttributeProto.TENSOR:
            return weights.attribute(to_array(proto.t))
        case AttributeProto.INTS:
            return to_attribute(list(proto.ints))
        case AttributeProto.FLOATS:
            return to_attribute([float(np.float32(value)) for value in proto.floats])
        case AttributeProto.STRINGS:
            return ArrayAttr([StringAttr(_text(node, proto, value)) for value in proto.strings])
        case AttributeProto.TENSORS:
            return ArrayAttr([weights.attribute(to_array(tensor)) for tensor in proto.tensors])
        case _:
            kind = AttributeProto.AttributeType.Name(proto.type)
            raise HbirError(
                f"node {node.name or node.op_type} ({node.op_type}): attribute {proto.name} of"
                f" type {kind} can't be kept in a CPU op; expected numbers, strings or tensors"
            )


def _text(node: NodeProto, proto: AttributeProto, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise HbirError(
            f"node {node.name or node.op_type} ({node.op_type}): attribute {proto.name} is not"
            " UTF-8 text"
        ) from error


def dialect() -> Dialect:
    """The dialect of the op in this file."""
    return collect_dialect("hbtl", __name__)


__all__ = [
    "LIBRARIES",
    "CallOp",
    "dialect",
    "make_call",
    "make_custom_call",
    "make_native_call",
    "make_onnx_call",
]
