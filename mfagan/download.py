"""Downloading files when the user asks: resumed after an interruption, checked, whole or absent.

No library in use resumes: torch.hub and pooch begin again, and huggingface_hub reads its own servers alone. The HTTP
client is Python's, the repetition tenacity's.
"""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from mfagan.checkpoint import sha256
from mfagan.errors import InputError
from mfagan.files import require_writable
from mfagan.pretrained import known_files
from mfagan.progress import ProgressCallback

__all__ = ["Patience", "download_weights", "fetch", "fetch_known", "published_url"]

_BLOCK_BYTES = 2**18
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses after which the same request may succeed."""


@dataclass(frozen=True)
class Patience:
    """How long a download waits for its server."""

    timeout_s: float = 30.0
    """Silence after which an attempt has failed, in s."""
    attempts: int = 4
    """How often it is tried."""
    wait_s: float = 1.0
    """Before the second attempt, in s; doubled before each later one."""


PATIENCE = Patience()


class _Cut(OSError):
    """The connection ended before the file did."""


def published_url(name: str) -> str:
    """Where torchvision publishes the weights of a backbone.

    Args:
        name: `vgg19`, `vgg16` or `alexnet`.

    Returns:
        The address.

    Raises:
        InputError: an unknown name.
    """
    return f"https://download.pytorch.org/models/{next(iter(known_files(name)))}"


def download_weights(
    name: str,
    folder: Path,
    report: ProgressCallback,
    url: str | None = None,
    patience: Patience = PATIENCE,
) -> Path:
    """Download the weights of a backbone, unless they are there.

    What has arrived is kept beside the target as `FILE.part`, from which the next call goes on; a file with a wrong
    hash is removed.

    Args:
        name: `vgg19`, `vgg16` or `alexnet`.
        folder: where the file is kept; created if absent.
        report: called with how many MiB have arrived, of how many.
        url: where to download from, None for torchvision's address.
        patience: how long to wait.

    Returns:
        The file, named as the known one whose hash it has.

    Raises:
        InputError: an unknown name, a folder that cannot be written, a file of that name with another hash in it, an
            address that is not HTTP, what the server or the network refuses, or a download with another hash.
    """
    return fetch_known(url or published_url(name), folder, known_files(name), report, patience)


def fetch_known(
    url: str, folder: Path, files: Mapping[str, str], report: ProgressCallback, patience: Patience = PATIENCE
) -> Path:
    """Download a file whose hash is known, unless it is there.

    What has arrived is kept as by `download_weights`.

    Args:
        url: an HTTP or HTTPS address.
        folder: where the file is kept; created if absent.
        files: the name that the file gets -> the start of its SHA-256; what arrives may be any of them.
        report: called with how many MiB have arrived, of how many.
        patience: how long to wait.

    Returns:
        The file.

    Raises:
        InputError: a folder that cannot be written, a file of the first name with another hash in it, an address that
            is not HTTP, what the server or the network refuses, or a download with another hash.
    """
    published = require_writable(folder) / next(iter(files))
    for file, prefix in files.items():
        if (folder / file).is_file() and sha256(folder / file).startswith(prefix):
            return folder / file
    if published.exists():
        raise InputError(
            f"{published} is there and is not the published file: remove it, or give another --out"
        )
    partial = published.with_name(f"{published.name}.part")
    fetch(url, partial, report, patience)
    found = sha256(partial)
    for file, prefix in files.items():
        if found.startswith(prefix):
            os.replace(partial, folder / file)
            return folder / file
    partial.unlink()
    expected = " or ".join(f"{prefix}..." for prefix in files.values())
    raise InputError(
        f"download {url}: its SHA-256 is {found}, {expected} is expected; the file is removed, run the command "
        "again or give another --url"
    )


def fetch(url: str, partial: Path, report: ProgressCallback, patience: Patience = PATIENCE) -> None:
    """Download a file, from where an interrupted download of it ended.

    Args:
        url: an HTTP or HTTPS address.
        partial: the file to write; what it holds is the start of the whole.
        report: called with how many MiB have arrived, of how many.
        patience: how long to wait.

    Raises:
        InputError: another kind of address, what the server or the network refuses, or `partial` cannot be written.
            What has arrived is kept.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise InputError(f"url {url!r:.200}: give an address that begins with https:// or http://")
    attempts = Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(patience.attempts),
        wait=wait_exponential(multiplier=patience.wait_s, max=30),
        reraise=True,
    )
    try:
        attempts(_continue, url, partial, report, patience.timeout_s)
    except urllib.error.HTTPError as error:
        raise InputError(f"download {url}: the server answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        kept = f"; {partial} is kept, the same command continues" if partial.exists() else ""
        raise InputError(f"download {url}: {_one_line(reason)}{kept}") from None


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    if isinstance(error, http.client.InvalidURL):
        return False
    passing = (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException, _Cut)
    return isinstance(error, passing)  # a full disk is no such error


def _continue(url: str, partial: Path, report: ProgressCallback, timeout_s: float) -> None:
    done = partial.stat().st_size if partial.is_file() else 0
    headers = {"User-Agent": "mfagan", **({"Range": f"bytes={done}-"} if done else {})}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:  # nothing follows what is there: its hash tells whether it is the file
            return
        raise
    with answer:
        # Another status than 206 is a server that ignores ranges and sends the whole.
        if answer.status != 206 or not str(answer.headers["Content-Range"]).startswith(f"bytes {done}-"):
            if answer.status == 206:
                partial.unlink()
                raise _Cut("the server sent another range than asked for")
            done = 0
        total = done + int(answer.headers["Content-Length"] or 0)
        with open(partial, "ab" if done else "wb") as file:
            while block := answer.read(_BLOCK_BYTES):
                file.write(block)
                done += len(block)
                report(done >> 20, max(done, total) >> 20, "MiB")
            file.flush()
            os.fsync(file.fileno())
    if done < total:
        raise _Cut(f"the connection ended after {done} of {total} bytes")


def _one_line(reason: object) -> str:
    return " ".join(str(reason or type(reason).__name__).split())[:200]
