"""The ONNX frontend: `import_model` turns a model into a module of the float level.

`proto` reads files and protos, `graph` is the normalised view of them, `shapes` fixes open input
shapes, `constant_folding` evaluates what is known, `importer` goes through the nodes. The operator
families' files hold a function per operator: its docstring says what becomes of the operator and
under which constraints.
"""
