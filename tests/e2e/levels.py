"""Take a network through every level of IR, and hold the levels to the same bits.

Used by the end-to-end tests and by `acceptance.py`. A `Network` is calibrated once; what depends on
the march or on the optimization level is made on demand and kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

import hbir
import hbir.onnx

Array = np.ndarray[Any, Any]
Feed = dict[str, Array]
Tensors = dict[str, list[Array]]
"""By name, the tensors of a run that have it."""

MARCHES = ("nash-e", "nash-m", "nash-p", "nash-b")
OPTIMIZATION_LEVELS = (0, 1, 2)


@dataclass
class Network:
    """A calibrated model, and its later levels per march and -O level."""

    name: str
    calibrated: hbir.Module
    folder: Path
    _quantized: dict[str, hbir.Module] = field(default_factory=dict[str, hbir.Module])
    _scheduled: dict[tuple[str, int], hbir.Module] = field(
        default_factory=dict[tuple[str, int], hbir.Module]
    )
    _programs: dict[tuple[str, int], hbir.Hbm] = field(
        default_factory=dict[tuple[str, int], hbir.Hbm]
    )
    _tensors: dict[str, tuple[Feed, Tensors]] = field(
        default_factory=dict[str, tuple[Feed, Tensors]]
    )
    """March → inputs and tensors of the quantized module's latest run."""

    @staticmethod
    def calibrate(
        name: str,
        model: onnx.ModelProto | Path,
        batches: Iterable[Feed],
        folder: Path,
        input_shapes: dict[str, tuple[int, ...]] | None = None,
        method: str = "max",
        **options: Any,
    ) -> "Network":
        """Export `model` and calibrate it on `batches`; compiled files go into `folder`.

        method, options: as `hbir.calibrate` takes them.
        """
        source = str(model) if isinstance(model, Path) else model
        module = hbir.onnx.export(source, name=name, input_shapes=input_shapes)
        calibrated = hbir.calibrate(module, batches, method=method, **options)
        return Network(name, calibrated, folder)

    def quantized(self, march: str) -> hbir.Module:
        if march not in self._quantized:
            self._quantized[march] = hbir.convert(self.calibrated, march)
        return self._quantized[march]

    def scheduled(self, march: str, opt: int) -> hbir.Module:
        if (march, opt) not in self._scheduled:
            self._scheduled[march, opt] = hbir.schedule(self.quantized(march), march, opt=opt)
        return self._scheduled[march, opt]

    def program(self, march: str, opt: int) -> hbir.Hbm:
        """The compiled file, read back from disk."""
        if (march, opt) not in self._programs:
            path = self.folder / f"{self.name}-{march}-O{opt}.hbm"
            hbir.compile(self.quantized(march), str(path), march, opt=opt)
            self._programs[march, opt] = hbir.Hbm(str(path))
        return self._programs[march, opt]

    def run_quantized(self, march: str, feed: Feed) -> Feed:
        tensors = self._tensors[march] = (feed, Tensors())
        return self.quantized(march).functions[0].feed(feed, partial(_keep, tensors[1]))

    def run_scheduled(self, march: str, opt: int, feed: Feed) -> Feed:
        return self.scheduled(march, opt).functions[0].feed(feed)

    def run_program(self, march: str, opt: int, feed: Feed) -> Feed:
        """The outputs. Where the quantized module ran on the same inputs last, every named tensor
        on the way is held to its bits, too."""
        tensors = Tensors()
        outputs = self.program(march, opt).graphs[0].feed(feed, partial(_keep, tensors))
        last_feed, expected = self._tensors.get(march, ({}, Tensors()))
        if last_feed is feed:
            what = f"{self.name} on {march} at O{opt}, tensors"
            assert_same_bits(_numbered(expected), _numbered(tensors), what)
        return outputs


def _keep(tensors: Tensors, name: str, array: Array, _: object) -> None:
    """A name that comes again is another tensor where its values differ (exact and rounded), and
    the same where they don't: a view that the module makes twice, the program has once."""
    known = tensors.setdefault(name, [])
    if not any(_same(array, other) for other in known):
        known.append(array.copy())


def _same(one: Array, other: Array) -> bool:
    alike = one.dtype == other.dtype and one.shape == other.shape
    return alike and not (_bits(one) != _bits(other)).any()


def _numbered(tensors: Tensors) -> Feed:
    return {
        f"{name} ({number})": array
        for name, arrays in tensors.items()
        for number, array in enumerate(arrays)
    }


def assert_same_bits(expected: Feed, actual: Feed, what: str) -> None:
    """Same output names, shapes, types and bits; the message counts and locates the differences."""
    assert actual.keys() == expected.keys(), f"{what}: outputs {set(actual)} != {set(expected)}"
    for name, want in expected.items():
        got = actual[name]
        assert got.dtype == want.dtype, f"{what}: {name} is {got.dtype}, expected {want.dtype}"
        assert got.shape == want.shape, f"{what}: {name} is {got.shape}, expected {want.shape}"
        different = _bits(got) != _bits(want)
        if different.any():
            first = tuple(int(i) for i in np.argwhere(different)[0])
            raise AssertionError(
                f"{what}: {name} differs in {int(different.sum())} of {different.size} elements, "
                f"first at {first}: {got[first]} instead of {want[first]}"
            )


def _bits(array: Array) -> Array:
    """The elements as unsigned integers, so that NaN equals itself and -0.0 differs from 0.0."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def assert_levels_equal(network: Network, march: str, opt: int, feeds: Iterable[Feed]) -> None:
    """Quantized, scheduled and program level give the same bits for every feed."""
    for index, feed in enumerate(feeds):
        what = f"{network.name} on {march} at O{opt}, input {index}"
        expected = network.run_quantized(march, feed)
        scheduled = network.run_scheduled(march, opt, feed)
        assert_same_bits(expected, scheduled, f"scheduled level of {what}")
        assert_same_bits(expected, network.run_program(march, opt, feed), f"program of {what}")


def assert_disjoint(calibration: Iterable[Array], evaluation: Iterable[Array]) -> None:
    """No evaluation input may be one the network was calibrated on."""
    seen = {array.tobytes() for array in calibration}
    repeated = [index for index, array in enumerate(evaluation) if array.tobytes() in seen]
    assert not repeated, f"evaluation inputs {repeated} were calibrated on"


def cosine(a: Array, b: Array) -> float:
    """Cosine similarity of two tensors of one shape, in float64."""
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))
