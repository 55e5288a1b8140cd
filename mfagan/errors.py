"""The one error of `mfagan` that a user can cause: its text is one line that says what to do."""


class InputError(ValueError):
    """Bad input: names the file or argument, the value seen and what to do, in one line."""
