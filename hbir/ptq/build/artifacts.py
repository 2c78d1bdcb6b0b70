"""The files of a compilation: their names, and the folder they go into.

Each is written beside and renamed, so it is there whole or not at all, and a stage that fails
leaves the files of earlier runs as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hbir.errors import HbirError

SUFFIXES = {
    "original_float": "_original_float_model.onnx",
    "optimized_float": "_optimized_float_model.onnx",
    "calibrated": "_calibrated_model.onnx",
    "ptq": "_ptq_model.onnx",
    "quant_info": "_quant_info.json",
    "tuned_config": "_final_quant_config.json",
    "tuning_report": "_tuning_report.md",
    "ptq_module": "_ptq_model.bc",
    "inserted_module": "_inserted_model.bc",
    "quantized": "_quantized_model.bc",
    "removed": "_quantized_removed_model.bc",
    "advice": "_advice.json",
    "node_info": "_node_info.csv",
    "hbm": ".hbm",
    "html": ".html",
    "perf": ".json",
    "trace": ".trace.json",
}
"""What a file is → how its name ends after the prefix."""


@dataclass(frozen=True)
class Artifacts:
    """The files of one compilation."""

    folder: Path
    prefix: str

    def make_folder(self) -> None:
        """Make the folder. Raises HbirError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HbirError(
                f"working_dir {self.folder}: can't be made ({error.strerror})"
            ) from None

    def path(self, what: str) -> Path:
        """The path of a file, by its key in SUFFIXES."""
        return self.folder / f"{self.prefix}{SUFFIXES[what]}"

    def older_than(self, time_ns: int) -> list[str]:
        """The names of files that were written before a time, as `os.stat` has it."""
        return [path.name for path in self.present().values() if path.stat().st_mtime_ns < time_ns]

    def present(self) -> dict[str, Path]:
        """The files that are there."""
        paths = {what: self.path(what) for what in SUFFIXES}
        return {what: path for what, path in paths.items() if path.is_file()}
