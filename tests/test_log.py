from pathlib import Path

import torch
from tensorboardX.proto import event_pb2

from mfagan.log import TrainingLog

parse = event_pb2.Event.FromString  # pyright: ignore[reportAttributeAccessIssue] - made when imported


def read_events(folder: Path) -> list:
    """TensorBoard's records: length (8 bytes), its checksum (4), the event, its checksum (4)."""
    events = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:8], "little")
            events.append(parse(data[12 : 12 + length]))
            data = data[16 + length :]
    return events


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
