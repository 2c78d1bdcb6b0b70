isa.program {
  machine {"march": "nash-e", "cores": 1, "l1_bytes": 1024, "l2_bytes": 0, "information": {}}
  constants 0
  graph {"name": "main", "workspace_bytes": 0}
  input {"name": "x", "type": "si8", "shape": [4], "strides": [1]}
  output {"name": "y", "type": "si8", "shape": [4], "strides": [1]}
  call
  queue 0 load
    0: load output=l1[0x0]:si8[4] input=input0[0x0]:si8[4] wait=[store:1] layer=0
  queue 0 store
    0: store output=output0[0x0]:si8[4] input=l1[0x0]:si8[4] wait=[load:1] layer=0
}
