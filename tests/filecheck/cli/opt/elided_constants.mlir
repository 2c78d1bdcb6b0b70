// RUN: hbir-opt %s --allow-unregistered-dialect | filecheck %s --check-prefix=FILE
// RUN: hbir-opt %s --allow-unregistered-dialect | hbir-opt - --allow-unregistered-dialect | filecheck %s --check-prefix=FILE
// RUN: hbir-opt %s --allow-unregistered-dialect -o %t.mlir && filecheck %s --check-prefix=FILE --input-file %t.mlir
// RUN: hbir-opt %s --allow-unregistered-dialect -o %t.bc && hbir-opt %t.bc --allow-unregistered-dialect | filecheck %s --check-prefix=FILE
// RUN: hbir-opt %s --allow-unregistered-dialect --elide-constants | filecheck %s --check-prefix=SHORT

// Pipes and files get the bytes of large constants, a reader who asks not to does not.

// SHORT:     dense_resource<__elided__> : tensor<17xi8>
// SHORT:     dense<[1, 2, 3]> : tensor<3xi8>
// SHORT-NOT: {-#

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
