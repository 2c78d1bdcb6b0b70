// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.constant ({{.*}}): attribute tensor<3xsi8> expected from variable 'T', but got tensor<2xsi8>
func.func @f() {
  %0 = "hbir.constant"() <{values = dense<1> : tensor<2xsi8>}> : () -> tensor<3xsi8>
  func.return
}

// -----

// CHECK: error: hbir.constant ({{.*}}): property 'values' expected in operation 'hbir.constant'
func.func @f() {
  %0 = "hbir.constant"() : () -> tensor<3xsi8>
  func.return
}
