// RUN: hbir-opt %s --allow-unregistered-dialect | filecheck %s --check-prefix=PIPE
// RUN: hbir-opt %s --allow-unregistered-dialect -o %t.mlir && filecheck %s --check-prefix=FILE --input-file %t.mlir

// A pipe gets the names of large constants, a file their bytes too.

// PIPE:     dense_resource<weights> : tensor<17xi8>
// PIPE:     dense<[1, 2, 3]> : tensor<3xi8>
// PIPE-NOT: {-#

// FILE:      dense_resource<weights> : tensor<17xi8>
// FILE:      {-#
// FILE-NEXT:   dialect_resources: {
// FILE-NEXT:     builtin: {
// FILE-NEXT:       weights: "0x400000000102030405060708090a0b0c0d0e0f1011"
// FILE:      #-}

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = "test.large"(%x) {v = dense_resource<weights> : tensor<17xi8>} : (tensor<4xf32>) -> tensor<4xf32>
  %b = "test.small"(%a) {v = dense<[1, 2, 3]> : tensor<3xi8>} : (tensor<4xf32>) -> tensor<4xf32>
  func.return %b : tensor<4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x400000000102030405060708090A0B0C0D0E0F1011"
    }
  }
#-}
