"""The generators that are installed with the package, by their names; asking for them loads no networks."""

from importlib import import_module
from pathlib import Path

__all__ = ["SYSTEMS", "find_checkpoint", "list_shipped"]

SYSTEMS = {
    "mfagan.sr": (
        "mfanet",
        "rrdbnet",
        "srresnet",
        "imdn",
        "rfdn",
        "span",
        "edsr",
        "srvggnetcompact",
        "quicksrnet",
        "spanv2",
    )
}
"""Package of a system -> the kinds of generators in checkpoints that its module `kinds` loads."""


def list_shipped() -> dict[str, Path]:
    """List the generators that are installed with the package.

    Returns:
        Name -> checkpoint, of all systems.
    """
    shipped: dict[str, Path] = {}
    for system in SYSTEMS:
        shipped |= import_module(f"{system}.shipped").MODELS
    return shipped


def find_checkpoint(name_or_path: str | Path) -> Path:
    """Find a checkpoint that may be given by the name of a shipped generator.

    Args:
        name_or_path: a file, or a name that `list_shipped` lists; a file of that name comes first.

    Returns:
        The checkpoint's path; what is no name is returned as it is.
    """
    path = Path(name_or_path)
    return path if path.exists() else list_shipped().get(str(name_or_path), path)
