"""LiteRT.js, which runs TFLite files in a browser: downloaded once from npm's registry, or read from a folder."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from mfagan.checkpoint import sha256
from mfagan.download import PATIENCE, Patience, fetch_known
from mfagan.errors import InputError
from mfagan.progress import ProgressCallback

__all__ = ["SHA256", "URL", "VERSION", "WebRuntime", "cache_folder", "download_runtime", "read_runtime"]

VERSION = "2.5.3"
URL = f"https://registry.npmjs.org/@litertjs/core/-/core-{VERSION}.tgz"
SHA256 = "a97660833e9e7e1063c95e12016718881240b14f7438728a2f62785e912d30fd"
"""Of the archive at `URL`."""

_MODULE = "dist/index.js"
_PACKAGE = "package.json"
# The build without relaxed SIMD, threads and JSPI runs in every browser of today, on any server and from a disk.
_FACTORY = "wasm/litert_wasm_compat_internal.js"
_WASM = "wasm/litert_wasm_compat_internal.wasm"


@dataclass(frozen=True)
class WebRuntime:
    """The parts of LiteRT.js that a page needs."""

    version: str
    """Of the npm package."""
    module: bytes
    """The JavaScript module `@litertjs/core`."""
    factory: bytes
    """The script that makes `wasm` run."""
    wasm: bytes
    """The interpreter and its kernels."""


def cache_folder() -> Path:
    """Where a downloaded runtime is kept: $XDG_CACHE_HOME/mfagan/web, by default under ~/.cache on Linux."""
    return user_cache_path("mfagan", appauthor=False) / "web"


def download_runtime(
    folder: Path, report: ProgressCallback, url: str | None = None, patience: Patience = PATIENCE
) -> Path:
    """Download the archive of the npm package, unless it is there.

    Args:
        folder: where it is kept; created if absent. A damaged archive in it is replaced.
        report: called with how many MiB have arrived, of how many.
        url: where to download from, None for npm's registry.
        patience: how long to wait.

    Returns:
        The archive.

    Raises:
        InputError: as `fetch_known`.
    """
    name = f"litertjs-core-{VERSION}.tgz"
    archive = folder / name
    if archive.is_file() and sha256(archive) != SHA256:
        archive.unlink()
    return fetch_known(url or URL, folder, {name: SHA256}, report, patience)


def read_runtime(path: Path) -> WebRuntime:
    """Read LiteRT.js.

    Args:
        path: the npm package `@litertjs/core` as a `.tgz` archive, or the folder of it, for example
            `node_modules/@litertjs/core`.

    Returns:
        Its parts.

    Raises:
        InputError: nothing is there, or it is not that package.
    """
    names = (_PACKAGE, _MODULE, _FACTORY, _WASM)
    try:
        parts = _read_folder(path, names) if path.is_dir() else _read_archive(path, names)
        version = json.loads(parts[_PACKAGE])["version"]
    except FileNotFoundError as error:
        raise _refuse(path, f"{error.filename} is missing") from None
    except (OSError, tarfile.TarError, EOFError, KeyError, TypeError, ValueError) as error:
        raise _refuse(path, f"{type(error).__name__}: {error}") from None
    return WebRuntime(str(version), parts[_MODULE], parts[_FACTORY], parts[_WASM])


def _read_folder(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names}


def _read_archive(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        found = {name: archive.extractfile(f"package/{name}") for name in names}
        return {name: file.read() for name, file in found.items() if file is not None}


def _refuse(path: Path, reason: str) -> InputError:
    return InputError(
        f"runtime {path}: it is not the npm package @litertjs/core ({reason}); give its folder or its .tgz, or leave "
        "--runtime out to download it"
    )
