// RUN: hbir-disas --assemble %s -o %t.hbm && hbir-disas %t.hbm | filecheck %s
// RUN: hbir-disas %t.hbm -o %t.txt && hbir-disas --assemble %t.txt -o %t2.hbm && cmp %t.hbm %t2.hbm
// RUN: hbir-disas %t.hbm --elide-constants | filecheck %s --check-prefix=ELIDED
// RUN: hbir-disas %t.hbm --elide-constants -o %t3.txt && not hbir-disas --assemble %t3.txt -o %t3.hbm 2>&1 | filecheck %s --check-prefix=NOT-BACK

// A text assembles to a .hbm, and its text to the same bytes; elided constants don't come back.

// CHECK:      constants 8
// CHECK-NEXT:   AAECAwQFBgc=
// CHECK:      queue 0 load
// CHECK-NEXT:   0: load output=l1[0x0]:si8[8] input=constant[0x0]:si8[8] layer=0
// CHECK-NEXT: queue 0 store
// CHECK-NEXT:   0: store output=output0[0x0]:si8[8] input=l1[0x0]:si8[8] wait=[load:1] layer=0

// ELIDED:     constants 8 elided
// ELIDED-NOT: AAECAwQFBgc

// NOT-BACK: error: {{.*}}.txt:3: the constants were elided

isa.program {
  machine {"march": "nash-e", "cores": 1, "l1_bytes": 1024, "l2_bytes": 0, "information": {}}
  constants 8
    AAECAwQFBgc=
  graph {"name": "main", "workspace_bytes": 0}
  output {"name": "y", "type": "si8", "shape": [8], "strides": [1]}
  layer {"name": "copied", "kind": "copy"}
  call
  queue 0 load
    0: load output=l1[0x0]:si8[8] input=constant[0x0]:si8[8] layer=0
  queue 0 store
    0: store output=output0[0x0]:si8[8] input=l1[0x0]:si8[8] wait=[load:1] layer=0
}
