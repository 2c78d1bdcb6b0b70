// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// The constant: inline when small; the type is that of its values.

// CHECK-LABEL: func.func @constant
// CHECK:         hbir.constant dense<[1, 2]> : tensor<2xsi8>
// CHECK:         hbir.constant dense<1.000000e+00> : tensor<f32>
// GENERIC-LABEL: sym_name = "constant"
// GENERIC:       "hbir.constant"() <{values = dense<[1, 2]> : tensor<2xsi8>}> : () -> tensor<2xsi8>
func.func @constant() -> tensor<f32> {
  %0 = hbir.constant dense<[1, 2]> : tensor<2xsi8>
  %1 = hbir.constant dense<1.000000e+00> : tensor<f32>
  func.return %1 : tensor<f32>
}
