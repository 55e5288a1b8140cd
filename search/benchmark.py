"""The command `python -m search.benchmark`, another name of `python -m search benchmark`."""

from __future__ import annotations

import sys

from search.benchmarks.compare import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
