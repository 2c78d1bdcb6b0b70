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

// Where the machine holds float16.

// CHECK-LABEL: func.func @fake_cast
// CHECK:         hbir.fake_cast %{{.*}} {dtype = f16} : tensor<4xf32>
// GENERIC-LABEL: sym_name = "fake_cast"
// GENERIC:       "hbir.fake_cast"(%x) <{dtype = f16}> : (tensor<4xf32>) -> tensor<4xf32>
func.func @fake_cast(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = hbir.fake_cast %x {dtype = f16} : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
