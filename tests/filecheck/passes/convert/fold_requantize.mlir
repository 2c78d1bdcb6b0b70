// RUN: hbir-opt %s -p fold-requantize,dead-code-elimination | filecheck %s

// Two requantizations, read by nobody else, are one table; a third with another reader isn't.

// CHECK-LABEL: func.func @f
// CHECK: %[[T:.*]] = hbir.constant {{.*}} : tensor<256xsi8>
// CHECK-NEXT: %[[A:.*]] = bpu.lut %x, %[[T]]
// CHECK-NEXT: func.return %[[A]]
func.func @f(%x: tensor<4xsi8>) -> tensor<4xsi8> {
  %a = bpu.rescale %x {multiplier = 16384, shift = 15} : (tensor<4xsi8>) -> tensor<4xsi8>
  %b = bpu.rescale %a {multiplier = 16384, shift = 13} : (tensor<4xsi8>) -> tensor<4xsi8>
  func.return %b : tensor<4xsi8>
}

// CHECK-LABEL: func.func @read_twice
// CHECK: bpu.rescale
// CHECK-NEXT: bpu.rescale
func.func @read_twice(%x: tensor<4xsi8>) -> (tensor<4xsi8>, tensor<4xsi8>) {
  %a = bpu.rescale %x {multiplier = 16384, shift = 15} : (tensor<4xsi8>) -> tensor<4xsi8>
  %b = bpu.rescale %a {multiplier = 16384, shift = 13} : (tensor<4xsi8>) -> tensor<4xsi8>
  func.return %a, %b : tensor<4xsi8>, tensor<4xsi8>
}

// What an int8 becomes on the way may be an int16; a table of an int16 is another matter.

// CHECK-LABEL: func.func @wide
// CHECK: %[[T:.*]] = hbir.constant {{.*}} : tensor<256xsi8>
// CHECK-NEXT: bpu.lut %x, %[[T]]
// CHECK-NEXT: bpu.rescale %y
// CHECK-NEXT: bpu.rescale
func.func @wide(%x: tensor<4xsi8>, %y: tensor<4xsi16>) -> (tensor<4xsi8>, tensor<4xsi8>) {
  %a = bpu.rescale %x {multiplier = 16384, shift = 8} : (tensor<4xsi8>) -> tensor<4xsi16>
  %b = bpu.rescale %a {multiplier = 16384, shift = 21} : (tensor<4xsi16>) -> tensor<4xsi8>
  %c = bpu.rescale %y {multiplier = 16384, shift = 15} : (tensor<4xsi16>) -> tensor<4xsi16>
  %d = bpu.rescale %c {multiplier = 16384, shift = 21} : (tensor<4xsi16>) -> tensor<4xsi8>
  func.return %b, %d : tensor<4xsi8>, tensor<4xsi8>
}
