"""Trainings end with the weights that are recorded, bit for bit.

The same versions on the same processor compute the same bits; elsewhere sums of the weights and validations must be
within a thousandth. `tests/figures.py` has the settings and tells how the figures were recorded.
"""

import json
import os
from pathlib import Path

import pytest
import torch

from tests import figures
from tests.command import Run


@pytest.fixture(autouse=True)
def one_thread():
    """As recorded: the number of threads changes the last bits."""
    n = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n)


def require_recorded(out: Path) -> None:
    recorded = json.loads(figures.RECORDED.read_text(encoding="utf-8"))
    names = [name for names in figures.STAGES.values() for name in names]
    found = {name: figures.measure(out / f"{name}.safetensors") for name in names}
    if figures.machine() == recorded["machine"]:
        assert found == recorded["checkpoints"]
    else:
        figures.require_close(found, recorded["checkpoints"], "checkpoints")
    assert not list(out.glob("*.state"))


def test_every_stage_ends_with_the_recorded_weights(run: Run, tmp_path: Path):
    for command in (figures.train_command, figures.finetune_command):
        done = run(*command(tmp_path))
        assert done.status == 0, done.err
    require_recorded(tmp_path)


def test_every_stage_interrupted_and_resumed_ends_with_them_too(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ctrl-C strikes when a snapshot has been written; each stage writes one."""
    interrupted = []
    replace = os.replace

    def interrupt_once(source: Path, target: Path) -> None:
        replace(source, target)
        if Path(target).suffix == ".state" and target not in interrupted:
            interrupted.append(target)
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt_once)
    for command in (figures.train_command, figures.finetune_command):
        while (done := run(*command(tmp_path))).status == 130:
            assert (tmp_path / Path(interrupted[-1]).name).exists()
        assert done.status == 0, done.err
    first = [names[0] for names in figures.STAGES.values()]
    assert [Path(state).stem for state in interrupted] == first
    require_recorded(tmp_path)
