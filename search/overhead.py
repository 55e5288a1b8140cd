"""The command `python -m search.overhead`, another name of `python -m search overhead`."""

from __future__ import annotations

import sys

from search.benchmarks.overhead import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
