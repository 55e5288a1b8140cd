import os
import resource
from pathlib import Path

import numpy as np
import pytest

from mfagan.data.array_cache import ArrayCache, default_folder, fingerprint
from mfagan.errors import InputError


def levels(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (3, 7, 5), dtype=np.uint8)


def test_what_is_saved_is_loaded_and_nothing_else(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    assert cache.load("a") is None
    saved = cache.save("a", levels()[:, ::-1])
    loaded = ArrayCache(tmp_path).load("a")
    assert loaded is not None
    assert np.array_equal(loaded, levels()[:, ::-1])
    assert np.array_equal(saved, loaded)
    assert cache.load("b") is None
    (file,) = tmp_path.iterdir()
    assert np.array_equal(np.load(file), loaded)


@pytest.mark.parametrize("kept", [0, 5, 100, 200])
def test_a_file_that_is_not_whole_counts_as_absent(tmp_path: Path, kept: int):
    cache = ArrayCache(tmp_path)
    cache.save("a", levels())
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:kept])
    assert cache.load("a") is None
    assert np.array_equal(cache.save("a", levels()), levels())


def test_writing_to_a_loaded_array_leaves_the_file_alone(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    cache.save("a", levels())[:] = 0
    assert np.array_equal(cache.load("a"), levels())  # pyright: ignore[reportArgumentType]


def test_more_arrays_than_file_descriptors_can_be_mapped(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    cache.save("a", levels())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = len(os.listdir("/proc/self/fd")) + 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        arrays = [cache.load("a") for _ in range(3 * limit)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all(array is not None and np.array_equal(array, levels()) for array in arrays)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"cannot write .*file/below: a file stands where a folder is needed"
    ):
        ArrayCache(tmp_path / "file" / "below")


def test_room_is_asked_for_before_the_work(tmp_path: Path):
    cache = ArrayCache(tmp_path)
    cache.require_room(1)
    with pytest.raises(InputError, match=r"need 1048576.0 GiB in .*XDG_CACHE_HOME"):
        cache.require_room(2**50)


def test_the_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/mfagan")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder() == Path("/home/me/.cache/mfagan")


def test_a_fingerprint_tells_place_size_and_time(tmp_path: Path):
    first, second = tmp_path / "a", tmp_path / "b"
    for path in (first, second):
        path.write_text("1")
        os.utime(path, ns=(5, 5))
    seen = {fingerprint(first), fingerprint(second)}
    first.write_text("12")
    os.utime(first, ns=(5, 5))
    seen.add(fingerprint(first))
    os.utime(first, ns=(5, 6))
    seen.add(fingerprint(first))
    assert len(seen) == 4
    assert fingerprint(first) in seen
    with pytest.raises(InputError, match=r"cannot read image .*absent: No such file"):
        fingerprint(tmp_path / "absent")
