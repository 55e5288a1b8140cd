import itertools
import json

from search.benchmarks.overhead import SAMPLERS, Overhead, main, measure, median_of, table_of
from search.benchmarks.tabular import TabularProblem
from tests.search.ladder import Ladder


def write_table(path):
    ladder = Ladder()
    rows = [ladder.score(steps).values for steps in itertools.product((0, 1, 2), repeat=6)]
    names = [objective.name for objective in ladder.objectives]
    values = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    path.write_text(TabularProblem(ladder.choices, ladder.objectives, values, "by hand").to_json())
    return path


def test_every_choice_is_searched_and_timed(tmp_path):
    found = measure(write_table(tmp_path / "table.json"), "random")
    assert 0 < found.mean_ms < 1000
    assert min(found.first_ms, found.last_ms) > 0


def test_the_command_prints_and_writes(tmp_path, capsys):
    out = tmp_path / "out.json"
    assert main([str(write_table(tmp_path / "table.json")), "--out", str(out)]) == 0
    assert [row["sampler"] for row in json.loads(out.read_text())] == list(SAMPLERS)
    assert "aim 5 ms, 2x" in capsys.readouterr().out
    assert main([str(tmp_path / "none.json"), "--out", str(out)]) == 2
    assert "no such file" in capsys.readouterr().err


def test_aims_are_judged():
    lines = table_of([Overhead("a", 4, 3, 6), Overhead("b", 6, 3, 3), Overhead("c", 4, 2, 5)]).splitlines()
    assert [line.rpartition(" ")[2] for line in lines[1:]] == ["met", "missed", "missed"]


def test_a_turn_that_was_disturbed_does_not_count():
    turns = [Overhead("a", 1, 1, last) for last in (9, 1.5, 1.25)]
    assert median_of(turns) == turns[1]
