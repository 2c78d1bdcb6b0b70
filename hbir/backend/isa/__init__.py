"""The instruction set of the modelled machine.

`table` is the one definition of every opcode: its operands, its parameters and their ranges. The
encoder and decoder (`codec`), the builder, the assembler and disassembler (`text`), the `isa`
dialect and docs/isa.md all read it. `program` holds what they produce and consume.
"""
