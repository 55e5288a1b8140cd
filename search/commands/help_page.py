"""The help of commands, laid out for 80 columns: no word is broken, options stand under headings."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

__all__ = ["Command", "Group", "summary"]

MOST_COLUMNS = 80
LEFT_COLUMNS = 26
"""Columns of an option's name and value; a longer one has a line of its own."""

_UNITS = {"_ms": "MS", "_mb": "MB", "_gb": "GB", "_megapixels": "MP", "minutes": "MINUTES"}
"""Ending of an option's name -> how its value is called in the help."""
_PLAINER = (
    (r"\[default: \((.*?)\)", r"[default: \1"),
    (r"([\d.]+)<=x<=([\d.]+)(?=\]|;)", r"\1 to \2"),
    (r"x>=([\d.]+)(?=\]|;)", r"at least \1"),
)
"""What typer writes after a help text -> what is shown."""
_NO_BREAK = "\u00a0"
_KINDS = {int: "N", float: "X", str: "TEXT", Path: "FILE"}


class _Page:
    """What a command and a group have in common."""

    params: list[Any]

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """Give every parameter a short name for its value.

        Args:
            arguments: as typer gives them.
            settings: likewise.
        """
        super().__init__(*arguments, **settings)
        _name_values(self.params)

    def get_help(self, ctx: Any) -> str:
        """Write the help, with the commands of a group under their headings.

        Args:
            ctx: the context in which it is asked for.

        Returns:
            Lines of at most 80 columns.
        """
        return _lay_out(self, ctx)


class Command(_Page, TyperCommand):
    """A command of a command line; `typer` makes it of a function."""


class Group(_Page, TyperGroup):
    """A command line with commands, or a group of commands within one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; without any, a group that has `no_args_is_help` prints its help and ends with status 0.

        Args:
            ctx: the context.
            args: the words.

        Returns:
            What is left of them.
        """
        return super().parse_args(ctx, args or (["--help"] if self.no_args_is_help else []))


def summary(command: Any) -> str:
    """Summarise a command.

    Args:
        command: a Command or a Group.

    Returns:
        The first line of its help.
    """
    return inspect.cleandoc(command.help or "").partition("\n")[0]


def _lay_out(command: Any, ctx: Any) -> str:
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    sections: dict[str, list[tuple[str, str]]] = {}
    for name, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            panel = getattr(one, "rich_help_panel", None) or "Commands"
            sections.setdefault(panel, []).append((name, summary(one)))
    last: list[tuple[str, str]] = []
    for param in command.get_params(ctx):
        if param.hidden:
            continue
        if isinstance(param, TyperArgument):
            sections.setdefault("Arguments", []).append(_entry(param, ctx))
        elif "--help" in param.opts:
            last.append(_entry(param, ctx))
        else:
            sections.setdefault(param.rich_help_panel or "Options", []).append(_entry(param, ctx))
    sections.setdefault("Output" if "Output" in sections else "Options", []).extend(last)
    paragraphs = [_usage(command, ctx, width)]
    about = inspect.cleandoc(command.help or "")
    paragraphs += [_fill(one, width, "  ") for one in about.split("\n\n") if one]
    paragraphs += [f"{name}:\n{_rows(rows, width)}" for name, rows in sections.items() if rows]
    paragraphs += [_fill(command.epilog, width, "")] if command.epilog else []
    return "\n\n".join(paragraphs)


def _usage(command: Any, ctx: Any, width: int) -> str:
    words = ["[OPTIONS]"]
    for param in command.get_params(ctx):
        if isinstance(param, TyperArgument):
            words.append(_argument(param) if param.required else f"[{_argument(param)}]")
    words += ["COMMAND [ARGS]..."] if isinstance(command, TyperGroup) else []
    start = f"Usage: {ctx.command_path} "
    return _fill(" ".join(words), width, start, " " * len(start))


def _argument(param: TyperArgument) -> str:
    return f"{param.metavar}{'...' if param.nargs != 1 and '...' not in str(param.metavar) else ''}"


def _entry(param: Any, ctx: Any) -> tuple[str, str]:
    """The name of a parameter and its help, which ends with its default."""
    record = param.get_help_record(ctx)
    assert record is not None
    name, text = record
    for written, plain in _PLAINER:
        text = re.sub(written, plain, text)
    return (_argument(param) if isinstance(param, TyperArgument) else name), text


def _rows(rows: Iterable[tuple[str, str]], width: int) -> str:
    rows = list(rows)
    left = min(max(len(name) for name, _ in rows), LEFT_COLUMNS) + 4
    lines = []
    for name, text in rows:
        filled = _fill(text, width, " " * left)
        lines.append(
            f"  {name:<{left - 4}}  {filled[left:]}" if len(name) <= left - 4 else f"  {name}\n{filled}"
        )
    return "\n".join(lines)


def _fill(text: str, width: int, first: str, others: str | None = None) -> str:
    together = " ".join(text.split()).replace("[default: ", f"[default:{_NO_BREAK}")
    filled = textwrap.fill(
        together,
        width,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(_NO_BREAK, " ")


def _name_values(params: Iterable[Any]) -> None:
    for param in params:
        if param.metavar is None and isinstance(param, TyperArgument):
            param.metavar = str(param.name).upper()
        elif param.metavar is None and isinstance(param, TyperOption) and not param.is_flag:
            param.metavar = _value_name(param)


def _value_name(option: TyperOption) -> str:
    for ending, unit in _UNITS.items():
        if str(option.name).endswith(ending):
            return unit
    kind = option.type_descriptor
    if kind.is_choice:
        return "|".join(map(str, kind.choices or ()))
    (one,) = get_args(kind.annotation) if kind.is_list else (kind.annotation,)
    return _KINDS.get(one, "VALUE")  # type: ignore[arg-type]
