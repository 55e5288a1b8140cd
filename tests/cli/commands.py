"""Every command of `mfagan`, with its name."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from mfagan import cli

__all__ = ["COMMANDS", "context_of"]


def _walk(command: Any, *names: str) -> Iterator[tuple[str, Any]]:
    yield " ".join(names), command
    if isinstance(command, TyperGroup):
        for name, one in command.commands.items():
            yield from _walk(one, *names, name)


COMMANDS = dict(_walk(typer.main.get_command(cli.app), "mfagan"))
"""`mfagan lut build` -> the command."""


def context_of(name: str) -> Any:
    """The context in which a command's help is asked for."""
    return COMMANDS[name].make_context(name, [], resilient_parsing=True, help_option_names=["-h", "--help"])
