// RUN: hbir-opt %s -p dead-code-elimination,dead-code-elimination --print-ir-after-all -o %t.mlir 2>&1 | filecheck %s --check-prefixes=FIRST,ALL
// RUN: hbir-opt %s -p dead-code-elimination,dead-code-elimination --print-ir-after-change -o %t.mlir 2>&1 | filecheck %s --check-prefixes=FIRST,CHANGE
// RUN: hbir-opt %s -p dead-code-elimination --time-passes -o %t.mlir 2>&1 | filecheck %s --check-prefix=TIMES
// RUN: hbir-opt %s -p dead-code-elimination --print-ir-after-all 2> %t.err | filecheck %s --check-prefix=STDOUT

// What passes did goes to stderr, constants elided; stdout has the result alone.

// FIRST:      // IR after dead-code-elimination:
// FIRST-NEXT: builtin.module {
// FIRST-NOT:  hbir.constant
// FIRST:      func.return %x
// ALL:        // IR after dead-code-elimination:
// CHANGE:     // IR after dead-code-elimination: no change
// TIMES:      pass times, {{[0-9.]+}} ms in all
// TIMES:      {{[0-9.]+}} {{ *[0-9.]+}} {{ *[0-9]+%}}  dead-code-elimination
// STDOUT-NOT: IR after
// STDOUT:     builtin.module {

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  func.return %x : tensor<4xf32>
}
