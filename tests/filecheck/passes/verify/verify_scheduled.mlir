// RUN: hbir-opt %s -p 'verify-scheduled{march="%S/../schedule/march.toml"}' --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @good
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @good(%x: tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8> {
    %a = bpu.max_pool %x {kernel = [1, 1], segment = 0 : i64, schedule = #bpu.schedule<group 0, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, onchip = [#bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 256, bytes 256>], alloc = #bpu.alloc<output, offset 0, bytes 32>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    func.return %a : tensor<1x4x4x2xsi8>
  }
}

// -----

// CHECK: the module's hbir.level is not scheduled
builtin.module {
}

// -----

// CHECK: onchip areas overlap at 0
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @collide(%x: tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8> {
    %a = bpu.max_pool %x {kernel = [1, 1], segment = 0 : i64, schedule = #bpu.schedule<group 0, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, onchip = [#bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 0, bytes 256>], alloc = #bpu.alloc<output, offset 0, bytes 32>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    func.return %a : tensor<1x4x4x2xsi8>
  }
}

// -----

// CHECK: onchip has buffers of [64, 256] bytes, its tiles need [256, 256]
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @small(%x: tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8> {
    %a = bpu.max_pool %x {kernel = [1, 1], segment = 0 : i64, schedule = #bpu.schedule<group 0, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, onchip = [#bpu.alloc<l1, offset 0, bytes 64>, #bpu.alloc<l1, offset 256, bytes 256>], alloc = #bpu.alloc<output, offset 0, bytes 32>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    func.return %a : tensor<1x4x4x2xsi8>
  }
}

// -----

// CHECK: segment 1 is not one of the BPU
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @device(%x: tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8> {
    %a = bpu.max_pool %x {kernel = [1, 1], segment = 1 : i64} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    func.return %a : tensor<1x4x4x2xsi8>
  }
}

// -----

// CHECK: schedule cuts axis 1 of 2 elements into tiles of 1
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @cut(%x: tensor<1x2xsi8>) -> tensor<1x2xsi8> {
    %e = hbir.constant dense_resource<__elided__> : tensor<256xsi32>
    %r = hbir.constant dense_resource<__elided__> : tensor<513xsi32>
    %a = bpu.softmax %x, %e, %r {dim = 1 : i64, multiplier = 16384 : i64, shift = 7 : i64, segment = 0 : i64, schedule = #bpu.schedule<group 0, tile [1, 1], order [0, 1], buffers 1>} : (tensor<1x2xsi8>, tensor<256xsi32>, tensor<513xsi32>) -> tensor<1x2xsi8>
    func.return %a : tensor<1x2xsi8>
  }
}

// -----

// CHECK: alloc overlaps that of bpu.max_pool
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @workspace(%x: tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8> {
    %a = bpu.max_pool %x {kernel = [1, 1], segment = 0 : i64, schedule = #bpu.schedule<group 0, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, onchip = [#bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 256, bytes 256>], alloc = #bpu.alloc<workspace, offset 0, bytes 32>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    %b = bpu.max_pool %a {kernel = [1, 1], segment = 0 : i64, schedule = #bpu.schedule<group 1, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, onchip = [#bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 256, bytes 256>], alloc = #bpu.alloc<workspace, offset 16, bytes 32>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    %c = bpu.max %a, %b {segment = 0 : i64, schedule = #bpu.schedule<group 2, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, onchip = [#bpu.alloc<l1, offset 0, bytes 256>, #bpu.alloc<l1, offset 256, bytes 256>, #bpu.alloc<l1, offset 512, bytes 256>], alloc = #bpu.alloc<output, offset 0, bytes 32>} : (tensor<1x4x4x2xsi8>, tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    func.return %c : tensor<1x4x4x2xsi8>
  }
}

// -----

// A tensor on chip is alive until its last reader has run.

// CHECK: onchip areas overlap at 0: bpu.
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @alive(%x: tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8> {
    %a = bpu.copy %x {segment = 0 : i64, schedule = #bpu.schedule<group 0, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, alloc = #bpu.alloc<l1, offset 0, bytes 256>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    %b = bpu.max_pool %a {kernel = [1, 1], segment = 0 : i64, schedule = #bpu.schedule<group 1, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, alloc = #bpu.alloc<l1, offset 0, bytes 256>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    %c = bpu.copy %b {segment = 0 : i64, schedule = #bpu.schedule<group 2, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, alloc = #bpu.alloc<output, offset 0, bytes 32>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    func.return %c : tensor<1x4x4x2xsi8>
  }
}

// -----

// CHECK: onchip ends at 2097408, test has 2097152 bytes
builtin.module attributes {hbir.level = "scheduled"} {
  func.func @beyond(%x: tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8> {
    %a = bpu.copy %x {segment = 0 : i64, schedule = #bpu.schedule<group 0, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, alloc = #bpu.alloc<l1, offset 2097152, bytes 256>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    %c = bpu.copy %a {segment = 0 : i64, schedule = #bpu.schedule<group 2, tile [1, 4, 4, 2], order [0, 1, 2, 3], buffers 1>, alloc = #bpu.alloc<output, offset 0, bytes 32>} : (tensor<1x4x4x2xsi8>) -> tensor<1x4x4x2xsi8>
    func.return %c : tensor<1x4x4x2xsi8>
  }
}
