"""Groups of commands, such as `mfagan lut build` and `mfagan lut audit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import typer

from mfagan.cli.messages import hide_notes
from search.commands.command import add_command
from search.commands.help_page import Group
from search.commands.result import Result

__all__ = ["Command", "Subcommands", "add_commands"]

Command = Callable[..., Result | None]
"""What typer makes a command of."""


class Subcommands(NamedTuple):
    """A group: its help, and its commands or further groups by name."""

    help: str
    commands: Mapping[str, Command | Subcommands]


def add_commands(
    app: typer.Typer, commands: Mapping[str, Command | Subcommands], panel: str | None = None
) -> None:
    """Add commands and groups of commands.

    Args:
        app: what they are added to.
        commands: name -> command or group.
        panel: heading in the help, if any.
    """
    for name, command in commands.items():
        if isinstance(command, Subcommands):
            group = typer.Typer(cls=Group, no_args_is_help=True, help=command.help)
            add_commands(group, command.commands)
            app.add_typer(group, name=name, rich_help_panel=panel)
        else:
            add_command(app, name, command, panel, hide_notes)
