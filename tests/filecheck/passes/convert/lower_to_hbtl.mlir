// RUN: hbir-opt %s -p lower-to-hbtl | filecheck %s

// What is left in float is called on the CPU, with its properties and the reason.

// CHECK-LABEL: func.func @f
// CHECK: hbtl.call "native::hbir.softmax"(%x) {{.*}}dim = 0 : i64{{.*}}reason = "too many classes"
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbir.softmax %x {dim = 0, placement = "cpu", reason = "too many classes"} : tensor<4xf32>
  func.return %a : tensor<4xf32>
}
