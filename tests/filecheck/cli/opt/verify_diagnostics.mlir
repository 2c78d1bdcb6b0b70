// RUN: hbir-opt %s --verify-diagnostics --split-input-file --allow-unregistered-dialect | filecheck %s
// RUN: not hbir-opt %s --split-input-file --allow-unregistered-dialect 2>&1 | filecheck %s

// Each piece gets its own verdict, with the line of the whole file. The message is about one op:
// nothing else of the module is printed.

// CHECK:      error: func.return ({{.*}}verify_diagnostics.mlir:12:3): Expected arguments to have the same types as the function output types
// CHECK-NEXT:     func.return %x : tensor<4xf32>

func.func @wrong_type(%x: tensor<4xf32>) -> tensor<5xf32> {
  %unused = "test.neighbour"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %x : tensor<4xf32>
}

// -----

// CHECK:      // -----
// CHECK-NEXT: builtin.module {
// CHECK-NEXT:   func.func @sound

func.func @sound(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}

// -----

// CHECK:      error: test.use ({{.*}}verify_diagnostics.mlir:33:3): operand 0 (%b) is used before it is defined
// CHECK-NEXT:     %{{.*}} = "test.use"(%b)
// CHECK-SAME: dense_resource<__elided__> : tensor<17xi8>

func.func @use_before_definition(%x: tensor<4xf32>) -> tensor<4xf32> {
  // a large constant is not spelled out in the diagnostic
  %a = "test.use"(%b) {v = dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]> : tensor<17xi8>} : (tensor<4xf32>) -> tensor<4xf32>
  %b = "test.def"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %a : tensor<4xf32>
}
