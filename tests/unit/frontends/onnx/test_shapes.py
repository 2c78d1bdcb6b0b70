"""Open input shapes, however a file spells them."""

from typing import Any

import pytest

from hbir.errors import HbirError
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import model_of, node


def relu(shape: Any) -> Any:
    return model_of([node("Relu", ["x"])], {"x": shape}, ["y"])


def shape_of_input(shape: Any, input_shapes: Any = None) -> tuple[int, ...]:
    return export(relu(shape), input_shapes=input_shapes).functions[0].flatten_inputs[0].type.shape


@pytest.mark.parametrize("batch", ["batch", "?", None, -1, 0])
def test_an_open_batch_is_one(batch: Any) -> None:
    assert shape_of_input((batch, 3, 4)) == (1, 3, 4)


@pytest.mark.parametrize("extent", ["height", "?", None, -1, 0])
@pytest.mark.parametrize("given", [(2, 3, 8), {"x": (2, 3, 8)}, {"x": [2, 3, 8]}])
def test_other_open_extents_are_given(extent: Any, given: Any) -> None:
    assert shape_of_input((None, 3, extent), given) == (2, 3, 8)


def test_a_shape_may_be_missing_altogether() -> None:
    assert shape_of_input(None, {"x": (5,)}) == (5,)


@pytest.mark.parametrize("shape", [(1, 3, "width"), (1, 3, -1), (1, 0), None])
def test_what_is_not_given_is_named_with_the_remedy(shape: Any) -> None:
    with pytest.raises(HbirError) as error:
        export(relu(shape))
    text = str(error.value)
    assert "The model is a dynamically input model. Please specify the 'input_shape'" in text
    assert "input 'x'" in text
    assert "input_shapes={'x': (" in text


@pytest.mark.parametrize("given", [(1, 4, 8), (1, 3), {"x": (1, 4, 8)}])
def test_a_shape_that_does_not_fit_is_refused(given: Any) -> None:
    with pytest.raises(HbirError, match=r"input 'x' has shape \[1, 3, w\]"):
        export(relu((1, 3, "w")), input_shapes=given)


@pytest.mark.parametrize("given", [(1, 3, 0), (1, 3, -2), (1, 3, "w"), (1, 3, 2.5)])
def test_a_shape_of_something_else_is_refused(given: Any) -> None:
    with pytest.raises(HbirError, match="must be positive integers"):
        export(relu((1, 3, "w")), input_shapes=given)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(HbirError, match="input_shapes names 'z', the model's inputs are x"):
        export(relu((1, 3)), input_shapes={"z": (1, 3)})


def test_one_shape_for_two_inputs_is_refused() -> None:
    model = model_of([node("Add", ["a", "b"])], {"a": (1, "n"), "b": (1, "n")}, ["y"])
    with pytest.raises(HbirError, match="2 inputs"):
        export(model, input_shapes=(1, 4))


def test_an_absurd_shape_is_refused() -> None:
    with pytest.raises(HbirError, match="input 'x' of shape"):
        export(relu((1, 2**31, 2**31)))


def test_so_is_an_absurd_result() -> None:
    nodes = [node("Reshape", ["x", "s"], ["c"]), node("Add", ["x", "c"])]
    from tests.unit.frontends.onnx.oracle import ints

    model = model_of(nodes, {"x": (1, 2**17)}, ["y"], {"s": ints(2**17, 1)})
    with pytest.raises(HbirError, match="would take"):
        export(model)
