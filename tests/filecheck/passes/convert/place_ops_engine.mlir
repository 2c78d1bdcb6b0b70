// RUN: hbir-opt %s -p place-ops | filecheck %s

// nash-b has no SPU, which sorts on the other marches.

// CHECK: hbir.topk {{.*}}placement = "cpu", reason = "nash-b has no SPU, the engine that runs it on other marches"
module attributes {hbdk.target = "nash-b"} {
  func.func @f(%x: tensor<9xf32>) -> tensor<2xsi64> {
    %q = qnt.const_fake_quant %x {min = [-128.0], max = [127.0]} : tensor<9xf32>
    %i = hbir.topk %q {k = 2} : (tensor<9xf32>) -> tensor<2xsi64>
    func.return %i : tensor<2xsi64>
  }
}
