"""Memory that a step frees and the next one asks for again, on a CPU: kept for speed, or given back to stay small."""

import ctypes
import platform

__all__ = ["give_back_freed_memory", "keep_freed_memory"]

# Parameters of mallopt in glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_LARGEST_BLOCK = 2**30
_LARGEST_EXCESS = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to keep freed memory in the process.

    By default it gives large blocks back to the system, which clears every page again for the next step. The process
    stays at its largest size from then on. PyTorch's CPU backend takes all memory of tensors from there.

    Returns:
        Whether the allocator took the settings; False with another C library.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    taken = [mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK), mallopt(_TRIM_THRESHOLD, _LARGEST_EXCESS)]
    return all(taken)


def give_back_freed_memory() -> bool:
    """Give the memory that has been freed back to the system, with glibc's allocator.

    It keeps blocks of up to 32 MB, and what lies between others that are in use; over many tiles of a picture a process
    grows by half of what it needs.

    Returns:
        Whether the allocator could; False with another C library.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    ctypes.CDLL(None).malloc_trim(0)
    return True
