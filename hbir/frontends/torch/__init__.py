"""The PyTorch frontend: `import_program` turns a module into a module of the float level.

`program` runs torch.export and normalises what it gives, `ports` names inputs and outputs after
their place in the forward call, `names` names nodes after the user's modules, `constant_folding`
evaluates what is known, `importer` goes through the nodes. The operator families' files hold a
function per ATen operator: its docstring says what becomes of the operator and under which
constraints. `cpu` has the operators that only the CPU can run.
"""
