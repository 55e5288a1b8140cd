"""The `mfagan` command. Every command imports what it needs itself, so that `mfagan --help` is instant."""

import io
import os
import sys
from typing import Annotated

import typer

from mfagan import __version__
from mfagan.cli.coronetgan import CORONETGAN
from mfagan.cli.groups import Command, Subcommands, add_commands
from mfagan.cli.lut import audit, build, calibrate, kit
from mfagan.cli.messages import show_log
from mfagan.cli.mobilestylegan import MOBILESTYLEGAN
from mfagan.cli.study import front, history, pick, reprice, search, tabulate
from mfagan.cli.train import ablate, data, networks, sweep, weights
from mfagan.cli.use import benchmark, demo, evaluate, export, info, upscale, webpage
from mfagan.errors import InputError
from search.commands.command import Interrupted
from search.commands.help_page import Group
from search.errors import SearchError

__all__ = ["DEBUG", "app", "main"]

GUIDE = """\
MFAGAN: small super-resolution GANs for phones. Step by step, on the bundled photos:
  train      mfagan train demo --out runs/weights  (optional: trained weights are included)
  price      mfagan lut build --out runs/lut.json
  search     mfagan search --lut runs/lut.json
  browse     mfagan front --out runs/front.html
  pick       mfagan pick --knee --out runs/picked.json
  fine-tune  mfagan finetune runs/picked.json --out runs/net.safetensors
  export     mfagan export runs/net.safetensors --out runs/net.tflite
`mfagan demo` runs all of this in one go; in Python: `import mfagan; help(mfagan)`.
`mfagan --help` lists every command, `mfagan COMMAND --help` its options."""
"""What `mfagan` without arguments prints."""


app = typer.Typer(
    cls=Group,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="MFAGAN_DEBUG=1 in the environment shows the traceback of an error.",
)

_PANELS: dict[str, dict[str, Command | Subcommands]] = {
    "Start": {"demo": demo.demo},
    "Train": {
        "data": Subcommands("Folders of images.", {"check": data.check, "shrink": data.shrink}),
        "weights": Subcommands(
            "Pretrained weights of other authors: VGG and AlexNet.",
            {"get": weights.get, "list": weights.show},
        ),
        "train": networks.train,
        "finetune": networks.finetune,
        "sweep": sweep.sweep,
        "rank": networks.rank,
        "ablate": ablate.ablate,
    },
    "Price and search": {
        "costs": networks.costs,
        "lut": Subcommands(
            "Latency look-up tables.",
            {
                "build": build.build_lut,
                "audit": audit.audit,
                "kit": kit.write,
                "import": kit.import_kit,
                "plan": calibrate.plan,
                "calibrate": calibrate.calibrate,
                "price": calibrate.price,
            },
        ),
        "search": search.run_search,
        "front": front.front,
        "pick": pick.pick,
        "tabulate": tabulate.tabulate,
        "reprice": reprice.reprice,
        "history": history.history,
        "record": history.record,
    },
    "Use": {
        "upscale": upscale.upscale,
        "info": info.info,
        "evaluate": evaluate.evaluate,
        "export": export.export,
        "webpage": webpage.webpage,
        "benchmark": benchmark.benchmark,
    },
    "Other networks": {"mobilestylegan": MOBILESTYLEGAN, "coronetgan": CORONETGAN},
}
"""Heading of `mfagan --help` -> its commands by name."""
for _panel, _commands in _PANELS.items():
    add_commands(app, _commands, _panel)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"mfagan {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Small super-resolution GANs for phones: train, price, search, browse, pick, fine-tune, export."""
    if context.invoked_subcommand is None:
        print(GUIDE)


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
        status = app(prog_name="mfagan", standalone_mode=False)
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
    except Interrupted as stop:
        print(f"mfagan: interrupted; {stop}", file=sys.stderr)
        status = 130
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
