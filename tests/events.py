"""Reads what TensorBoard would show."""

from pathlib import Path

from tensorboardX.proto import event_pb2

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
