"""The schedule search across layers: what stays on chip, which layers take turns, where all lies.

`planner.plan` puts the parts together: `network` (layers and tensors without an IR), `homes`
(tensors inside others), `residence` (when a tensor is on chip), `stripes` (groups cut into rows),
`placement` (their memory), with `tiles` (of one layer) and `arena` (addresses). Every step is
linear in the number of layers. `bound` is what no schedule can beat, `explain` says why one is as
it is.
"""
