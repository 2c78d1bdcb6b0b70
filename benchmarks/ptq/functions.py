"""hbir's functions from ONNX to hbm, phase by phase: what `benchmarks.ptq` runs as a process.

python -m benchmarks.ptq.functions FOLDER METHOD [--search]

FOLDER holds `resnet50.onnx` and `data/*.npy`. Prints a line per phase.
"""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

MARCH = "nash-e"


@contextmanager
def phase(name: str) -> Generator[None]:
    """Print what the block took."""
    start, processor = time.perf_counter(), time.process_time()
    yield
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    print(f"{name}: {seconds:.2f} s, {processor:.2f} s of processor time", flush=True)


def main(folder: Path, method: str, *, search: bool) -> None:
    """The whole way."""
    with phase("import"):
        import numpy as np

        import hbir
        import hbir.onnx
        from hbir.ptq.quant_config import settings_from
        from hbir.ptq.quantize import quantize

    activation = {"calibration_type": method, "asymmetric": True}
    config = {} if search else {"model_config": {"activation": activation}}
    path = folder / "resnet50.onnx"
    with phase("export"):
        module = hbir.onnx.export(str(path))
    name = module.functions[0].flatten_inputs[0].name
    with phase("quantize"):
        images = [{name: np.load(file)} for file in sorted((folder / "data").glob("*.npy"))]
        result = quantize(module, images, settings_from(config))
    with phase("convert"):
        quantized = hbir.convert(result.module, MARCH)
    with phase("compile"):
        hbir.compile(quantized, str(path.with_suffix(".hbm")), MARCH)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], search="--search" in sys.argv)
