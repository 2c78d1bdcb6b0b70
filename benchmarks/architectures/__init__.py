"""Architectures in plain torch, each from the module to equal bits on every level.

`networks` lists them with the inputs they are measured with and the smaller ones that CI takes,
`measure` takes one through the toolchain.
"""
