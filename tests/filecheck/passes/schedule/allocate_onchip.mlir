// RUN: hbir-opt %s -p 'allocate-onchip{march="%S/march.toml"}' | filecheck %s

// One area per operand and one for the result, constants first. The table is 256 bytes; tiles of 8
// rows with two channels padded to 16 bytes are 8*32*16 = 4096, once for each of two buffers. Every
// layer has the memory to itself.

// CHECK-LABEL: func.func @main
// CHECK:         %a = bpu.lut {{.*}}onchip = [#bpu.alloc<l1, offset 256, bytes 4096>, #bpu.alloc<l1, offset 4352, bytes 4096>, #bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 8448, bytes 4096>, #bpu.alloc<l1, offset 12544, bytes 4096>]
// CHECK:         %b = bpu.lut {{.*}}onchip = [#bpu.alloc<l1, offset 256, bytes 4096>
func.func @main(%x: tensor<1x32x32x2xsi8>) -> tensor<1x32x32x2xsi8> {
  %t = hbir.constant dense_resource<__elided__> : tensor<256xsi8>
  %a = bpu.lut %x, %t {schedule = #bpu.schedule<group 0, tile [1, 8, 32, 2], order [0, 1, 2, 3], buffers 2>} : (tensor<1x32x32x2xsi8>, tensor<256xsi8>) -> tensor<1x32x32x2xsi8>
  %b = bpu.lut %a, %t {schedule = #bpu.schedule<group 1, tile [1, 8, 32, 2], order [0, 1, 2, 3], buffers 2>} : (tensor<1x32x32x2xsi8>, tensor<256xsi8>) -> tensor<1x32x32x2xsi8>
  func.return %b : tensor<1x32x32x2xsi8>
}

// The resizer's planes stay in DDR: its roi is on chip, and a tile of what it makes.
// CHECK-LABEL: func.func @resizer
// CHECK:         bpu.roi_resize {{.*}}onchip = [#bpu.alloc<l1, offset 0, bytes 64>, #bpu.alloc<l1, offset 64, bytes 1024>]
func.func @resizer(%y: tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x8x8x1xsi8> {
  %0 = bpu.roi_resize %roi of %y {mode = "GRAY", schedule = #bpu.schedule<group 2, tile [1, 8, 8, 1], order [0, 1, 2, 3], buffers 2>, size = [8, 8]} : (tensor<1x4xsi32>, tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x8x8x1xsi8>
  func.return %0 : tensor<1x8x8x1xsi8>
}
