from pathlib import Path

import torch

from mfagan.training.tensorboard import TrainingLog
from tests.events import read_events


def test_scalars_and_pictures_are_written(tmp_path: Path):
    with TrainingLog(tmp_path) as log:
        log.scalars(3, {"recon": 0.5, "adv": 2.0})
        log.picture(4, "samples", torch.rand(3, 6, 5))
    found = {
        (event.step, value.tag): value for event in read_events(tmp_path) for value in event.summary.value
    }
    assert found[3, "recon"].simple_value == 0.5
    assert found[3, "adv"].simple_value == 2.0
    assert (found[4, "samples"].image.height, found[4, "samples"].image.width) == (6, 5)


def test_a_resumed_log_hides_what_came_later(tmp_path: Path):
    with TrainingLog(tmp_path / "a", start=20):
        pass
    assert any(event.session_log.status == 1 and event.step == 20 for event in read_events(tmp_path / "a"))
