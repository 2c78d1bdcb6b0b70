// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Pooling.

// CHECK-LABEL: func.func @max
// CHECK:         hbir.max_pool %{{.*}} {kernel = [3, 3], stride = [2, 2], pad = [1, 1, 1, 1]} : (tensor<1x9x9x3xf32>) -> tensor<1x5x5x3xf32>
// CHECK:         hbir.max_pool %{{.*}} {kernel = [2, 2], stride = [2, 2], ceilMode = true} : (tensor<1x9x9x3xf32>) -> tensor<1x5x5x3xf32>
// GENERIC-LABEL: sym_name = "max"
// GENERIC:       "hbir.max_pool"(%x) <{kernel = [3, 3]
func.func @max(%x: tensor<1x9x9x3xf32>) -> tensor<1x5x5x3xf32> {
  %0 = hbir.max_pool %x {kernel = [3, 3], stride = [2, 2], pad = [1, 1, 1, 1]} : (tensor<1x9x9x3xf32>) -> tensor<1x5x5x3xf32>
  %1 = hbir.max_pool %x {kernel = [2, 2], stride = [2, 2], ceilMode = true} : (tensor<1x9x9x3xf32>) -> tensor<1x5x5x3xf32>
  func.return %1 : tensor<1x5x5x3xf32>
}

// CHECK-LABEL: func.func @avg
// CHECK:         hbir.avg_pool %{{.*}} {kernel = [3, 2]} : (tensor<1x9x9x3xf32>) -> tensor<1x7x8x3xf32>
// CHECK:         hbir.avg_pool %{{.*}} {kernel = [3, 3], pad = [1, 1, 1, 1], dilation = [2, 1], countIncludePad = false} : (tensor<1x9x9x3xf32>) -> tensor<1x7x9x3xf32>
func.func @avg(%x: tensor<1x9x9x3xf32>) -> tensor<1x7x9x3xf32> {
  %0 = hbir.avg_pool %x {kernel = [3, 2], ceilMode = false, countIncludePad = true} : (tensor<1x9x9x3xf32>) -> tensor<1x7x8x3xf32>
  %1 = hbir.avg_pool %x {kernel = [3, 3], pad = [1, 1, 1, 1], dilation = [2, 1], countIncludePad = false} : (tensor<1x9x9x3xf32>) -> tensor<1x7x9x3xf32>
  func.return %1 : tensor<1x7x9x3xf32>
}
