// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Calls of library functions on the CPU.

// CHECK-LABEL: func.func @onnx
// CHECK:         hbtl.call "onnx::TopK"(%{{.*}}, %{{.*}}) {parameters = {attributes = {axis = 1 : i64}, domain = "", opset = 13 : i64}, reason = "no BPU form"} : (tensor<2x3xf32>, tensor<1xsi64>) -> (tensor<2x2xf32>, tensor<2x2xsi64>)
// CHECK:         hbtl.call "onnx::Clip"(%{{.*}}, %{{.*}}) {parameters = {attributes = {}, domain = "", inputs = [0, -1, 1], opset = 13 : i64}} : (tensor<2x2xf32>, tensor<1xsi64>) -> tensor<2x2xf32>
func.func @onnx(%a: tensor<2x3xf32>, %k: tensor<1xsi64>) -> tensor<2x2xf32> {
  %0, %1 = hbtl.call "onnx::TopK"(%a, %k) {parameters = {attributes = {axis = 1 : i64}, domain = "", opset = 13 : i64}, reason = "no BPU form"} : (tensor<2x3xf32>, tensor<1xsi64>) -> (tensor<2x2xf32>, tensor<2x2xsi64>)
  %2 = hbtl.call "onnx::Clip"(%0, %k) {parameters = {attributes = {}, domain = "", inputs = [0, -1, 1], opset = 13 : i64}} : (tensor<2x2xf32>, tensor<1xsi64>) -> tensor<2x2xf32>
  func.return %2 : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @native
// CHECK:         hbtl.call "native::hbir.softmax"(%{{.*}}) {parameters = {dim = 0 : i64}, reason = "softmax over dimension 0"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
// GENERIC-LABEL: sym_name = "native"
// GENERIC:       "hbtl.call"(%a) <{signature = "native::hbir.softmax"
func.func @native(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = hbtl.call "native::hbir.softmax"(%a) {parameters = {dim = 0 : i64}, reason = "softmax over dimension 0"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}

// A custom op: the file that registers it is named, its function isn't here.

// CHECK-LABEL: func.func @custom
// CHECK:         hbtl.call "custom::Swirl"(%{{.*}}) {parameters = {attributes = {shift = 1 : i64}, domain = "my.ops", file = "my_ops.py"}, reason = "Swirl is a custom op"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
func.func @custom(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = hbtl.call "custom::Swirl"(%a) {parameters = {attributes = {shift = 1 : i64}, domain = "my.ops", file = "my_ops.py"}, reason = "Swirl is a custom op"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}
