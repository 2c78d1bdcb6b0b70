// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.cast_type ({{.*}}): result has shape [5], operands and properties give [4]
func.func @f(%x: tensor<4xf32>) {
  %0 = hbir.cast_type %x : tensor<4xf32> to tensor<5xsi32>
  func.return
}


// -----

// CHECK: error: {{.*}}: Expected attribute f16 but got f32
func.func @f(%x: tensor<4xf32>) {
  %0 = hbir.fake_cast %x {dtype = f32} : tensor<4xf32>
  func.return
}
