"""Errors a user can mend.

Every error that comes from what the user gave (a model, a file, an option) is an `HbirError` or a
subclass beside the code that raises it. Commands print it as one `error: ...` line and exit with
status 1; a traceback means a defect in hbir itself.
"""


class HbirError(Exception):
    """Bad input. The message names the file, node, tensor or key, what was expected, the remedy."""
