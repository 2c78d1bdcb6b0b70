"""Reading and writing MLIR bytecode, beside xDSL's text and LLVM's mlir-opt."""
