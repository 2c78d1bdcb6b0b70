// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Changes of the element type.

// CHECK-LABEL: func.func @cast_type
// CHECK:         hbir.cast_type %{{.*}} : tensor<4xf32> to tensor<4xsi32>
// GENERIC-LABEL: sym_name = "cast_type"
// GENERIC:       "hbir.cast_type"(%x) : (tensor<4xf32>) -> tensor<4xsi32>
func.func @cast_type(%x: tensor<4xf32>) -> tensor<4xsi32> {
  %0 = hbir.cast_type %x : tensor<4xf32> to tensor<4xsi32>
  func.return %0 : tensor<4xsi32>
}
