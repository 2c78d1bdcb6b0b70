"""Frontends: from the models users bring to the float level. One folder per format.

A new frontend makes its ops through `emitter` and `compositions`, so that a network has one form
whichever way it comes in, and touches no pass.
"""
