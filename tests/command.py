"""The `mfagan` command, called as a user calls it; the fixture `run` is a `Run`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The one line of an error; the progress bars' lines come before it."""
        assert self.status == 2, self.err
        lines = [line for line in self.err.splitlines() if line.startswith("mfagan: error: ")]
        assert len(lines) == 1, self.err
        assert self.err.rstrip().endswith(lines[0])
        assert "Traceback" not in self.err
        return lines[0]

    @property
    def answer(self) -> str:
        """What it printed before the line that names the next command."""
        lines = self.out.splitlines(keepends=True)
        return "".join(lines[:-1] if lines and lines[-1].startswith("next: ") else lines)


Run = Callable[..., Result]


def search_command(trained: Path, table: Path, storage: object, trials: int | None = 6) -> list[object]:
    """A search in the study `s`, on one small picture."""
    command: list[object] = ["search", "--supernet", trained / "supergenerator.safetensors", "--lut", table]
    command += ["--images", trained / "photos", "--crop", 32, "--max-images", 1, "--storage", storage]
    command += ["--study", "s", "--population", 4, "--seed", 1, "--device", "cpu"]
    return command if trials is None else [*command, "--trials", trials]
