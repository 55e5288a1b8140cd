"""A function as a command: its options, its output, Ctrl-C."""

import json
from pathlib import Path
from typing import Annotated

import pytest
import typer

from search.commands.command import add_command, keeps
from search.commands.ending import run_command
from search.commands.help_page import Group
from search.commands.progress import hide_bars, show_bar
from search.commands.result import Result


def measure(
    n: Annotated[int, typer.Argument(help="How often.")],
    out: Annotated[Path, typer.Option(help="The file-to-write, which is named at the very end.")] = Path("a"),
    max_latency_ms: Annotated[
        list[float] | None, typer.Option(help="A ceiling.", rich_help_panel="Ceilings")
    ] = None,
    kind: Annotated[str, typer.Option(help="any-of-several-kinds " * 6, metavar="K")] = "x",
) -> Result:
    """Measure something.

    A second paragraph that is longer than one line of the help can be, so that it is wrapped between two of its words.
    """
    with show_bar("measure") as report:
        report(1, 1, "half")
    return Result({"n": n, "ceilings": max_latency_ms}, [f"{n} times"], [out], ["again", n], status=n)


@keeps("the half is kept")
def stop() -> Result:
    """Stop at once."""
    raise KeyboardInterrupt


def stop_with_reason() -> Result:
    """Stop, and say why."""
    raise KeyboardInterrupt("3 of 4 are kept")


def stop_early() -> Result:
    """Stop before anything."""
    raise KeyboardInterrupt


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    app = typer.Typer(cls=Group, context_settings={"help_option_names": ["-h", "--help"]}, help="Tests.")
    for function in (measure, stop, stop_with_reason, stop_early):
        add_command(app, function.__name__, function, "Things", hide_bars)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = run_command(app, arguments, "tool")
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_text_with_the_next_command(call):
    status, out, err = call("measure", "0")
    assert (status, out) == (0, "0 times\nnext: again 0\n")
    assert "measure" in err


def test_quiet_shows_the_file_alone(call):
    assert call("measure", "0", "--quiet") == (0, "a\n", "")


def test_json_alone_on_standard_output(call):
    status, out, _ = call("measure", "0", "--json", "--max-latency-ms", "3", "--out", "b")
    assert status == 0
    assert json.loads(out) == {"n": 0, "ceilings": [3.0], "files": ["b"], "next": ["again", "0"]}


def test_the_status_is_the_results(call):
    assert call("measure", "1", "--quiet") == (1, "a\n", "")


def test_an_error_is_one_line_also_with_json(call):
    status, out, err = call("measure", "many", "--json")
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("stop", "the half is kept"),
        ("stop_with_reason", "3 of 4 are kept"),
        ("stop_early", "nothing is written"),
    ],
)
def test_an_interruption_says_what_it_leaves(call, command, kept):
    assert call(command) == (130, "", f"error: interrupted; {kept}\n")


def test_the_help_of_a_command(call):
    assert call("measure", "-h")[1] == call("measure", "--help")[1]
    assert call("measure", "-h")[1].splitlines() == [
        "Usage: tool measure [OPTIONS] N",
        "",
        "  Measure something.",
        "",
        "  A second paragraph that is longer than one line of the help can be, so that it",
        "  is wrapped between two of its words.",
        "",
        "Arguments:",
        "  N  How often. [required]",
        "",
        "Options:",
        "  --out FILE  The file-to-write, which is named at the very end. [default: a]",
        "  --kind K    any-of-several-kinds any-of-several-kinds any-of-several-kinds",
        "              any-of-several-kinds any-of-several-kinds any-of-several-kinds",
        "              [default: x]",
        "",
        "Ceilings:",
        "  --max-latency-ms MS  A ceiling.",
        "",
        "Output:",
        "  --json      Print one JSON document instead of text.",
        "  --quiet     Print only the files that are written, or the answer.",
        "  -h, --help  Show this message and exit.",
    ]


def test_the_help_of_a_group(call):
    assert call("-h")[1].splitlines()[2:8] == [
        "  Tests.",
        "",
        "Things:",
        "  measure           Measure something.",
        "  stop              Stop at once.",
        "  stop_with_reason  Stop, and say why.",
    ]
