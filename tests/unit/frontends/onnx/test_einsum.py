"""Einsum against onnxruntime."""

import pytest

from tests.unit.frontends.onnx.oracle import check, count, model_of, node, single

EXTENTS = {"b": 2, "h": 3, "i": 4, "j": 5, "d": 6, "k": 7}


@pytest.mark.parametrize(
    ("equation", "op"),
    [
        ("bhid,bhjd->bhij", "hbir.matmul"),
        ("bihd,bjhd->bhij", "hbir.matmul"),
        ("bhij,bjhd->bihd", "hbir.matmul"),
        ("id,dj->ij", "hbir.matmul"),
        ("id,jd", "hbir.matmul"),
        ("bhd,hdk->bhk", "hbir.matmul"),
        ("bid,bid->b", "hbir.matmul"),
        ("bi,bj->bij", "hbir.mul"),
        ("bij,bij->bij", "hbir.mul"),
        ("bij,bi->bji", "hbir.mul"),
        ("bij,kd->bk", "hbir.mul"),
    ],
)
def test_two_operands(equation: str, op: str) -> None:
    left, right = equation.partition("->")[0].split(",")
    shapes = {name: [EXTENTS[c] for c in term] for name, term in (("x", left), ("y", right))}
    nodes = [node("Einsum", ["x", "y"], ["z"], equation=equation)]
    module = check(model_of(nodes, shapes, ["z"]))
    assert count(module, op) == 1


@pytest.mark.parametrize("equation", ["bij->bji", "bij->bi", "bij->", "...j->...", "ij...->j...i"])
def test_one_operand(equation: str) -> None:
    check(single("Einsum", (2, 4, 5), (), equation=equation))


def test_an_ellipsis_aligns_at_the_last_axis() -> None:
    nodes = [node("Einsum", ["x", "y"], ["z"], equation="...id,...jd->...ij")]
    check(model_of(nodes, {"x": (2, 3, 4, 6), "y": (2, 3, 5, 6)}, ["z"]))


def test_a_diagonal_goes_to_the_cpu() -> None:
    check(single("Einsum", (4, 4), (), equation="ii->i"), on_cpu=["Einsum"])
