"""Cycles and DDR bytes of encoded instructions: the operands of a program as arrays for `cost`.

The timeline plays what is computed here, reports sum it up by layer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hbir.backend.cost import (
    BILINEAR_TAPS,
    POOLS,
    SAMPLERS,
    ConvWork,
    MatmulWork,
    Work,
    burst_bytes,
    conv_cycles,
    matmul_cycles,
    padded_elements,
    resizer_bytes,
    resizer_fixed_cycles,
    vector_cycles,
)
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.isa.program import ABSENT, Program, Records
from hbir.backend.isa.table import BY_MNEMONIC, BY_NUMBER, Instruction
from hbir.backend.march import Machine

Cycles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TRANSFER_ENGINES = (Engine.LOAD, Engine.STORE)
DDR_SPACES = (Space.CONSTANT, Space.WORKSPACE, Space.INPUT, Space.OUTPUT)

MACS_DTYPE = np.dtype(
    [("layer", "<i4"), ("macs", "<i8"), ("feature_bytes", "<i4"), ("weight_bytes", "<i4")]
)
"""A convolution instruction's work, padding not counted."""


class DescriptorFeatures:
    """What the cost functions need of every descriptor of a program, as arrays."""

    def __init__(self, machine: Machine, program: Program) -> None:
        records = program.descriptors
        self.machine = machine
        self.parameters: Ints = np.asarray(program.parameters, np.int64)
        self.shape: Ints = records["shape"].astype(np.int64)
        self.rank: Ints = records["rank"].astype(np.int64)
        itemsizes = np.array([d.itemsize for d in DType], np.int64)
        self.itemsize: Ints = itemsizes[records["dtype"]]
        self.in_ddr: npt.NDArray[np.bool_] = np.isin(
            records["space"], [int(space) for space in DDR_SPACES]
        )
        axes: Ints = np.arange(self.shape.shape[1], dtype=np.int64)
        filled: Ints = np.where(axes < self.rank[:, None], self.shape, 1)
        self.bytes: Ints = np.prod(filled, axis=1) * self.itemsize
        self.run_bytes = self._runs(records["strides"].astype(np.int64))
        self.elements = self._padded_elements()

    def _runs(self, strides: Ints) -> Ints:
        """Bytes of the contiguous run at the end of each operand."""
        run = self.itemsize.copy()
        contiguous = np.ones(len(run), bool)
        for axis in reversed(range(self.shape.shape[1])):
            extent = self.shape[:, axis]
            used = (axis < self.rank) & (extent > 1)
            contiguous &= ~used | (strides[:, axis] == run)
            run = np.where(used & contiguous, run * extent, run)
        return run

    def _padded_elements(self) -> Ints:
        elements = np.ones(len(self.rank), np.int64)
        for rank in sorted(set(self.rank.tolist())):
            for itemsize in sorted(set(self.itemsize.tolist())):
                mine = (self.rank == rank) & (self.itemsize == itemsize)
                shape = self.shape[mine][:, :rank]
                elements[mine] = padded_elements(self.machine, shape, itemsize)
        return elements

    def cycles(self, engine: Engine, queue: Records) -> Cycles:
        """Cycles of each instruction of a queue, with the DDR to itself."""
        if engine in TRANSFER_ENGINES:
            moving = self.ddr_bytes(queue) / self.machine.ddr_bytes_per_cycle
            return moving + self.fixed_cycles(queue)
        cycles = np.zeros(len(queue), np.float64)
        for opcode in sorted(set(queue["opcode"].tolist())):  # np.unique would import np.ma
            mine = queue["opcode"] == opcode
            row = BY_NUMBER[opcode]
            match row.mnemonic:
                case "conv2d":
                    cycles[mine] = self._conv_cycles(queue[mine])
                case "matmul":
                    cycles[mine] = self._matmul_cycles(queue[mine])
                case _:
                    cycles[mine] = self._vector_cycles(row, queue[mine])
        return cycles

    def fixed_cycles(self, queue: Records) -> Cycles:
        """Cycles of each instruction of LOAD or STORE in which no byte of the DDR moves."""
        latency = float(self.machine.ddr.transfer_latency_cycles) + self._l2_cycles(queue)
        output = queue["operands"][:, 0].astype(np.int64)
        resized = resizer_fixed_cycles(self.machine, self.bytes[output])
        return np.where(_is_resize(queue), resized, latency)

    def ddr_bytes(self, queue: Records) -> Ints:
        """DDR bytes of each LOAD or STORE, in whole bursts."""
        moved = self._moved_bytes(queue)
        resizes = _is_resize(queue)
        if resizes.any():
            rows, columns, channels = self.shape[queue["operands"][resizes, 0]][:, 1:4].T
            moved[resizes] = resizer_bytes(self.machine, rows, columns, channels)
        return moved

    def _moved_bytes(self, queue: Records) -> Ints:
        pair = queue["operands"][:, :2].astype(np.int64)
        ddr = np.where(self.in_ddr[pair[:, 0]], pair[:, 0], pair[:, 1])
        run = self.run_bytes[ddr]
        moved = burst_bytes(self.machine, self.bytes[ddr] // run, run)
        return np.where(self.in_ddr[pair].any(axis=1), moved, 0)

    def _l2_cycles(self, queue: Records) -> Cycles:
        """Cycles of each LOAD or STORE between L1 and L2; 0 for those of DDR."""
        pair = queue["operands"][:, :2].astype(np.int64)
        rate = max(1, self.machine.memory.l2_bytes_per_cycle)
        return np.where(self.in_ddr[pair].any(axis=1), 0.0, self.bytes[pair[:, 0]] / rate)

    def macs(self, queue: Records) -> Records:
        """Multiply-accumulates of a queue's convolutions and matmuls, with the bytes of an element
        of feature (left) and weight (right)."""
        return np.concatenate([self._conv_macs(queue), self._matmul_macs(queue)])

    def _matmul_macs(self, queue: Records) -> Records:
        products = queue[queue["opcode"] == BY_MNEMONIC["matmul"].number]
        output, lhs, rhs = products["operands"][:, :3].astype(np.int64).T
        result = np.zeros(len(products), MACS_DTYPE)
        result["layer"] = products["layer"]
        result["macs"] = self.bytes[output] // self.itemsize[output] * self._last(lhs, 1)
        result["feature_bytes"], result["weight_bytes"] = self.itemsize[lhs], self.itemsize[rhs]
        return result

    def _last(self, operand: Ints, number: int) -> Ints:
        """The extent of an operand's last axis (1), of the one before it (2), ..."""
        return self.shape[operand, self.rank[operand] - number]

    def _matmul_cycles(self, queue: Records) -> Cycles:
        output, lhs, rhs = queue["operands"][:, :3].astype(np.int64).T
        rows, columns = self._last(output, 2), self._last(output, 1)
        zero_point = self._words(queue, BY_MNEMONIC["matmul"], "lhs_zero_point")
        work = MatmulWork(
            self.bytes[output] // self.itemsize[output] // (rows * columns),
            rows + (zero_point != 0),
            columns,
            self._last(lhs, 1),
            self.itemsize[lhs],
            self.itemsize[rhs],
        )
        return matmul_cycles(self.machine, work)

    def _conv_macs(self, queue: Records) -> Records:
        row = BY_MNEMONIC["conv2d"]
        convolutions = queue[queue["opcode"] == row.number]
        operands: Ints = convolutions["operands"].astype(np.int64)
        output, accumulator, x, weights = (operands[:, column] for column in range(4))
        target: Ints = np.where(output != ABSENT, output, accumulator)
        taps = np.prod(self.shape[weights][:, 1:4], axis=1)
        result = np.zeros(len(convolutions), MACS_DTYPE)
        result["layer"] = convolutions["layer"]
        result["macs"] = np.prod(self.shape[target][:, :4], axis=1) * taps
        result["feature_bytes"], result["weight_bytes"] = self.itemsize[x], self.itemsize[weights]
        return result

    def _conv_cycles(self, queue: Records) -> Cycles:
        row = BY_MNEMONIC["conv2d"]
        operand = {
            name.rstrip("?"): queue["operands"][:, i].astype(np.int64)
            for i, name in enumerate(row.operands)
        }
        target = np.where(operand["output"] != ABSENT, operand["output"], operand["accumulator"])
        n, h, w, cout = self.shape[target][:, :4].T
        _, kernel_h, kernel_w, cin = self.shape[operand["weights"]][:, :4].T
        groups = self._words(queue, row, "group_num")
        return conv_cycles(
            self.machine,
            ConvWork(
                n, h, w, cout, kernel_h, kernel_w, cin, groups,
                self.itemsize[operand["x"]], self.itemsize[operand["weights"]],
            ),
        )  # fmt: skip

    def _vector_cycles(self, row: Instruction, queue: Records) -> Cycles:
        output = queue["operands"][:, 0].astype(np.int64)
        first = queue["operands"][:, 1].astype(np.int64) if len(row.operands) > 1 else output
        work = Work(
            self.elements[output],
            self.elements[first],
            self.itemsize[output],
            self.itemsize[first],
            self._taps(row, queue),
        )
        return vector_cycles(self.machine, row.mnemonic, work)

    def _taps(self, row: Instruction, queue: Records) -> Ints | int:
        if row.mnemonic in POOLS:
            return self._words(queue, row, "kernel") * self._words(queue, row, "kernel", 1)
        if row.mnemonic in SAMPLERS:
            bilinear = self._words(queue, row, "mode") == 1
            return np.where(bilinear, BILINEAR_TAPS, 1)
        return 1

    def _words(self, queue: Records, row: Instruction, name: str, part: int = 0) -> Ints:
        offset = sum(p.words for p in row.parameters[: list(row.by_name).index(name)]) + part
        return self.parameters[queue["parameters"].astype(np.int64) + offset]


def _is_resize(queue: Records) -> npt.NDArray[np.bool_]:
    """Which instructions read an image by a roi."""
    return np.asarray(queue["opcode"] == BY_MNEMONIC["roi_resize"].number)
