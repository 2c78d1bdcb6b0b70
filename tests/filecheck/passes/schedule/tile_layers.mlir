// RUN: hbir-opt %s -p 'tile-layers{march="%S/march.toml" opt=0}' | filecheck %s --check-prefix=FIRST
// RUN: hbir-opt %s -p 'tile-layers{march="%S/march.toml" opt=1}' | filecheck %s --check-prefix=SEARCH

// A map of 4 MB doesn't fit 2 MiB beside its result. O0 halves rows until it does, with one buffer;
// the search cuts finer, so that loads and stores run beside the computation.

// FIRST-LABEL:  func.func @pool
// FIRST:          bpu.max_pool %x {schedule = #bpu.schedule<group 0, tile [1, 64, 256, 64], order [0, 1, 2, 3], buffers 1>
// SEARCH-LABEL: func.func @pool
// SEARCH:         bpu.max_pool %x {schedule = #bpu.schedule<group 0, tile [1, {{[0-9]+}}, {{[0-9]+}}, 64], order [0, 1, 2, 3], buffers 2>
func.func @pool(%x: tensor<1x256x256x64xsi8>) -> tensor<1x256x256x64xsi8> {
  %y = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x256x256x64xsi8>) -> tensor<1x256x256x64xsi8>
  func.return %y : tensor<1x256x256x64xsi8>
}

// What fits stays whole, and each layer is a group of its own.

// FIRST-LABEL:  func.func @small
// FIRST:          bpu.max_pool %x {schedule = #bpu.schedule<group 0, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>
// FIRST-NEXT:     bpu.transpose %y {schedule = #bpu.schedule<group 1, tile [1, 2, 4, 4], order [0, 1, 2, 3], buffers 1>
func.func @small(%x: tensor<1x4x4x2xsi8>) -> tensor<1x2x4x4xsi8> {
  %y = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
  %z = bpu.transpose %y {dims = [0, 3, 1, 2]} : (tensor<1x4x4x2xsi8>) -> tensor<1x2x4x4xsi8>
  func.return %z : tensor<1x2x4x4xsi8>
}
