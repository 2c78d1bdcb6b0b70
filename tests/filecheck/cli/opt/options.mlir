// RUN: not hbir-opt %s -p 'no-such-pass' 2>&1 | filecheck %s --check-prefix=UNKNOWN
// RUN: not hbir-opt %s -p 'fold-constant' 2>&1 | filecheck %s --check-prefix=NEAR
// RUN: not hbir-opt %s -p 'fold-constants{no-such-option=1}' 2>&1 | filecheck %s --check-prefix=OPTION
// RUN: not hbir-opt %s -p 'fold-constants{growth-limit-bytes=many}' 2>&1 | filecheck %s --check-prefix=TYPE
// RUN: not hbir-opt %s -p 'fold-constants{' 2>&1 | filecheck %s --check-prefix=SYNTAX
// RUN: not hbir-opt %s --no-such-flag 2>&1 | filecheck %s --check-prefix=FLAG
// RUN: not hbir-opt %s -o %t.txt 2>&1 | filecheck %s --check-prefix=SUFFIX
// RUN: not hbir-opt %t.absent.mlir 2>&1 | filecheck %s --check-prefix=ABSENT
// RUN: hbir-opt --list-passes | filecheck %s --check-prefix=LIST

// A wrong option is one message.

// UNKNOWN: error: there is no pass 'no-such-pass'; --list-passes shows what there is
// NEAR:    error: there is no pass 'fold-constant'; did you mean 'fold-constants'?
// OPTION:  error: pass fold-constants has no option 'no-such-option'; it takes: growth-limit-bytes
// TYPE:    error: pass fold-constants: Incompatible types: given ('many',), expected <class 'int'>; options: growth-limit-bytes=int = {{[0-9]+}}
// SYNTAX:  error: pass pipeline 'fold-constants{': Expected argument name here
// FLAG:    error: unrecognized arguments: --no-such-flag; see hbir-opt --help
// SUFFIX:  error: {{.*}}.txt: output is a .mlir or .bc file
// ABSENT:  error: {{.*}}.absent.mlir: no such file
// LIST:    fold-constants: {{.+}}
// LIST-NEXT: growth-limit-bytes: int = {{[0-9]+}}

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}
