"""What every level of hbir's IR is made of, whatever the dialect.

Types, the weight store, origins, the base class of single-result tensor ops, the rewriter that
keeps origins, the verifier, and the text form. Nothing here knows a particular op.
"""
