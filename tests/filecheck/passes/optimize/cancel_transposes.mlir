// RUN: hbir-opt %s -p cancel-transposes | filecheck %s

// Layout transposes move to the edges and cancel.

// What meets cancels, and an element-wise op in between does not mind the layout. Its constant is
// transposed here and now.

// CHECK-LABEL: func.func @chain
// CHECK-NEXT:    %[[B:.*]] = hbir.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    %[[A:.*]] = hbir.add %{{.*}}, %[[B]] : (tensor<1x4x3x2xf32>, tensor<2xf32>) -> tensor<1x4x3x2xf32>
// CHECK-NEXT:    %[[R:.*]] = hbir.relu %[[A]] : tensor<1x4x3x2xf32>
// CHECK-NEXT:    func.return %[[R]]
func.func @chain(%x: tensor<1x4x3x2xf32>) -> tensor<1x4x3x2xf32> {
  %b = hbir.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %1 = hbir.add %0, %b : (tensor<1x2x4x3xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x3xf32>
  %2 = hbir.relu %1 : tensor<1x2x4x3xf32>
  %3 = hbir.transpose %2 {dims = [0, 2, 3, 1]} : (tensor<1x2x4x3xf32>) -> tensor<1x4x3x2xf32>
  func.return %3 : tensor<1x4x3x2xf32>
}

// Both branches of an add come transposed: one transpose is left, behind it.

// CHECK-LABEL: func.func @residual
// CHECK-NEXT:    %[[A:.*]] = hbir.add %{{.*}}, %{{.*}} : (tensor<1x4x3x2xf32>, tensor<1x4x3x2xf32>) -> tensor<1x4x3x2xf32>
// CHECK-NEXT:    %[[T:.*]] = hbir.transpose %[[A]] {dims = [0, 3, 1, 2]}
// CHECK-NEXT:    func.return %[[T]]
func.func @residual(%x: tensor<1x4x3x2xf32>, %y: tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %1 = hbir.transpose %y {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %2 = hbir.add %0, %1 : (tensor<1x2x4x3xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x4x3xf32>
  func.return %2 : tensor<1x2x4x3xf32>
}

// A transpose stays where moving it would transpose more: here the other operand is larger.

// CHECK-LABEL: func.func @not_worthwhile
// CHECK-NEXT:    %[[T:.*]] = hbir.transpose
// CHECK-NEXT:    %[[A:.*]] = hbir.add %[[T]]
// CHECK-NEXT:    func.return %[[A]]
func.func @not_worthwhile(%x: tensor<1x4x3x2xf32>, %y: tensor<8x2x4x3xf32>) -> tensor<8x2x4x3xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %1 = hbir.add %0, %y : (tensor<1x2x4x3xf32>, tensor<8x2x4x3xf32>) -> tensor<8x2x4x3xf32>
  func.return %1 : tensor<8x2x4x3xf32>
}

// Axes are renumbered.

// CHECK-LABEL: func.func @axes
// CHECK-NEXT:    %[[C:.*]] = hbir.concat %{{.*}}, %{{.*}} {dim = 3 : i64} : (tensor<1x4x3x2xf32>, tensor<1x4x3x2xf32>) -> tensor<1x4x3x4xf32>
// CHECK-NEXT:    %[[S:.*]] = hbir.slice %[[C]] {begin = [0, 1, 0, 0], end = [1, 4, 3, 4], step = [1, 2, 1, 1]} : (tensor<1x4x3x4xf32>) -> tensor<1x2x3x4xf32>
// CHECK-NEXT:    %[[P:.*]] = hbir.pad %[[S]] {padValue = 1.000000e+00 : f64, begin = [0, 0, 1, 0], end = [0, 0, 2, 0]} : (tensor<1x2x3x4xf32>) -> tensor<1x2x6x4xf32>
// CHECK-NEXT:    %[[M:.*]] = hbir.softmax %[[P]] {dim = 3 : i64} : tensor<1x2x6x4xf32>
// CHECK-NEXT:    %[[Q:.*]] = qnt.const_fake_quant %[[M]] {min = [-1.0, -1.0, -1.0, -1.0], max = [1.0, 1.0, 1.0, 1.0], axis = 3 : i64} : tensor<1x2x6x4xf32>
// CHECK-NEXT:    %[[R:.*]] = hbir.reduce_mean %[[Q]] {keepDim = false, dims = [1, 2]} : (tensor<1x2x6x4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT:    func.return %[[R]]
func.func @axes(%x: tensor<1x4x3x2xf32>, %y: tensor<1x4x3x2xf32>) -> tensor<1x4xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %1 = hbir.transpose %y {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %2 = hbir.concat %0, %1 {dim = 1 : i64} : (tensor<1x2x4x3xf32>, tensor<1x2x4x3xf32>) -> tensor<1x4x4x3xf32>
  %3 = hbir.slice %2 {begin = [0, 0, 1, 0], end = [1, 4, 4, 3], step = [1, 1, 2, 1]} : (tensor<1x4x4x3xf32>) -> tensor<1x4x2x3xf32>
  %4 = hbir.pad %3 {begin = [0, 0, 0, 1], end = [0, 0, 0, 2], padValue = 1.0 : f64} : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x6xf32>
  %5 = hbir.softmax %4 {dim = 1 : i64} : tensor<1x4x2x6xf32>
  %6 = qnt.const_fake_quant %5 {min = [-1.0, -1.0, -1.0, -1.0], max = [1.0, 1.0, 1.0, 1.0], axis = 1 : i64} : tensor<1x4x2x6xf32>
  %7 = hbir.reduce_mean %6 {dims = [2, 3], keepDim = false} : (tensor<1x4x2x6xf32>) -> tensor<1x4xf32>
  func.return %7 : tensor<1x4xf32>
}

// A flattened feature map: the rows of the weight are permuted instead, of a quantized one too.

// CHECK-LABEL: func.func @flatten
// CHECK-NOT:     hbir.transpose
// CHECK:         %[[F:.*]] = hbir.reshape %x {shape = [2, 4]} : (tensor<2x1x2x2xf32>) -> tensor<2x4xf32>
// CHECK-NEXT:    %[[W:.*]] = hbir.constant dense<{{\[\[}}1.000000e+00], [3.000000e+00], [2.000000e+00], [4.000000e+00]]> : tensor<4x1xf32>
// CHECK-NEXT:    %[[Q:.*]] = qnt.const_fake_quant %[[W]] {min = [-4.0], max = [4.0], axis = 1 : i64} : tensor<4x1xf32>
// CHECK-NEXT:    hbir.linear %[[F]], %[[Q]]
func.func @flatten(%x: tensor<2x1x2x2xf32>) -> tensor<2x1xf32> {
  %w = hbir.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %q = qnt.const_fake_quant %w {min = [-4.0], max = [4.0], axis = 1 : i64} : tensor<4x1xf32>
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<2x1x2x2xf32>) -> tensor<2x2x1x2xf32>
  %1 = hbir.reshape %0 {shape = [2, 4]} : (tensor<2x2x1x2xf32>) -> tensor<2x4xf32>
  %2 = hbir.linear %1, %q : (tensor<2x4xf32>, tensor<4x1xf32>) -> tensor<2x1xf32>
  func.return %2 : tensor<2x1xf32>
}

// A reshape that splits the channels lets the transpose through.

// CHECK-LABEL: func.func @groups
// CHECK-NEXT:    %[[R:.*]] = hbir.reshape %x {shape = [2, 4, 3, 2, 3]} : (tensor<2x4x3x6xf32>) -> tensor<2x4x3x2x3xf32>
// CHECK-NEXT:    %[[T:.*]] = hbir.transpose %[[R]] {dims = [0, 3, 4, 1, 2]}
// CHECK-NEXT:    func.return %[[T]]
func.func @groups(%x: tensor<2x4x3x6xf32>) -> tensor<2x2x3x4x3xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<2x4x3x6xf32>) -> tensor<2x6x4x3xf32>
  %1 = hbir.reshape %0 {shape = [2, 2, 3, 4, 3]} : (tensor<2x6x4x3xf32>) -> tensor<2x2x3x4x3xf32>
  func.return %1 : tensor<2x2x3x4x3xf32>
}

