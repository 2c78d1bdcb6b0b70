"""The commands, one file each, and what they share.

Every `main(argv)` returns its exit status and prints to `sys.stdout` and `sys.stderr` as they are
when it is called, so that tests run commands in their own process.
"""
