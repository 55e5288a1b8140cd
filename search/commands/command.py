"""Makes a function a command: it returns a Result, which is printed as the user asks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, TypeVar

import typer

from search.commands.help_page import Command
from search.commands.result import Result, as_json, as_text

__all__ = ["Interrupted", "add_command", "keeps"]

Function = TypeVar("Function", bound=Callable[..., Result | None])

OUTPUT = "Output"
"""The section of a command's help that has the options which all commands have."""
NOTHING_KEPT = "nothing is written"

_KEPT: dict[Callable[..., Any], str] = {}

_ADDED = {
    "as_json": Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of text.", rich_help_panel=OUTPUT)
    ],
    "quiet": Annotated[
        bool,
        typer.Option(
            "--quiet", help="Print only the files that are written, or the answer.", rich_help_panel=OUTPUT
        ),
    ],
}


class Interrupted(Exception):
    """Ctrl-C ended a command; the text says what it leaves."""


def keeps(text: str) -> Callable[[Function], Function]:
    """Say what a command leaves when Ctrl-C ends it. A command can raise a KeyboardInterrupt with a text instead.

    Args:
        text: a part of a sentence, such as "the last snapshot is kept; the same command continues".

    Returns:
        A decorator of the command's function.
    """

    def mark(function: Function) -> Function:
        _KEPT[function] = text
        return function

    return mark


def add_command(
    app: typer.Typer,
    name: str,
    function: Callable[..., Result | None],
    panel: str | None = None,
    silence: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Add a command with the options `--json`, `--quiet` and `-h`.

    Args:
        app: the command line.
        name: the command's name.
        function: called with the command's arguments; its docstring is the help. It returns what to print.
        panel: the heading under which the help of `app` lists it.
        silence: gives the context within which the function runs with `--quiet`; nothing but warnings is shown there.
    """

    @functools.wraps(function)
    def call(*, as_json: bool, quiet: bool, **given: object) -> None:
        with silence() if quiet else nullcontext():
            try:
                result = function(**given)
            except KeyboardInterrupt as stop:
                raise Interrupted(str(stop) or _KEPT.get(function, NOTHING_KEPT)) from None
        if result is not None:
            _show(result, as_json, quiet)
            if result.status:
                raise typer.Exit(result.status)

    own = inspect.signature(function, eval_str=True)
    added = [
        inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for one, kind in _ADDED.items()
    ]
    call.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    call.__annotations__ = {**function.__annotations__, **_ADDED}
    settings = {"help_option_names": ["-h", "--help"]}
    app.command(name, cls=Command, context_settings=settings, rich_help_panel=panel)(call)


def _show(result: Result, json: bool, quiet: bool) -> None:
    text = as_json(result) if json else as_text(result, quiet=quiet)
    if text:
        print(text)
