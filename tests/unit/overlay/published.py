"""The network of the published API's printed examples: a 1x1 convolution of a 32x32 image."""

TEXT = """
func.func @main(%img: tensor<1x32x32x3xf32> {hbir.name = "img"},
                %weight: tensor<4x1x1x3xf32> {hbir.name = "weight"})
    -> (tensor<1x32x32x4xf32> {hbir.name = "pred"}) {
  %0 = "hbir.conv2d"(%img, %weight) : (tensor<1x32x32x3xf32>, tensor<4x1x1x3xf32>)
      -> tensor<1x32x32x4xf32>
  func.return %0 : tensor<1x32x32x4xf32>
}
"""
