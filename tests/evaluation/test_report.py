from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.evaluation import report_table as tables
from mfagan.evaluation.candidates import (
    Candidate,
    distinct_names,
    load_candidates,
    read_image_sets,
    split_name,
)
from mfagan.evaluation.report import EvaluationSettings, evaluate
from tests import tiny


class Counting(nn.Module):
    """Enlarges by repetition; may refuse input without values, which is what a trace runs it on."""

    def __init__(self, refusal: Exception | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.refusal = refusal

    def forward(self, x: Tensor) -> Tensor:
        if self.refusal is not None and x.is_meta:
            raise self.refusal
        return F.interpolate(x * self.weight[:, None, None], scale_factor=4.0, mode="nearest")


def test_a_network_whose_operators_cannot_be_traced_has_its_parameters_and_a_remark(tmp_path: Path):
    sets = read_image_sets([str(tiny.write_photos(tmp_path / "set", n=1, side=48))], 4)
    refusals = {"plain": None, "asks": InputError("asks for a number of its input")}
    networks = [Candidate(name, Counting(refusal), 4) for name, refusal in refusals.items()]
    found = evaluate(networks, sets, 4, EvaluationSettings((16, 16)))
    bicubic, plain, asks = found.rows
    assert asks.mean("set") == plain.mean("set")
    assert (bicubic.params, plain.params, asks.params) == (None, 3, 3)
    assert plain.costs is not None
    assert asks.costs is None
    memory, flops, params = tables.cost_cells(asks)
    assert (memory, flops, params) == (None, None, 3e-6)
    (note,) = [note for note in tables.list_notes(found) if note.startswith("asks: ")]
    assert note == "asks: FLOPs and memory are not counted (asks for a number of its input)"
    rows = tables.as_json(found)["rows"]
    assert rows[2]["params"] == rows[1]["params"] == 3
    assert "flops" in rows[1]
    assert "flops" not in rows[2]


def test_a_fault_while_costs_are_counted_is_no_remark(tmp_path: Path):
    sets = read_image_sets([str(tiny.write_photos(tmp_path / "set", n=1, side=48))], 4)
    broken = Candidate("broken", Counting(ZeroDivisionError("a fault of ours")), 4)
    with pytest.raises(ZeroDivisionError):
        evaluate([broken], sets, 4, EvaluationSettings((16, 16)))


@pytest.mark.parametrize(
    ("given", "name", "path"),
    [
        ("33 of Urban100=data/Urban100", "33 of Urban100", "data/Urban100"),
        ("a=b=c", "a", "b=c"),
        (" a =b", "a", "b"),
        ("data/Set5", "", "data/Set5"),
        ("runs/rate=0.1/net.safetensors", "", "runs/rate=0.1/net.safetensors"),
        ("../x=y", "", "../x=y"),
        ("=y", "", "=y"),
        ("x=", "", "x="),
    ],
)
def test_names_before_an_equals_sign(given: str, name: str, path: str):
    assert split_name(given) == (name, path)


def test_a_folder_that_exists_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    tiny.write_photos(tmp_path / "a=b", n=1, side=48)
    assert [one.name for one in read_image_sets(["a=b"], 4)] == ["a=b"]


def test_sets_and_networks_have_the_names_that_are_given(tmp_path: Path):
    for name in ("Set5", "Set14"):
        tiny.write_photos(tmp_path / "benchmarks" / name / "HR", n=1, side=48)
    folder = tmp_path / "benchmarks" / "Set5"
    names = [one.name for one in read_image_sets([f"mine={tmp_path / 'benchmarks'}", f"one={folder}"], 4)]
    assert names == ["mine Set5", "mine Set14", "one"]
    asked: list[Path] = []

    def load(path: Path, widths: object) -> list[Candidate]:
        asked.append(path)
        return [Candidate("24" if path.stem == "super" else "", Counting(), 4)]

    found = load_candidates(["ours=x/super.pth", "y/net.pth"], load, ["24"])
    assert [one.name for one in found] == ["ours@24", "net"]
    assert asked == [Path("x/super.pth"), Path("y/net.pth")]


def test_names_that_are_given_twice_are_told_apart_by_folders(tmp_path: Path):
    assert distinct_names([(tmp_path / "a" / "x", "n"), (tmp_path / "b" / "x", "n")]) == ["a-n", "b-n"]
