// RUN: not hbir-disas %S/nowhere.hbm 2>&1 | filecheck %s --check-prefix=MISSING
// RUN: not hbir-disas %s 2>&1 | filecheck %s --check-prefix=NOT-HBM
// RUN: not hbir-disas --assemble %s -o %t.hbm 2>&1 | filecheck %s --check-prefix=TEXT
// RUN: not hbir-disas --assemble %s 2>&1 | filecheck %s --check-prefix=NO-OUTPUT

// Bad input is one message and exit status 1.

// MISSING: error: {{.*}}nowhere.hbm: no such file
// NOT-HBM: error: {{.*}}errors.mlir: header at byte 0: not a .hbm file (wrong magic number)
// TEXT: error: {{.*}}errors.mlir:14: a queue needs a 'call' above it
// NO-OUTPUT: error: --assemble needs the file to write: -o model.hbm

isa.program {
  queue 0 load
}