// Before the first layout-bound op a transpose moves up to the input.

// CHECK-LABEL: func.func @input
// CHECK-NEXT:    %[[T:.*]] = hbir.transpose %x {origin = #hbir.origin<"image", perm [0, 2, 3, 1]>, dims = [0, 2, 3, 1]}
// CHECK:         %[[M:.*]] = hbir.mul %[[T]], %{{.*}} {origin = #hbir.origin<"scaled", perm [0, 2, 3, 1]>} : (tensor<1x4x4x2xf32>, tensor<2xf32>)
// CHECK-NEXT:    hbir.max_pool %[[M]]
func.func @input(%x: tensor<1x2x4x4xf32> {hbir.name = "image"}) -> tensor<1x2x2x2xf32> {
  %k = hbir.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %0 = hbir.mul %x, %k {origin = #hbir.origin<"scaled">} : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = hbir.transpose %0 {dims = [0, 2, 3, 1]} : (tensor<1x2x4x4xf32>) -> tensor<1x4x4x2xf32>
  %2 = hbir.max_pool %1 {kernel = [2, 2], stride = [2, 2]} : (tensor<1x4x4x2xf32>) -> tensor<1x2x2x2xf32>
  func.return %2 : tensor<1x2x2x2xf32>
}

// A CPU op keeps the source layout, so its transposes stay.

// CHECK-LABEL: func.func @cpu
// CHECK-NEXT:    hbir.transpose
// CHECK-NEXT:    hbtl.call
// CHECK-NEXT:    hbir.transpose
func.func @cpu(%x: tensor<1x4x3x2xf32>) -> tensor<1x4x3x2xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %1 = hbtl.call "native::hbir.relu"(%0) {reason = "a test"} : (tensor<1x2x4x3xf32>) -> tensor<1x2x4x3xf32>
  %2 = hbir.transpose %1 {dims = [0, 2, 3, 1]} : (tensor<1x2x4x3xf32>) -> tensor<1x4x3x2xf32>
  func.return %2 : tensor<1x4x3x2xf32>
}

