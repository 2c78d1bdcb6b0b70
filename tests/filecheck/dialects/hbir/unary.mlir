// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Elementary functions: one type is printed, the result has it too.

// CHECK-LABEL: func.func @all
// CHECK:         hbir.abs %x : tensor<1x4x3xf32>
// CHECK:         hbir.neg %x : tensor<1x4x3xf32>
// CHECK:         hbir.sign %x : tensor<1x4x3xf32>
// CHECK:         hbir.floor %x : tensor<1x4x3xf32>
// CHECK:         hbir.ceil %x : tensor<1x4x3xf32>
// CHECK:         hbir.sqrt %x : tensor<1x4x3xf32>
// CHECK:         hbir.rsqrt %x : tensor<1x4x3xf32>
// CHECK:         hbir.log %x : tensor<1x4x3xf32>
// CHECK:         hbir.erf %x : tensor<1x4x3xf32>
// CHECK:         hbir.sin %x : tensor<1x4x3xf32>
// CHECK:         hbir.cos %x : tensor<1x4x3xf32>
// CHECK:         hbir.tan %x : tensor<1x4x3xf32>
// CHECK:         hbir.sinh %x : tensor<1x4x3xf32>
// CHECK:         hbir.cosh %x : tensor<1x4x3xf32>
// CHECK:         hbir.asin %x : tensor<1x4x3xf32>
// CHECK:         hbir.acos %x : tensor<1x4x3xf32>
// CHECK:         hbir.atan %x : tensor<1x4x3xf32>
// CHECK:         hbir.asinh %x : tensor<1x4x3xf32>
// CHECK:         hbir.acosh %x : tensor<1x4x3xf32>
// CHECK:         hbir.atanh %x : tensor<1x4x3xf32>
// CHECK:         hbir.round %x : tensor<1x4x3xf32>
// CHECK:         hbir.round %x {decimals = 2 : i64} : tensor<1x4x3xf32>
func.func @all(%x: tensor<1x4x3xf32>) {
  %0 = hbir.abs %x : tensor<1x4x3xf32>
  %1 = hbir.neg %x : tensor<1x4x3xf32>
  %2 = hbir.sign %x : tensor<1x4x3xf32>
  %3 = hbir.floor %x : tensor<1x4x3xf32>
  %4 = hbir.ceil %x : tensor<1x4x3xf32>
  %5 = hbir.sqrt %x : tensor<1x4x3xf32>
  %6 = hbir.rsqrt %x : tensor<1x4x3xf32>
  %7 = hbir.log %x : tensor<1x4x3xf32>
  %8 = hbir.erf %x : tensor<1x4x3xf32>
  %9 = hbir.sin %x : tensor<1x4x3xf32>
  %10 = hbir.cos %x : tensor<1x4x3xf32>
  %11 = hbir.tan %x : tensor<1x4x3xf32>
  %12 = hbir.sinh %x : tensor<1x4x3xf32>
  %13 = hbir.cosh %x : tensor<1x4x3xf32>
  %14 = hbir.asin %x : tensor<1x4x3xf32>
  %15 = hbir.acos %x : tensor<1x4x3xf32>
  %16 = hbir.atan %x : tensor<1x4x3xf32>
  %17 = hbir.asinh %x : tensor<1x4x3xf32>
  %18 = hbir.acosh %x : tensor<1x4x3xf32>
  %19 = hbir.atanh %x : tensor<1x4x3xf32>
  %r = hbir.round %x {decimals = 0} : tensor<1x4x3xf32>
  %s = hbir.round %x {decimals = 2} : tensor<1x4x3xf32>
  func.return
}
