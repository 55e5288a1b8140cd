"""The generators that are installed with the package, by their names; asking for them loads no networks."""

from importlib import import_module
from pathlib import Path

__all__ = ["GROUPS", "SYSTEMS", "commands_of", "find_checkpoint", "list_shipped"]

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
    ),
    "mfagan.mobilestylegan": ("stylegan2", "mobilestylegan"),
    "mfagan.coronetgan": ("resnet_translator", "unet_translator", "hyper_translator"),
}
"""Package of a system -> the kinds of generators in checkpoints that its module `kinds` loads."""
GROUPS = {
    "mfagan.mobilestylegan": "mfagan mobilestylegan",
    "mfagan.coronetgan": "mfagan coronetgan",
}
"""Package of a system -> its group of commands, if it has one; other commands are those of super-resolution."""


def commands_of(kind: str) -> str:
    """Find the commands that take a network.

    Args:
        kind: the network's name in checkpoints, of any network.

    Returns:
        The group of commands of its system; "mfagan" if there is none.
    """
    return next(
        (GROUPS.get(system, "mfagan") for system, kinds in SYSTEMS.items() if kind in kinds), "mfagan"
    )


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
