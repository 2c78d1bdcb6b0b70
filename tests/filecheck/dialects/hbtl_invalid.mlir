// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What the verifier refuses, and what it says.

// CHECK: error: hbtl.call ({{.*}}): signature must be native::... or onnx::... or custom::..., got "torch::relu"
func.func @f(%a: tensor<2xf32>) {
  %0 = hbtl.call "torch::relu"(%a) : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: error: hbtl.call ({{.*}}): signature names no kernel: hbir.rellu
func.func @f(%a: tensor<2xf32>) {
  %0 = hbtl.call "native::hbir.rellu"(%a) : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: error: hbtl.call ({{.*}}): parameters of an onnx:: call must hold attributes (dict), they hold opset, domain
func.func @f(%a: tensor<2xf32>) {
  %0 = hbtl.call "onnx::Relu"(%a) {parameters = {opset = 13 : i64, domain = ""}} : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: error: hbtl.call ({{.*}}): inputs must name each of the 2 in order, -1 for one left out, got [0, -1]
func.func @f(%a: tensor<2xf32>) {
  %0 = hbtl.call "onnx::Clip"(%a, %a) {parameters = {attributes = {}, opset = 13 : i64, domain = "", inputs = [0, -1]}} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

// CHECK: error: hbtl.call ({{.*}}): parameters of a custom:: call must hold file (str), they hold attributes, domain
func.func @f(%a: tensor<2xf32>) {
  %0 = hbtl.call "custom::Swirl"(%a) {parameters = {attributes = {}, domain = "my.ops"}} : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}
