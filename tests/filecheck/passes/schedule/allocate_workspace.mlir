// RUN: hbir-opt %s -p 'allocate-workspace{march="%S/march.toml"}' | filecheck %s

// %c takes the place of %a, which nobody reads any more; %b can't, because %d reads %a beside it. A
// reshape has no bytes of its own, but keeps what it views alive. The result lies in the output.

// CHECK:       builtin.module attributes {hbir.level = "scheduled"}
// CHECK-LABEL: func.func @main
// CHECK:         %a = bpu.max_pool %x {alloc = #bpu.alloc<workspace, offset 0, bytes 100>
// CHECK-NEXT:    %b = bpu.max_pool %a {alloc = #bpu.alloc<workspace, offset 128, bytes 100>
// CHECK-NEXT:    %v = bpu.reshape %b {shape
// CHECK-NEXT:    %d = bpu.max %a, %b {alloc = #bpu.alloc<workspace, offset 256, bytes 100>
// CHECK-NEXT:    %c = bpu.max_pool %d {alloc = #bpu.alloc<workspace, offset 0, bytes 100>
// CHECK-NEXT:    %w = bpu.reshape %c {shape
// CHECK-NEXT:    %e = bpu.max %v, %w {alloc = #bpu.alloc<output, offset 0, bytes 100>
func.func @main(%x: tensor<1x10x10x1xsi8>) -> tensor<100xsi8> {
  %a = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x10x10x1xsi8>) -> tensor<1x10x10x1xsi8>
  %b = bpu.max_pool %a {kernel = [1, 1]} : (tensor<1x10x10x1xsi8>) -> tensor<1x10x10x1xsi8>
  %v = bpu.reshape %b {shape = [100]} : (tensor<1x10x10x1xsi8>) -> tensor<100xsi8>
  %d = bpu.max %a, %b : (tensor<1x10x10x1xsi8>, tensor<1x10x10x1xsi8>) -> tensor<1x10x10x1xsi8>
  %c = bpu.max_pool %d {kernel = [1, 1]} : (tensor<1x10x10x1xsi8>) -> tensor<1x10x10x1xsi8>
  %w = bpu.reshape %c {shape = [100]} : (tensor<1x10x10x1xsi8>) -> tensor<100xsi8>
  %e = bpu.max %v, %w : (tensor<100xsi8>, tensor<100xsi8>) -> tensor<100xsi8>
  func.return %e : tensor<100xsi8>
}
