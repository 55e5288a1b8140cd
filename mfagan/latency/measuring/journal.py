"""The rounds of a measurement in a file, so that a measurement that was stopped is continued and not repeated."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from mfagan.errors import InputError
from mfagan.files import write_atomic
from mfagan.latency.measuring.sampling import Round, Run

__all__ = ["Journal"]


class Journal:
    """Keeps each round as a line of a file.

    The first line tells what is measured, so that rounds of another measurement are never continued.
    """

    def __init__(self, path: Path, settings: Mapping[str, object]) -> None:
        """Read what an earlier process has kept; a line that it did not finish is dropped.

        Args:
            path: The file, which need not exist. What it holds of another measurement is replaced.
            settings: All that the times depend on, as plain data.

        Raises:
            InputError: The file cannot be written.
        """
        self.path = path
        self.rounds: list[Round] = []
        head = json.dumps(settings, sort_keys=True)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        if lines[:1] == [head]:
            with suppress(ValueError, TypeError, AttributeError):
                for line in lines[1:]:
                    self.rounds.append(_read(line))
        write_atomic(path, "\n".join([head, *map(_write, self.rounds), ""]))

    @staticmethod
    def count_rounds(path: Path) -> int:
        """How many rounds a file keeps; 0 if there is none.

        Args:
            path: The file.
        """
        return max(0, path.read_bytes().count(b"\n") - 1) if path.is_file() else 0

    def append(self, found: Round) -> None:
        """Keep a round; it is on the disk when this returns.

        Args:
            found: The round.

        Raises:
            InputError: The file cannot be written.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_write(found) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(
                f"cannot write {self.path}: {error.strerror}; the rounds before it are kept"
            ) from None


def _write(found: Round) -> str:
    return json.dumps({key: [astuple(run) for run in runs] for key, runs in found.items()})


def _read(line: str) -> Round:
    """ValueError, TypeError or AttributeError for a line that is no round."""
    return {
        key: [Run(float(wall), float(cpu), float(reference)) for wall, cpu, reference in runs]
        for key, runs in json.loads(line).items()
    }
