// RUN: hbir-opt %s --parsing-diagnostics --split-input-file | filecheck %s
// RUN: not hbir-opt %s --split-input-file 2>&1 | filecheck %s

// A text that can't be parsed is one line with its place in the file.

// CHECK: error: {{.*}}parsing_diagnostics.mlir:9:8: Operation test.unknown is not registered

func.func @unknown_op(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = test.unknown %x : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// CHECK: error: {{.*}}parsing_diagnostics.mlir:18:{{.*}}: operand is used with type tensor<5xf32>, but has been previously used or defined with type tensor<4xf32>

func.func @wrong_type(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<5xf32>
}

// -----

// CHECK: error: {{.*}}parsing_diagnostics.mlir:{{.*}}: values used but not defined: [%nowhere]

func.func @undefined(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %nowhere : tensor<4xf32>
}
