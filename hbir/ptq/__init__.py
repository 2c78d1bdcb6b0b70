"""Post-training quantization as the vendor's users know it: the YAML, its stages and artifacts.

The modes of `hb_compile` as functions, each returning what came of it; imported when first called.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hbir.ptq.build import Built, Recompiled

_Path = str | os.PathLike[str]


def compile_yaml(
    config: _Path, *, skip: str | None = None, executor: Executor | None = None
) -> Built:
    """Everything that a YAML file says. skip: `export`, `convert` or `compile`, to stop before it.

    executor: of `concurrent.futures`, for calibration. Raises HbirError.
    """
    from hbir.ptq.build import build
    from hbir.ptq.config import read_config
    from hbir.ptq.model_inputs import model_inputs

    return build(read_config(config, model_inputs), skip=skip, executor=executor)


def check_onnx(model: _Path, march: str, input_shapes: Mapping[str, str] | None = None) -> Built:
    """Compile an ONNX model at O0 on made-up data, into `.hb_compile/`: what can run, and where.

    input_shapes: name → `1x3x224x224`, for dynamic inputs.
    """
    from hbir.ptq.build import build
    from hbir.ptq.modes import check_config

    return build(check_config(Path(model), march, input_shapes or {}))


def fast_perf(model: _Path, march: str, input_shapes: Mapping[str, str] | None = None) -> Built:
    """The fastest program of an ONNX model, on made-up data, whatever its accuracy."""
    from hbir.ptq.build import build
    from hbir.ptq.modes import fast_perf_config

    config, _ = fast_perf_config(Path(model), march, input_shapes or {})
    return build(config)


def recompile_bc(bc: _Path, config: _Path | None = None, march: str | None = None) -> Recompiled:
    """Compile a `.bc` again, as a YAML file says, or as the `.bc` remembers."""
    from hbir.ptq.build import recompilation, recompile

    path = None if config is None else Path(config)
    return recompile(Path(bc), recompilation(Path(bc), path, march))