// One that moves axes of extent 1 only is a reshape; of a constant, a constant.

// CHECK-LABEL: func.func @free
// CHECK-DAG:     hbir.reshape %x {shape = [1, 8, 1, 1]}
// CHECK-DAG:     hbir.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]>
// CHECK-NOT:     hbir.transpose
func.func @free(%x: tensor<1x1x1x8xf32>) -> (tensor<1x8x1x1xf32>, tensor<2x2xf32>) {
  %c = hbir.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x1x1x8xf32>) -> tensor<1x8x1x1xf32>
  %1 = hbir.transpose %c {dims = [1, 0]} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  func.return %0, %1 : tensor<1x8x1x1xf32>, tensor<2x2xf32>
}

// What works along an axis, or has a number per axis, follows its operand's layout.

// CHECK-LABEL: func.func @along_an_axis
// CHECK-NEXT:    hbir.log_softmax %x {dim = 2 : i64} : tensor<1x4x3x2xf32>
// CHECK-NEXT:    hbir.cumsum %{{.*}} {axis = 3 : i64}
// CHECK-NEXT:    hbir.tile %{{.*}} {multiplies = [1, 5, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x20x3x4xf32>
// CHECK-NEXT:    hbir.reduce_max %{{.*}} {dims = [3]} : (tensor<1x20x3x4xf32>) -> tensor<1x20x3x1xf32>
// CHECK-NEXT:    func.return
func.func @along_an_axis(%x: tensor<1x4x3x2xf32>) -> tensor<1x20x3x1xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %1 = hbir.log_softmax %0 : tensor<1x2x4x3xf32>
  %2 = hbir.cumsum %1 {axis = 1 : i64} : tensor<1x2x4x3xf32>
  %3 = hbir.tile %2 {multiplies = [1, 2, 5, 1]} : (tensor<1x2x4x3xf32>) -> tensor<1x4x20x3xf32>
  %4 = hbir.reduce_max %3 {dims = [1]} : (tensor<1x4x20x3xf32>) -> tensor<1x1x20x3xf32>
  %5 = hbir.transpose %4 {dims = [0, 2, 3, 1]} : (tensor<1x1x20x3xf32>) -> tensor<1x20x3x1xf32>
  func.return %5 : tensor<1x20x3x1xf32>
}

// Comparisons and choices are element-wise.

