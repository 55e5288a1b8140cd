"""The plot functions as a notebook calls them."""

import subprocess
import sys

import plotly.graph_objects as go
import pytest

import search.report
from search.report import (
    plot_effects,
    plot_front,
    plot_fronts,
    plot_hypervolume,
    plot_importances,
    plot_parallel_coordinates,
    plot_shares,
)
from search.report.figures.figure_style import LIGHT
from search.study import StudyRecord
from tests.search.report.figures.test_quality_shares import SHARP, VOLUME
from tests.search.toy import Lens, searched


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    return searched(tmp_path_factory.mktemp("study") / "study.db", 40)


def test_every_function_draws_a_study_on_white(record):
    figures = {
        "front": plot_front(record, picked=record.points[3]),
        "fronts": plot_fronts([record, record]),
        "shares": plot_shares([SHARP], VOLUME),
        "parallel": plot_parallel_coordinates(record, titles={"glass": "Glass"}),
        "hypervolume": plot_hypervolume(record),
        "effects": plot_effects(record, titles={"glass": "Glass"}),
        "importances": plot_importances(record, titles={"glass": "Glass"}),
    }
    for name, figure in figures.items():
        assert isinstance(figure, go.Figure), name
        drawn = figure.to_plotly_json()
        assert drawn["data"], name
        assert drawn["layout"]["template"] == LIGHT.to_plotly_json(), name
        assert drawn["layout"]["paper_bgcolor"] == "white", name
        assert ("Glass" in str(drawn)) == (name in ("parallel", "effects", "importances")), name


def test_hypervolume_against_all_choices(record):
    lens = Lens()
    grid = [
        {"elements": elements, "diameter_mm": diameter, "glass": glass}
        for elements in lens.choices["elements"]
        for diameter in lens.choices["diameter_mm"]
        for glass in lens.choices["glass"]
    ]
    figure = plot_hypervolume(record, exact=[one.values for one in lens.evaluate(grid)])
    assert 0.5 < figure.to_dict()["data"][0]["y"][-1] < 1


def test_the_package_names_its_functions_and_loads_plotly_with_the_first():
    assert set(search.report.__all__) <= set(dir(search.report))
    with pytest.raises(AttributeError, match="no attribute 'plot_nothing'"):
        _ = search.report.plot_nothing
    code = """
import sys, search.report
assert not {"plotly", "optuna", "numpy"} & set(sys.modules)
search.report.plot_front
assert "plotly" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
