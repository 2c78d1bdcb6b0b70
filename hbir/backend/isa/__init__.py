"""The instruction set of the modelled machine.

`table` is the one definition of every opcode: its operands, its parameters and their ranges. The
builder, the assembler and disassembler, the simulator, the `isa` dialect and docs/isa.md all read
it. `program` holds what the builder makes and the container stores.
"""
