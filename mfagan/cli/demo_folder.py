"""A demo's folder: knows which files an earlier demo wrote, so that nothing else is ever replaced."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mfagan.checkpoint import sha256
from mfagan.errors import InputError
from mfagan.files import read_text, require_place, require_writable, write_atomic

__all__ = ["MANIFEST", "DemoFolder"]

MANIFEST = "demo.json"
"""Holds the names of the demo's files and their SHA-256; null while the demo is at work."""

_Manifest = TypeAdapter(dict[str, str | None])


class DemoFolder:
    """A folder in which the demo replaces its own files alone.

    Args:
        folder: the folder; it is created if absent.

    Raises:
        InputError: it cannot be written, or its list of files cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = require_writable(folder)
        self._manifest = require_place(folder / MANIFEST)
        self._written: dict[str, str | None] = {}
        if self._manifest.is_file():
            try:
                self._written = _Manifest.validate_json(read_text(self._manifest))
            except ValidationError:
                raise InputError(
                    f"{self._manifest}: it is not the list of files that a demo writes; give another folder"
                ) from None

    @contextmanager
    def claim(self, names: Sequence[str]) -> Iterator[None]:
        """Claim files to be written, and record at the end what was written.

        Args:
            names: names in the folder; a name that ends in a slash stands for all files of that folder.

        Raises:
            InputError: one of them exists and was not written by a demo, or has been changed since.
        """
        claimed = {
            name: [path for path in self._find(name) if path.exists() or path.is_symlink()] for name in names
        }
        for name, paths in claimed.items():
            for path in paths:
                if not self._is_own(path, name):
                    raise InputError(
                        f"{path} is in the way: it was not written by a demo, or has been changed since; "
                        "move it, or give another folder with --out"
                    )
            if not name.endswith("/"):
                require_place(self.folder / name)
        kept = {name: content for name, content in self._written.items() if not _covers(names, name)}
        self._save(kept | dict.fromkeys(names))
        try:
            yield
        finally:
            found = [path for name in names for path in self._find(name) if path.is_file()]
            self._save(kept | {self._name(path): sha256(path) for path in found})

    def _find(self, name: str) -> list[Path]:
        path = self.folder / name
        if not name.endswith("/"):
            return [path]
        return sorted(one for one in path.rglob("*") if not one.is_dir()) if path.is_dir() else [path]

    def _is_own(self, path: Path, claimed: str) -> bool:
        for name in (claimed, self._name(path)):
            if name in self._written and self._written[name] is None:
                return True
        return path.is_file() and self._written.get(self._name(path)) == sha256(path)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _save(self, written: dict[str, str | None]) -> None:
        self._written = written
        write_atomic(self._manifest, json.dumps(written, indent=2) + "\n")


def _covers(names: Sequence[str], one: str) -> bool:
    return any(one == name or (name.endswith("/") and one.startswith(name)) for name in names)
