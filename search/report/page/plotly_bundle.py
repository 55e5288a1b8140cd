"""The part of plotly.js that the pages need: scatters and bars. It starts in a fifth of the time of the whole."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["read_bundle"]


@cache
def read_bundle() -> str:
    """Read plotly.js.

    Returns:
        The script, which may stand in an HTML page as it is.
    """
    return (files("search.report.page") / "plotly_js" / "plotly-basic.min.js").read_text(encoding="utf-8")
