// RUN: hbir-opt %s -p equalize-layers,dead-code-elimination | filecheck %s

// Channel 1 of %a is given by weights of 8 and read by one of 1/8: √(8 / 0.125) = 8, so that it is
// given by 1 and read by 1. Its bias is divided too. Channel 0 is even already. What was scaled has
// another name than the source's tensor; what comes of it keeps its own.

// CHECK-LABEL: func.func @between
// CHECK-DAG: hbir.constant dense<1.000000e+00> : tensor<1x2xf32>
// CHECK-DAG: hbir.constant dense<[5.000000e-01, 2.000000e+00]>
// CHECK-DAG: hbir.constant dense<1.000000e+00> : tensor<2x1xf32>
// CHECK-DAG: hbir.linear {{.*}}#hbir.origin<"a/scaled", from "first" "Gemm">
// CHECK-DAG: hbir.relu {{.*}}#hbir.origin<"r/scaled">
// CHECK-DAG: hbir.linear {{.*}}#hbir.origin<"y">
func.func @between(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %w = hbir.constant dense<[[1.0, 8.0]]> : tensor<1x2xf32>
  %b = hbir.constant dense<[0.5, 16.0]> : tensor<2xf32>
  %v = hbir.constant dense<[[1.0], [0.125]]> : tensor<2x1xf32>
  %a = hbir.linear %x, %w, %b {fusion_group = 0 : i64, origin = #hbir.origin<"a", from "first" "Gemm">} : (tensor<1x1xf32>, tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %r = hbir.relu %a {fusion_group = 0 : i64, origin = #hbir.origin<"r">} : tensor<1x2xf32>
  %y = hbir.linear %r, %v {origin = #hbir.origin<"y">} : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  func.return %y : tensor<1x1xf32>
}

// Through pooling into a depthwise convolution, whose channel c has its own weights.

// CHECK-LABEL: func.func @depthwise
// CHECK: hbir.constant dense<2.000000e+00> : tensor<2x1x1x1xf32>
// CHECK: hbir.constant dense<2.000000e+00> : tensor<2x1x1x1xf32>
func.func @depthwise(%x: tensor<1x2x2x1xf32>) -> tensor<1x1x1x2xf32> {
  %w = hbir.constant dense<[[[[8.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %v = hbir.constant dense<[[[[0.5]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %a = hbir.conv2d %x, %w : (tensor<1x2x2x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %p = hbir.max_pool %a {kernel = [2, 2], stride = [1, 1]} : (tensor<1x2x2x2xf32>) -> tensor<1x1x1x2xf32>
  %y = hbir.conv2d %p, %v {groupNum = 2 : i64} : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  func.return %y : tensor<1x1x1x2xf32>
}

// A tensor that something else reads, or an output, stays; so does one behind an upper bound.

// CHECK-LABEL: func.func @stays
// CHECK-DAG: hbir.constant dense<{{\[\[}}1.000000e+00, 8.000000e+00{{\]\]}}>
// CHECK-DAG: hbir.constant dense<{{\[\[}}1.000000e+00], [1.250000e-01{{\]\]}}>
func.func @stays(%x: tensor<1x1xf32>) -> (tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x1xf32>) {
  %w = hbir.constant dense<[[1.0, 8.0]]> : tensor<1x2xf32>
  %v = hbir.constant dense<[[1.0], [0.125]]> : tensor<2x1xf32>
  %a = hbir.linear %x, %w : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = hbir.linear %a, %v : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  %b = hbir.linear %x, %w {fusion_group = 1 : i64} : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %c = hbir.clip %b {min = 0.0, max = 6.0, fusion_group = 1 : i64} : tensor<1x2xf32>
  %z = hbir.linear %c, %v : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  func.return %y, %a, %z : tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x1xf32>
}
