"""The `mfagan` command. Every command imports what it needs itself, so that `mfagan --help` is instant."""

import io
import os
import sys

import typer

from mfagan.cli import ablate, data, demo, evaluate, history, networks, studies
from mfagan.cli.messages import show_log
from mfagan.errors import InputError
from search.errors import SearchError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Small super-resolution GANs for a device: train, price, search, browse, pick, fine-tune, export.",
    epilog="MFAGAN_DEBUG=1 in the environment shows the traceback of an error.",
)
lut_app = typer.Typer(no_args_is_help=True, help="Latency look-up tables.")
lut_app.command("build")(studies.build_lut)
data_app = typer.Typer(no_args_is_help=True, help="Folders of images.")
data_app.command("check")(data.check)
app.command()(networks.train)
app.command()(ablate.ablate)
app.add_typer(data_app, name="data")
app.add_typer(lut_app, name="lut")
app.command("search")(studies.run_search)
for command in (
    studies.front,
    studies.tabulate,
    studies.pick,
    networks.finetune,
    evaluate.evaluate,
    networks.export,
    history.history,
    history.record,
):
    app.command()(command)
for command in (networks.rank, networks.costs, networks.info, demo.demo):
    app.command()(command)


DEBUG = "MFAGAN_DEBUG"
"""The environment variable that shows where an error was raised."""


def main() -> None:
    """Run the command line.

    Bad input, and what the system refuses (a full disk, too little memory), end in one line on standard error and
    exit status 2; Ctrl-C ends with 130. With MFAGAN_DEBUG=1 in the environment the traceback is shown instead.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files may hold what the console cannot show
            stream.reconfigure(errors="backslashreplace")
    show_log()
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except (
        InputError,
        SearchError,
        OSError,
        UnicodeError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        if os.environ.get(DEBUG, "0") not in ("", "0"):
            raise
        status = _fail(_describe(error))
    except typer.TyperException as error:
        status = _fail(error.format_message() or "see `mfagan --help`")
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _describe(error: BaseException) -> str:
    if isinstance(error, InputError | SearchError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        files = " -> ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
        return f"{files}: {error.strerror}" if files else error.strerror
    return f"{type(error).__name__}: {error}; {DEBUG}=1 shows where"


def _fail(message: str) -> int:
    print(f"mfagan: error: {' '.join(message.split())}", file=sys.stderr)
    return 2
