// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s
// RUN: hbir-opt %s -o %t.mlir && hbir-opt %t.mlir | filecheck %s

// What is printed parses back, in the custom and in the generic form, from a file and from stdin.

// CHECK:      func.func @identity(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
// CHECK-NEXT:   func.return %x : tensor<2x3xf32>
// CHECK-NEXT: }

// GENERIC:      "func.func"() <{
// GENERIC:        "func.return"(%x) : (tensor<2x3xf32>) -> ()

func.func @identity(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  func.return %x : tensor<2x3xf32>
}
