"""The `mfagan` command. Every command imports what it needs itself, so that `mfagan --help` is instant."""

import sys

import typer

from mfagan.cli import ablate, data, demo, evaluate, history, networks, studies
from mfagan.errors import InputError
from search.errors import SearchError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Small super-resolution GANs for a device: train, price, search, browse, pick, fine-tune, export.",
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


def main() -> None:
    """Run the command line: bad input ends in one line on standard error and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except (InputError, SearchError) as error:
        status = _fail(str(error))
    except typer.TyperException as error:
        status = _fail(error.format_message() or "see `mfagan --help`")
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> int:
    print(f"mfagan: error: {' '.join(message.split())}", file=sys.stderr)
    return 2
