// RUN: hbir-opt %s -p 'partition-segments,group-layers{march="%S/march.toml"},allocate-workspace{march="%S/march.toml"},explain-schedule{march="%S/march.toml"}' | filecheck %s

// The load of the input is compulsory, all 8192 bytes of it; the table of %a is 256 bytes; the slice
// is read where it is; what starts between lanes is copied, and told what would help.

// CHECK-LABEL: func.func @main
// CHECK:         bpu.copy %x {{.*}}explain = "l1; moves 8192 bytes, must 8192; bound by DDR"
// CHECK:         %a = bpu.lut {{.*}}explain = "l1; moves 256 bytes, must 256; bound by VAE; fuse: a relu or a clip
// CHECK:         %s = bpu.slice {{.*}}explain = "in place; moves 0 bytes, must 0; bound by nothing: it is in place"
// CHECK:         %u = bpu.slice {{.*}}channels at multiples of 16 bytes need no copy"
// CHECK:         bpu.copy %v {{.*}}explain = "ddr; moves 4096 bytes, must 4096; bound by DDR"
func.func @main(%x: tensor<1x16x16x32xsi8>) -> tensor<1x16x16x16xsi8> {
  %t = hbir.constant dense_resource<__elided__> : tensor<256xsi8>
  %a = bpu.lut %x, %t : (tensor<1x16x16x32xsi8>, tensor<256xsi8>) -> tensor<1x16x16x32xsi8>
  %s = bpu.slice %a {begin = [0, 0, 0, 16], end = [1, 16, 16, 32], step = [1, 1, 1, 1]} : (tensor<1x16x16x32xsi8>) -> tensor<1x16x16x16xsi8>
  %u = bpu.slice %a {begin = [0, 0, 0, 8], end = [1, 16, 16, 24], step = [1, 1, 1, 1]} : (tensor<1x16x16x32xsi8>) -> tensor<1x16x16x16xsi8>
  %v = bpu.max %s, %u : (tensor<1x16x16x16xsi8>, tensor<1x16x16x16xsi8>) -> tensor<1x16x16x16xsi8>
  func.return %v : tensor<1x16x16x16xsi8>
}
