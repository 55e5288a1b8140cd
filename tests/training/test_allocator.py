"""Freed memory stays in the process: a second round of the same tensors makes no new pages."""

import platform
import subprocess
import sys

import pytest

from mfagan.training import allocator

ROUNDS = """
import resource, sys, torch
from mfagan.training.fabric import make_fabric

def touch():
    tensors = [torch.ones(2_000_000) for _ in range(20)]
    del tensors

if sys.argv[1] == "train":
    make_fabric("cpu")
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", ROUNDS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are those of glibc")
def test_training_on_a_cpu_reuses_its_pages():
    assert count_page_faults("train") * 10 < count_page_faults("plain")


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(allocator.platform, "libc_ver", lambda: ("", ""))
    assert not allocator.keep_freed_memory()
