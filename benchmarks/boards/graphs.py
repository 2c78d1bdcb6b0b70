"""The graphs behind the measured rows, quantized and kept in `build/boards`.

`quantized(name)` takes a graph's name: one of `TORCH_GRAPHS`, written in plain torch beside this
folder, or an ultralytics configuration such as `yolov8n-seg`, for which `make venv-boards` must
have run. Times depend on shapes only, so weights are constants and ranges are made up, not
observed. Inputs and outputs carry no float: the boards were fed NV12 and the networks' ends are
dequantized by whoever reads them (`hb_compile --fast-perf` removes the same ops). NV12's 1.5 bytes
a pixel stand as 3, the bytes of three int8 channels.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

import hbir
import hbir.onnx
from hbir.errors import HbirError
from hbir.ir.function import body_of, return_of, update_function_type
from hbir.ir.rewriter import erase_dead_ops
from hbir.module import Module

if TYPE_CHECKING:
    from torch import nn

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "boards"
ULTRALYTICS_PYTHON = ROOT / ".venv-boards" / "bin" / "python"
EXPORTER = Path(__file__).with_name("export_ultralytics.py")
MARCH = "nash-e"
"""What graphs are quantized for; E, M and P take the same integer ops."""

RANGE = (-4.0, 4.0)
OPSET = 17
FILL = 0.01


def _resnet(layers: int) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        from benchmarks.models.resnet import resnet

        return resnet(layers)

    return build


def _mobilenet_v2() -> nn.Module:
    from benchmarks.models.mobilenet_v2 import mobilenet_v2

    return mobilenet_v2()


def _lite(variant: int) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        from benchmarks.models.efficientnet_lite import efficientnet_lite

        return efficientnet_lite(variant)

    return build


def _henet(name: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        from benchmarks.models.henet import henet

        return henet(name)

    return build


def _siglip(size: str, image: int, patch: int, pooler: bool) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        from benchmarks.models.vit import siglip

        return siglip(size, image, patch, pooler)

    return build


SIGLIP_SIZES = (
    ("base", 16, 224), ("base", 16, 384), ("base", 16, 512), ("large", 16, 256),
    ("large", 16, 384), ("so400m", 14, 224), ("so400m", 14, 384), ("so400m", 16, 256),
)  # fmt: skip

TORCH_GRAPHS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int]]] = {
    **{f"resnet{n}": (_resnet(n), (224, 224)) for n in (18, 34, 50, 152)},
    "mobilenet_v2": (_mobilenet_v2, (224, 224)),
    **{
        f"efficientnet_lite{n}": (_lite(n), (size, size))
        for n, size in enumerate((224, 240, 260, 280, 300))
    },
    **{
        f"henet_{name.lower()}_{h}x{w}": (_henet(name), (h, w))
        for name in ("TinyE", "TinyM")
        for h, w in ((224, 224), (704, 1280))
    },
    **{
        f"siglip_{size}_p{patch}_{image}_{'pooler' if pooler else 'tokens'}": (
            _siglip(size, image, patch, pooler),
            (image, image),
        )
        for size, patch, image in SIGLIP_SIZES
        for pooler in (True, False)
    },
}
"""Name → what builds the network, and the height and width of its image."""


def needs_ultralytics(name: str) -> bool:
    """Whether a graph comes from the ultralytics package."""
    return name not in TORCH_GRAPHS


def quantized(name: str) -> Module:
    """The quantized module of a graph, from the cache or built into it.

    Raises HbirError for an unknown name, and for a YOLO where `make venv-boards` hasn't run.
    """
    kept = CACHE / f"{name}.bc"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        module = build(name)
        hbir.save(module, kept)
        return module
    return hbir.load(kept)


def build(name: str) -> Module:
    """The quantized module of a graph, built anew."""
    return bare(hbir.convert(with_made_up_ranges(imported(name)), MARCH))


def imported(name: str) -> Module:
    """The float module of a graph."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        if needs_ultralytics(name):
            _export_ultralytics(name, path.parent)
        else:
            _export_torch(name, path)
        import onnx

        model = onnx.load(path)  # pyright: ignore[reportUnknownMemberType]  (a generic PathLike)
    return hbir.onnx.export(model, name="network")


def _export_ultralytics(name: str, folder: Path) -> None:
    if not ULTRALYTICS_PYTHON.exists():
        raise HbirError(f"{name} is built by ultralytics: run `make venv-boards` first")
    run = subprocess.run(
        [str(ULTRALYTICS_PYTHON), str(EXPORTER), str(folder), name],
        env={**os.environ, "YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true"},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    if run.returncode != 0:
        raise HbirError(f"{name}: ultralytics can't export it:\n{run.stdout}{run.stderr}")


def _export_torch(name: str, path: Path) -> None:
    import torch

    make, (height, width) = TORCH_GRAPHS[name]
    with torch.device("meta"):  # no random numbers are drawn that nobody reads
        network = make()
    network.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(FILL)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
        torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]  (dicts without types)
            network,
            (torch.zeros(1, 3, height, width),),
            str(path),
            opset_version=OPSET,
            input_names=["image"],
            dynamo=False,
        )


def with_made_up_ranges(module: Module) -> Module:
    """`module` at the qat level, every value observed in `RANGE`."""
    from hbir.passes.groups import is_inside_group
    from hbir.passes.observed import write_observed
    from hbir.passes.pipelines import CALIBRATE, OPTIMIZE, run_pipeline

    result = module.clone()
    run_pipeline(result.context, result.op, OPTIMIZE)
    function = result.functions[0].op
    observed: dict[SSAValue, tuple[float, float]] = dict.fromkeys(body_of(function).args, RANGE)
    for op in body_of(function).ops:
        if op.name != "hbir.constant" and not is_inside_group(op):
            for value in op.results:
                observed[value] = RANGE
    write_observed(function, observed)
    run_pipeline(result.context, result.op, CALIBRATE)
    result.level = "qat"
    return result


def bare(module: Module) -> Module:
    """`module`, changed in place: its inputs and outputs as the machine holds them.

    Quantize and transpose behind an input, and dequantize before an output, are left out; the
    function's type then says the integer type, channel last.
    """
    for function in module.functions:
        for index in range(len(body_of(function.op).args)):
            _enter_bare(function.op, index)
        results = return_of(function.op)
        for index, value in enumerate(results.operands):
            if isinstance(value.owner, Operation) and value.owner.name == "qnt.dequantize":
                results.operands[index] = value.owner.operands[0]
        update_function_type(function.op)
    erase_dead_ops(module.op)
    return module


_ENTRY_OPS = ("qnt.quantize", "bpu.transpose")


def _enter_bare(function: FuncOp, index: int) -> None:
    """Leave out what stands between an argument and the network."""
    argument: SSAValue = body_of(function).args[index]
    while (op := argument.get_user_of_unique_use()) is not None and op.name in _ENTRY_OPS:
        argument = Rewriter.replace_value_with_new_type(argument, op.results[0].type)
        op.results[0].replace_all_uses_with(argument)
        op.detach()
        op.erase()
