// RUN: hbir-opt %s -p 'partition-segments,group-layers{march="%S/march.toml"}' --split-input-file | filecheck %s

// What fits stays on chip: the input is loaded once, the result stored once, nothing else moves.

// CHECK-LABEL: func.func @whole
// CHECK:         %[[IN:[0-9a-z]+]] = bpu.copy %x {{.*}}alloc = #bpu.alloc<l1,
// CHECK:         %a = bpu.max_pool %[[IN]] {{.*}}tile [1, 16, 16, 32], {{.*}}alloc = #bpu.alloc<l1,
// CHECK:         %b = bpu.max %[[IN]], %a {{.*}}alloc = #bpu.alloc<l1,
// CHECK:         %[[OUT:[0-9a-z]+]] = bpu.copy %b {segment
// CHECK:         func.return %[[OUT]]
func.func @whole(%x: tensor<1x16x16x32xsi8>) -> tensor<1x16x16x32xsi8> {
  %a = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x16x16x32xsi8>) -> tensor<1x16x16x32xsi8>
  %b = bpu.max %x, %a : (tensor<1x16x16x32xsi8>, tensor<1x16x16x32xsi8>) -> tensor<1x16x16x32xsi8>
  func.return %b : tensor<1x16x16x32xsi8>
}

// -----

// Maps of 4 MB don't fit 2 MiB: the layers take turns by stripes of rows. What a 3x3 window reaches
// beyond a tile is the lead of the layer before, and the rows between are a line buffer.

// CHECK-LABEL: func.func @stripes
// CHECK:         %a = bpu.max_pool {{.*}}schedule = #bpu.schedule<group [[GROUP:[0-9]+]], tile [1, [[TILE:[0-9]+]], 256, 64], order [1, 0, 2, 3], buffers 2, lead 1>, alloc = #bpu.alloc<l1, offset {{[0-9]+}}, bytes {{[0-9]+}}, rows {{[0-9]+}}>
// CHECK:         %b = bpu.max_pool {{.*}}group [[GROUP]], tile [1, [[TILE]], 256, 64], order [1, 0, 2, 3], buffers 2>
func.func @stripes(%x: tensor<1x256x256x64xsi8>) -> tensor<1x256x256x64xsi8> {
  %a = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x256x256x64xsi8>) -> tensor<1x256x256x64xsi8>
  %b = bpu.max_pool %a {kernel = [3, 3], pad = [1, 1, 1, 1]} : (tensor<1x256x256x64xsi8>) -> tensor<1x256x256x64xsi8>
  func.return %b : tensor<1x256x256x64xsi8>
}

// -----

// Operands of a concat are made where the result has them, and a slice is read where it is: strides
// are those of the whole, 48 channels. A slice that starts between lanes has memory of its own.

// CHECK-LABEL: func.func @inside
// CHECK:         %a = bpu.max_pool {{.*}}alloc = #bpu.alloc<l1, offset [[AT:[0-9]+]], bytes {{[0-9]+}}, strides [3072, 384, 48, 1]>
// CHECK:         %c = bpu.concat {{.*}}alloc = #bpu.alloc<l1, offset [[AT]], bytes 3072>
// CHECK:         %s = bpu.slice %c {{.*}}alloc = #bpu.alloc<l1, offset {{[0-9]+}}, bytes {{[0-9]+}}, strides [3072, 384, 48, 1]>
// CHECK:         %u = bpu.slice %c {{.*}}alloc = #bpu.alloc<l1, offset {{[0-9]+}}, bytes 1024>
func.func @inside(%x: tensor<1x8x8x32xsi8>, %y: tensor<1x8x8x16xsi8>) -> (tensor<1x8x8x16xsi8>, tensor<1x8x8x16xsi8>) {
  %a = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x8x8x32xsi8>) -> tensor<1x8x8x32xsi8>
  %c = bpu.concat %a, %y {dim = 3 : i64} : (tensor<1x8x8x32xsi8>, tensor<1x8x8x16xsi8>) -> tensor<1x8x8x48xsi8>
  %s = bpu.slice %c {begin = [0, 0, 0, 16], end = [1, 8, 8, 32], step = [1, 1, 1, 1]} : (tensor<1x8x8x48xsi8>) -> tensor<1x8x8x16xsi8>
  %u = bpu.slice %c {begin = [0, 0, 0, 8], end = [1, 8, 8, 24], step = [1, 1, 1, 1]} : (tensor<1x8x8x48xsi8>) -> tensor<1x8x8x16xsi8>
  %v = bpu.max %s, %u : (tensor<1x8x8x16xsi8>, tensor<1x8x8x16xsi8>) -> tensor<1x8x8x16xsi8>
  %w = bpu.min %s, %u : (tensor<1x8x8x16xsi8>, tensor<1x8x8x16xsi8>) -> tensor<1x8x8x16xsi8>
  func.return %v, %w : tensor<1x8x8x16xsi8>, tensor<1x8x8x16xsi8>
}
