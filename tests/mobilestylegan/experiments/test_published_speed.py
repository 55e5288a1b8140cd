"""The experiment on the published networks, on small ones."""

import json
from pathlib import Path

import pytest
import typer

from mfagan.errors import InputError
from mfagan.mobilestylegan.experiments.published_speed import draw_pair, main


def test_it_prints_and_writes_what_it_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "speed.json"
    main(size=16, channels="8,8,8", style_dim=8, threads=1, rounds=1, out=out)
    printed = capsys.readouterr().out
    assert "16 px, random weights: latencies, not images" in printed
    found = json.loads(out.read_text())
    assert found["weights"] == "random weights"
    teacher, student = draw_pair(16, (8, 8, 8), 8)
    assert found["teacher"]["params"] == sum(one.numel() for one in teacher.synthesis.parameters())
    assert found["student"]["params"] == sum(
        one.numel() for one in student.inference_form().synthesis.parameters()
    )
    assert max(found["max_abs_difference"].values()) < 1e-2


def test_channels_that_do_not_fit_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="they make images of 16 px, not 32"):
        draw_pair(32, (8, 8, 8), 8)
    with pytest.raises(typer.BadParameter, match="give one number for each resolution"):
        main(size=16, channels="8;8", style_dim=8, threads=1, rounds=1, out=tmp_path / "x.json")
    assert not list(tmp_path.iterdir())
