// RUN: hbir-opt %s -p partition-segments | filecheck %s

// BPU ops get even segments, CPU calls odd ones, as few as the data flow allows: %late reads nothing
// of the CPU, so it runs before the call. A reshape stays with what it reads.

// CHECK-LABEL: func.func @detour
// CHECK:         %early = bpu.max_pool %x {segment = 0 : i64
// CHECK-NEXT:    %float = qnt.dequantize %early, %{{.*}} {segment = 0 : i64
// CHECK-NEXT:    %late = bpu.max_pool %x {segment = 0 : i64
// CHECK-NEXT:    %view = bpu.reshape %late {segment = 0 : i64
// CHECK-NEXT:    %cpu = hbtl.call "native::hbir.relu"(%float) {segment = 1 : i64
// CHECK-NEXT:    %again = hbtl.call "native::hbir.relu"(%cpu) {segment = 1 : i64
// CHECK-NEXT:    %back = qnt.quantize %again {segment = 2 : i64
// CHECK-NEXT:    func.return %back, %view
func.func @detour(%x: tensor<1x4x4x2xsi8>) -> (tensor<1x4x4x2xsi8>, tensor<32xsi8>) {
  %scale = hbir.constant dense<1.0> : tensor<1xf32>
  %early = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
  %float = qnt.dequantize %early, %scale : (tensor<1x4x4x2xsi8>, tensor<1xf32>) -> tensor<1x4x4x2xf32>
  %cpu = hbtl.call "native::hbir.relu"(%float) : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %again = hbtl.call "native::hbir.relu"(%cpu) : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %late = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
  %view = bpu.reshape %late {shape = [32]} : (tensor<1x4x4x2xsi8>) -> tensor<32xsi8>
  %back = qnt.quantize %again {scale = 1.0 : f32} : tensor<1x4x4x2xf32> to tensor<1x4x4x2xsi8>
  func.return %back, %view : tensor<1x4x4x2xsi8>, tensor<32xsi8>
}
