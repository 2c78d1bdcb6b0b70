// RUN: hbir-opt %s --allow-unregistered-dialect --print-debuginfo | filecheck %s

// Ops are located where they stand in the file, unless the text gives them a location; one with an
// origin is named after it.

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: "test.plain"(%x) : (tensor<4xf32>) -> tensor<4xf32> loc("{{.*}}locations.mlir":8:3)
  %a = "test.plain"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: "test.given"({{.*}} loc("layer"("net.py":3:7))
  %b = "test.given"(%a) : (tensor<4xf32>) -> tensor<4xf32> loc("layer"("net.py":3:7))
  // CHECK: "test.named"({{.*}} loc("conv1"("{{.*}}locations.mlir":12:3))
  %c = "test.named"(%b) {origin = #hbir.origin<"conv1">} : (tensor<4xf32>) -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}
