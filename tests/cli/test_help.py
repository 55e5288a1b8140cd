"""The help of every command, in 80 columns."""

import re
from inspect import cleandoc

import pytest
from typer.core import TyperGroup

from tests.cli.commands import COMMANDS, context_of
from tests.command import Run


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")


def page_of(name: str) -> str:
    return COMMANDS[name].get_help(context_of(name))


def words(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_longer_than_80_columns(name: str):
    assert [line for line in page_of(name).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_word_of_every_text_is_whole_and_in_its_place(name: str):
    command, page = COMMANDS[name], " ".join(words(page_of(name)))
    texts = [cleandoc(command.help), *(param.help for param in command.get_params(context_of(name)))]
    for text in texts:
        assert " ".join(words(text)) in page


@pytest.mark.parametrize("name", COMMANDS)
def test_the_first_line_is_a_sentence_and_every_parameter_has_help(name: str):
    command = COMMANDS[name]
    first = cleandoc(command.help).splitlines()[0]
    assert re.fullmatch(r"[A-Z].*\.", first), first
    for param in command.get_params(context_of(name)):
        assert re.fullmatch(r"(?s)[^\s].*\.", param.help or ""), param.name


@pytest.mark.parametrize("name", [name for name, one in COMMANDS.items() if not isinstance(one, TyperGroup)])
def test_the_common_options_come_last(name: str):
    output = page_of(name).split("\n\n")[-1].splitlines()
    assert output[0] == "Output:"
    assert [re.split(r"\s{2,}", line.strip())[0] for line in output[1:]] == [
        "--json",
        "--quiet",
        "-h, --help",
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_values_have_names_and_no_path_of_this_machine_is_shown(name: str):
    page = page_of(name)
    assert "<" not in page
    assert ".safetensors]" not in page


def test_h_is_help(run: Run):
    for words in ([], ["lut"], ["lut", "build"], ["costs"]):
        assert run(*words, "-h").out == run(*words, "--help").out
    assert run("lut").out == run("lut", "-h").out


def test_many_options_stand_under_headings():
    """A command with more than a dozen options of its own is read in parts."""
    for name, command in COMMANDS.items():
        options = [param for param in command.params if param.param_type_name == "option"]
        headings = {param.rich_help_panel for param in options}
        assert len(options) <= 14 or len(headings) >= 3, name
