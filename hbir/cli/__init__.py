"""The commands, one file each, and what they share.

Every `main(argv)` returns its exit status and prints to `sys.stdout` and `sys.stderr` as they are
when it is called, so that tests run commands in their own process.
"""

import gc

gc.set_threshold(50_000, 20, 50)
# A command is short-lived: looking for cyclic garbage as often as a server needs it takes a tenth
# of a compilation, most of it while modules are imported.
