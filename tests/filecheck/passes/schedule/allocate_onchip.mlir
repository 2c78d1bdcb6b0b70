// RUN: hbir-opt %s -p 'allocate-onchip{march="nash-e" opt=1}' | filecheck %s --check-prefix=BOTTOM
// RUN: hbir-opt %s -p 'allocate-onchip{march="nash-e" opt=2}' | filecheck %s --check-prefix=TURNS

// One area per operand and one for the result, constants outermost. The tables of %b and %c are 256
// bytes; tiles of 8 rows with two channels padded to 16 bytes are 8*32*16 = 4096, twice for two
// buffers. At O2 every other layer grows down from the top (2097152), so that %b's table can arrive
// while %a still runs.

// BOTTOM-LABEL: func.func @main
// BOTTOM:         %a = bpu.lut {{.*}} onchip = [#bpu.alloc<l1, offset 256, bytes 8192>, #bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 8448, bytes 8192>]
// BOTTOM:         %b = bpu.lut {{.*}} onchip = [#bpu.alloc<l1, offset 256, bytes 8192>, #bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 8448, bytes 8192>]
// TURNS-LABEL:  func.func @main
// TURNS:          %a = bpu.lut {{.*}} onchip = [#bpu.alloc<l1, offset 256, bytes 8192>, #bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 8448, bytes 8192>]
// TURNS:          %b = bpu.lut {{.*}} onchip = [#bpu.alloc<l1, offset 2088704, bytes 8192>, #bpu.alloc<l1, offset 2096896, bytes 256>, #bpu.alloc<l1, offset 2080512, bytes 8192>]
func.func @main(%x: tensor<1x32x32x2xsi8>) -> tensor<1x32x32x2xsi8> {
  %t = hbir.constant dense_resource<__elided__> : tensor<256xsi8>
  %a = bpu.lut %x, %t {schedule = #bpu.schedule<group 0, tile [1, 8, 32, 2], order [0, 1, 2, 3], buffers 2>} : (tensor<1x32x32x2xsi8>, tensor<256xsi8>) -> tensor<1x32x32x2xsi8>
  %b = bpu.lut %a, %t {schedule = #bpu.schedule<group 1, tile [1, 8, 32, 2], order [0, 1, 2, 3], buffers 2>} : (tensor<1x32x32x2xsi8>, tensor<256xsi8>) -> tensor<1x32x32x2xsi8>
  func.return %b : tensor<1x32x32x2xsi8>
}
