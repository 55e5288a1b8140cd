"""How the commands of this package end: an exit status, and one line for whatever went wrong."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence

import typer

from search.commands.command import Interrupted, add_command
from search.commands.progress import hide_bars
from search.commands.result import Result
from search.errors import SearchError

__all__ = ["DEBUG", "run_command", "run_function"]

DEBUG = "SEARCH_DEBUG"
"""The environment variable that, set to 1, shows the traceback of an error."""


def run_command(app: typer.Typer, arguments: Sequence[str] | None, name: str) -> int:
    """Run a command line.

    Args:
        app: the command.
        arguments: its arguments, or None for those of the process.
        name: how the command is called, such as `python -m search`.

    Returns:
        The exit status: 0; what a command's Result has; 130 when interrupted; 2 for everything else that goes wrong,
        such as bad input, a full disk or an exception in a problem's `evaluate`. Unless it is 0, one line on standard
        error gives the reason.

    Raises:
        Exception: whatever went wrong, if the environment has SEARCH_DEBUG=1.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names may hold what the console cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(args=arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.TyperException as error:
        return _fail(f"{error.format_message().rstrip('.')}; see {name} --help", 2)
    except Interrupted as stop:
        return _fail(f"interrupted; {stop}", 130)
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except Exception as error:
        if os.environ.get(DEBUG, "0") not in ("", "0"):
            raise
        return _fail(_describe(error), 2)
    if status == 130:
        return _fail("interrupted", 130)
    return status if isinstance(status, int) else 0


def run_function(function: Callable[..., Result], arguments: Sequence[str] | None, name: str) -> int:
    """Run a function as a command line of its own.

    Args:
        function: a function that `add_command` can make a command.
        arguments: its arguments, or None for those of the process.
        name: how the command is called, such as `python -m search benchmark`.

    Returns:
        The exit status, as `run_command` returns it.
    """
    app = typer.Typer(add_completion=False)
    add_command(app, name, function, silence=hide_bars)
    return run_command(app, arguments, name)


def _describe(error: Exception) -> str:
    if isinstance(error, SearchError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        files = " -> ".join(str(file) for file in (error.filename, error.filename2) if file is not None)
        text = f"{files}: {error.strerror}" if files else error.strerror
    else:
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
    notes = getattr(error, "__notes__", [])  # such as the choices that a problem was evaluating
    return "; ".join([text, *notes, f"{DEBUG}=1 in the environment shows the traceback"])


def _fail(message: str, status: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return status
