"""The pass manager: order, verification after each pass, listeners, errors that name the pass."""

from dataclasses import dataclass

import pytest
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects import test
from xdsl.dialects.builtin import ModuleOp, StringAttr, i32
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from hbir.errors import HbirError
from hbir.ir.context import make_context
from hbir.passes.manager import PassError, PassManager, PipelineError, parse_pipeline


@dataclass(frozen=True)
class Mark(ModulePass):
    """Appends its letter to the module's `marks`."""

    name = "mark"
    letter: str = "m"
    times: int = 1
    also: tuple[int, ...] = ()

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        before = op.attributes.get("marks")
        text = before.data if isinstance(before, StringAttr) else ""
        op.attributes["marks"] = StringAttr(text + self.letter * self.times)


@dataclass(frozen=True)
class Break(ModulePass):
    """Leaves a use before its definition."""

    name = "break"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        definition = test.TestOp(result_types=[i32])
        op.body.block.add_op(test.TestOp(operands=[definition.results[0]]))
        op.body.block.add_op(definition)


@dataclass(frozen=True)
class Refuse(ModulePass):
    """Raises an error a user can mend."""

    name = "refuse"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise HbirError("kernel 7x7 is too large")


@dataclass(frozen=True)
class Need(ModulePass):
    """Has an option without a default."""

    name = "need"
    march: str

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        op.attributes["march"] = StringAttr(self.march)


REGISTRY = {
    "mark": lambda: Mark,
    "break": lambda: Break,
    "refuse": lambda: Refuse,
    "need": lambda: Need,
}


def marks(module: ModuleOp) -> str:
    value = module.attributes["marks"]
    assert isinstance(value, StringAttr)
    return value.data


def test_passes_run_in_order_with_their_options() -> None:
    module = ModuleOp([])
    passes = parse_pipeline('mark,mark{letter=x times=3},mark{letter="y"}', REGISTRY)
    manager = PassManager(passes)
    manager.run(make_context(), module)
    assert marks(module) == "mxxxy"
    assert [time.name for time in manager.times] == ["mark", "mark", "mark"]
    assert all(time.seconds >= 0 and time.verify_seconds >= 0 for time in manager.times)


def test_the_empty_pipeline_has_no_passes() -> None:
    assert parse_pipeline("", REGISTRY) == []
    assert parse_pipeline("  ", REGISTRY) == []


def test_a_pipeline_name_stands_for_its_passes() -> None:
    pipelines = {"twice": ("mark", "mark")}
    assert parse_pipeline("mark{letter=x},twice", REGISTRY, pipelines) == [
        Mark(letter="x"),
        Mark(),
        Mark(),
    ]
    with pytest.raises(PipelineError, match="twice is a whole pipeline"):
        parse_pipeline("twice{letter=x}", REGISTRY, pipelines)


def test_list_options_are_tuples() -> None:
    (made,) = parse_pipeline("mark{also=1,2,3}", REGISTRY)
    assert made == Mark(also=(1, 2, 3))


class Log:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        self.events.append(f"before {pass_.name}")

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        self.events.append(f"after {pass_.name}")


def test_listeners_hear_of_each_pass_until_one_fails() -> None:
    log = Log()
    manager = PassManager([Mark(), Refuse(), Mark()], listeners=[log])
    with pytest.raises(PassError):
        manager.run(make_context(), ModuleOp([]))
    assert log.events == ["before mark", "after mark", "before refuse"]


def test_a_pass_that_breaks_the_module_is_named_with_the_op() -> None:
    manager = PassManager([Mark(), Break(), Mark()])
    with pytest.raises(PassError, match=r"^pass break: its result does not verify: test\.op") as it:
        manager.run(make_context(), ModuleOp([]))
    assert isinstance(it.value.op, test.TestOp)
    assert it.value.pass_name == "break"


def test_without_verify_a_broken_module_goes_on() -> None:
    module = ModuleOp([])
    PassManager([Break(), Mark()], verify=False).run(make_context(), module)
    assert marks(module) == "m"


def test_an_error_raised_by_a_pass_names_the_pass() -> None:
    with pytest.raises(PassError, match=r"^pass refuse: kernel 7x7 is too large$"):
        PassManager([Refuse()]).run(make_context(), ModuleOp([]))


def test_a_defect_of_a_pass_is_not_hidden() -> None:
    class Defective(ModulePass):
        name = "defective"

        @override
        def apply(self, ctx: Context, op: ModuleOp) -> None:
            raise KeyError("no such thing")

    with pytest.raises(KeyError):
        PassManager([Defective()]).run(make_context(), ModuleOp([FuncOp("f", ((), ()))]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("marc", r"there is no pass 'marc'; did you mean 'mark'\?"),
        ("zzzzzz", r"there is no pass 'zzzzzz'; --list-passes"),
        ("mark{colour=red}", r"pass mark has no option 'colour'; it takes: letter, times, also"),
        ("break{a=1}", r"pass break has no option 'a'; it takes: none"),
        ("mark{times=two}", r"pass mark: .*; options: letter=str = 'm' times=int = 1"),
        ("need", r"pass need: need requires argument \"march\""),
        ("mark{times=", r"pass pipeline 'mark\{times=': "),
        ("mark mark", r"pass pipeline 'mark mark': "),
        ("mark;", r"pass pipeline 'mark;': "),
        ("{", r"pass pipeline '\{': "),
    ],
)
def test_a_wrong_pipeline_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message) as it:
        parse_pipeline(text, REGISTRY)
    assert "\n" not in str(it.value)
