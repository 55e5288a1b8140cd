"""Freed memory stays in the process where training asks for it, and goes back to the system where tiles do."""

import platform
import subprocess
import sys
from collections.abc import Callable

import pytest

from mfagan import allocator

ROUNDS = """
import resource, sys, torch
from mfagan.training.fabric import make_fabric

def touch():
    tensors = [torch.ones(2_000_000) for _ in range(20)]
    del tensors

if sys.argv[1] == "train":
    make_fabric("cpu")
for _ in range(2):  # what else was allocated in the first round may lie between its pages
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


GIVEN_BACK = """
import sys, torch
from mfagan.allocator import give_back_freed_memory, keep_freed_memory

def resident():
    [kb] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")]
    return int(kb) * 1024

keep_freed_memory()
tensors = [torch.ones(2_000_000) for _ in range(40)]
del tensors[::2]
before = resident()
assert give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the call is glibc's")
def test_what_lies_between_blocks_in_use_is_given_back():
    done = subprocess.run([sys.executable, "-c", GIVEN_BACK], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 100e6


@pytest.mark.parametrize("ask", [allocator.keep_freed_memory, allocator.give_back_freed_memory])
def test_another_c_library_is_left_as_it_is(ask: Callable[[], bool], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(allocator.platform, "libc_ver", lambda: ("", ""))
    assert not ask()
