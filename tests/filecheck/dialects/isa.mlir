// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s
// RUN: hbir-opt %s | hbir-opt - | filecheck %s
// RUN: not hbir-opt %S/Inputs/isa_deadlock.mlir 2>&1 | filecheck %s --check-prefix=DEADLOCK

// A program is printed one instruction a line and parses back; its waits must be satisfiable.

// CHECK:      isa.program {
// CHECK-NEXT:   machine {"march": "nash-e", "cores": 1, "l1_bytes": 1024, "l2_bytes": 0, "information": {}}
// CHECK-NEXT:   constants 4
// CHECK-NEXT:     AQIDBA==
// CHECK-NEXT:   graph {"name": "main", "workspace_bytes": 0}
// CHECK:        call
// CHECK-NEXT:   queue 0 load
// CHECK-NEXT:     0: load output=l1[0x0]:si8[1,2,2,1] input=input0[0x0]:si8[1,2,2,1] layer=0
// CHECK-NEXT:     1: load output=l1[0x40]:si8[4] input=constant[0x0]:si8[4] layer=0
// CHECK-NEXT:   queue 0 vae
// CHECK-NEXT:     0: add output=l1[0x80]:si8[1,2,2,1]{strides=[64,32,16,1],padding=15} x=l1[0x0]:si8[1,2,2,1] y=l1[0x40]:si8[1,2,2,1] multipliers=[16384,-16384] shift=15 clip=[0,6] wait=[load:2] layer=0
// CHECK-NEXT: }

// DEADLOCK: error: {{.*}}deadlock: instruction 0 of core 0 LOAD (load) waits for 1 of core 0 STORE (0 done)

isa.program {
  machine {"march": "nash-e", "cores": 1, "l1_bytes": 1024, "l2_bytes": 0, "information": {}}
  constants 4
    AQIDBA==
  graph {"name": "main", "workspace_bytes": 0}
  input {"name": "x", "type": "si8", "shape": [1, 2, 2, 1], "strides": [4, 2, 1, 1]}
  layer {"name": "add0", "kind": "add"}
  // the labels before instructions are for people: what counts is their order
  call
  queue 0 load
    0: load output=l1[0x0]:si8[1,2,2,1] input=input0[0x0]:si8[1,2,2,1] layer=0
    1: load output=l1[0x40]:si8[4] input=constant[0x0]:si8[4] layer=0
  queue 0 vae
    0: add output=l1[0x80]:si8[1,2,2,1]{strides=[64,32,16,1],padding=15} x=l1[0x0]:si8[1,2,2,1] y=l1[0x40]:si8[1,2,2,1] multipliers=[16384,-16384] shift=15 clip=[0,6] wait=[load:2] layer=0
}