// CHECK-LABEL: func.func @choice
// CHECK-NEXT:    hbir.greater %x, %y : (tensor<1x4x3x2xf32>, tensor<1x4x3x2xf32>) -> tensor<1x4x3x2xi1>
// CHECK-NEXT:    hbir.logical_not
// CHECK-NEXT:    hbir.where %{{.*}}, %x, %y
// CHECK-NEXT:    func.return
func.func @choice(%x: tensor<1x4x3x2xf32>, %y: tensor<1x4x3x2xf32>) -> tensor<1x4x3x2xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %1 = hbir.transpose %y {dims = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
  %2 = hbir.greater %0, %1 : (tensor<1x2x4x3xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x4x3xi1>
  %3 = hbir.logical_not %2 : (tensor<1x2x4x3xi1>) -> tensor<1x2x4x3xi1>
  %4 = hbir.where %3, %0, %1 : (tensor<1x2x4x3xi1>, tensor<1x2x4x3xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x4x3xf32>
  %5 = hbir.transpose %4 {dims = [0, 2, 3, 1]} : (tensor<1x2x4x3xf32>) -> tensor<1x4x3x2xf32>
  func.return %5 : tensor<1x4x3x2xf32>
}

// Heads put together again: one transpose stays one, where none is met behind the reshape.

// CHECK-LABEL: func.func @heads
// CHECK-NEXT:    %[[T:.*]] = hbir.transpose %x {dims = [0, 2, 1, 3]}
// CHECK-NEXT:    %[[R:.*]] = hbir.reshape %[[T]] {shape = [1, 20, 64]}
// CHECK-NEXT:    hbir.layernorm %[[R]]
func.func @heads(%x: tensor<1x4x20x16xf32>) -> tensor<1x20x64xf32> {
  %0 = hbir.transpose %x {dims = [0, 2, 1, 3]} : (tensor<1x4x20x16xf32>) -> tensor<1x20x4x16xf32>
  %1 = hbir.reshape %0 {shape = [1, 20, 64]} : (tensor<1x20x4x16xf32>) -> tensor<1x20x64xf32>
  %2 = hbir.layernorm %1 : (tensor<1x20x64xf32>) -> tensor<1x20x64xf32>
  func.return %2 : tensor<1x20x64xf32>
}

// Indices pick parts of an axis wherever it stands, and take its place; elements are gathered in the
// layout of the data where the index is constant. An index that gives more than there was waits.

// CHECK-LABEL: func.func @index
// CHECK-NEXT:    %[[I:.*]] = hbir.index %x, %i {dim = 3 : i64} : (tensor<1x4x3x5xf32>, tensor<2x2xsi64>) -> tensor<1x4x3x2x2xf32>
// CHECK-NEXT:    hbir.transpose %[[I]] {dims = [0, 3, 4, 1, 2]}
func.func @index(%x: tensor<1x4x3x5xf32>, %i: tensor<2x2xsi64>) -> tensor<1x2x2x4x3xf32> {
  %0 = hbir.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x3x5xf32>) -> tensor<1x5x4x3xf32>
  %1 = hbir.index %0, %i {dim = 1} : (tensor<1x5x4x3xf32>, tensor<2x2xsi64>) -> tensor<1x2x2x4x3xf32>
  func.return %1 : tensor<1x2x2x4x3xf32>
}

// CHECK-LABEL: func.func @index_of_few
// CHECK-NEXT:    hbir.transpose %x
// CHECK-NEXT:    hbir.index
func.func @index_of_few(%x: tensor<4x3x2xf32>, %i: tensor<9xsi64>) -> tensor<9x4x3xf32> {
  %0 = hbir.transpose %x {dims = [2, 0, 1]} : (tensor<4x3x2xf32>) -> tensor<2x4x3xf32>
  %1 = hbir.index %0, %i {dim = 0} : (tensor<2x4x3xf32>, tensor<9xsi64>) -> tensor<9x4x3xf32>
  func.return %1 : tensor<9x4x3xf32>
}

// CHECK-LABEL: func.func @gather_elements
// CHECK:         %[[I:.*]] = hbir.constant dense<{{\[\[}}0, 2], [1, 3{{\]\]}}> : tensor<2x2xsi64>
// CHECK-NEXT:    %[[G:.*]] = hbir.gather_elements %x, %[[I]] {{{.*}}dim = 1 : i64}
// CHECK-NEXT:    func.return %[[G]]
func.func @gather_elements(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %i = hbir.constant dense<[[0, 1], [2, 3]]> : tensor<2x2xsi64>
  %0 = hbir.transpose %x {dims = [1, 0]} : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %1 = hbir.gather_elements %0, %i {dim = 0} : (tensor<4x2xf32>, tensor<2x2xsi64>) -> tensor<2x2xf32>
  %2 = hbir.transpose %1 {dims = [1, 0]} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  func.return %2 : tensor<2x2xf32>
}
