"""Packages that only some commands import: what is said if one is missing or broken."""

from mfagan.errors import InputError

__all__ = ["refuse_import"]


def refuse_import(package: str, error: Exception) -> InputError:
    """The error for a package that is missing or broken.

    Args:
        package: its name for pip.
        error: what importing it raised.

    Returns:
        An error whose line names the package, the cause and what to install.
    """
    cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return InputError(
        f"{package} cannot be imported ({cause}); install it with: pip install --force-reinstall {package}"
    )
