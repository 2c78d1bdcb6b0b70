// RUN: hbir-opt %s -p 'partition-segments,split-calls{march="%S/march.toml" max_cycles=60000}' | filecheck %s --check-prefix=SPLIT
// RUN: hbir-opt %s -p 'partition-segments,split-calls{march="%S/march.toml"}' | filecheck %s --check-prefix=ONE

// %a moves 2 MB and %b half of that, 48 bytes a cycle at most: together more than 60000 cycles. A
// small layer stays in the call before it. Without a limit all is one call.

// SPLIT-LABEL: func.func @calls
// SPLIT:         %a = bpu.max_pool {{.*}}call = 0 : i64
// SPLIT:         %b = bpu.max_pool {{.*}}call = 1 : i64
// SPLIT:         %c = bpu.max_pool {{.*}}call = 1 : i64
// ONE-LABEL:   func.func @calls
// ONE:           %a = bpu.max_pool {{.*}}call = 0 : i64
// ONE:           %b = bpu.max_pool {{.*}}call = 0 : i64
func.func @calls(%x: tensor<1x128x128x64xsi8>) -> tensor<1x1x1x64xsi8> {
  %a = bpu.max_pool %x {kernel = [1, 1]} : (tensor<1x128x128x64xsi8>) -> tensor<1x128x128x64xsi8>
  %b = bpu.max_pool %a {kernel = [16, 16], stride = [16, 16]} : (tensor<1x128x128x64xsi8>) -> tensor<1x8x8x64xsi8>
  %c = bpu.max_pool %b {kernel = [8, 8]} : (tensor<1x8x8x64xsi8>) -> tensor<1x1x1x64xsi8>
  func.return %c : tensor<1x1x1x64xsi8>
}
