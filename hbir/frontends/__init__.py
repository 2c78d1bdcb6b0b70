"""Frontends: from the models users bring to the float level. One folder per format.

A new frontend builds a module with `hbir.ir` alone and touches no pass.
"""
