"""Puts the page together: one HTML file that asks for nothing, with data, scripts, styles and plotly.js inside."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from search.report.figures.figure_style import PALETTE, SCALE
from search.report.figures.overlay_figure import require_same_objectives
from search.report.page.figures import study_figures, templates
from search.report.page.plotly_bundle import read_bundle
from search.report.page.points import Album, view_points, view_scenes
from search.report.page.study import Shown, view_study

__all__ = ["build_document", "build_shares_document", "page_json", "write_json"]

_ASSETS = files("search.report.page") / "assets"
_FRONT_SCRIPTS = (
    "elements.js",
    "numbers.js",
    "study.js",
    "colours.js",
    "plotly_loader.js",
    "labels.js",
    "cloud.js",
    "overlay.js",
    "legend.js",
    "chart.js",
    "budgets.js",
    "drawing.js",
    "comparison.js",
    "panel.js",
    "table.js",
    "figures.js",
    "about.js",
    "tabs.js",
    "theme.js",
    "follow.js",
    "page.js",
)
"""In the order that they are joined: constants come before what uses them."""
_SHARES_SCRIPTS = ("elements.js", "plotly_loader.js", "theme.js", "follow.js", "shares.js")


def page_json(shown: Sequence[Shown], notes: Sequence[str] = (), refresh_s: float | None = None) -> str:
    """Write the data of a page, which a page that refreshes itself asks for as `data.json`.

    Args:
        shown: one or more studies of the same objectives.
        notes: paragraphs.
        refresh_s: how often the page asks for new data, in seconds; None if it doesn't.

    Returns:
        JSON in which no character can end an HTML element.

    Raises:
        SearchError: the studies' objectives differ, or there is one.
    """
    require_same_objectives([one.record for one in shown])
    album = Album()
    studies = [_study(one, notes if i == 0 else (), album) for i, one in enumerate(shown)]
    data = {
        "studies": studies,
        "pictures": album.urls,
        "templates": templates(),
        "style": {"palette": PALETTE, "scale": [colour for _, colour in SCALE]},
        "refresh_s": refresh_s,
    }
    return write_json(data)


def write_json(data: Mapping[str, Any]) -> str:
    """Write the data of a page.

    Args:
        data: plain data.

    Returns:
        JSON in which no character can end an HTML element.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def build_document(data: str, title: str, connects: bool = False) -> str:
    """Write the page of one front or of several.

    Its content security policy forbids every request and every script but its own two.

    Args:
        data: what `page_json` gave.
        title: the page's title, plain text.
        connects: whether the page may ask the server that it came from for new data.

    Returns:
        The HTML.
    """
    return _build("page.html", ["page.css"], _FRONT_SCRIPTS, data, title, connects)


def build_shares_document(data: str, title: str, connects: bool = False) -> str:
    """Write the page of shares, under the same policy as `build_document`.

    Args:
        data: what `search.report.page.shares.shares_json` gave.
        title: the page's title, plain text.
        connects: whether the page may ask the server that it came from for new data.

    Returns:
        The HTML.
    """
    return _build("shares.html", ["page.css", "shares.css"], _SHARES_SCRIPTS, data, title, connects)


def _build(
    layout: str, styles: Sequence[str], scripts: Sequence[str], data: str, title: str, connects: bool
) -> str:
    script = '(() => {\n"use strict";\n' + "\n".join(map(_read, scripts)) + "\n})();\n"
    packed, plotly_hash = _plotly()
    server = "'self'" if connects else "'none'"
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' '{plotly_hash}'; style-src 'unsafe-inline';"
        f" img-src data: blob:; connect-src {server}; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": policy,
        "title": html.escape(title),
        "style": "\n".join(map(_read, styles)),
        "data": data,
        "plotly": packed,
        "script": script,
    }
    return re.sub(r"{{(\w+)}}", lambda field: parts[field[1]], _read(layout))


def _study(shown: Shown, notes: Sequence[str], album: Album) -> dict[str, Any]:
    view = view_study(shown, notes)
    rows = {number: row for row, number in enumerate(view.trials)}
    points = view_points(shown.description, shown.record.objectives, rows, album)
    return {
        **dataclasses.asdict(view),
        "scenes": [dataclasses.asdict(scene) for scene in view_scenes(shown.description, album)],
        "points": {row: dataclasses.asdict(point) for row, point in points.items()},
        "figures": study_figures(shown),
    }


def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def _plotly() -> tuple[str, str]:
    """plotly.js, packed to under a half of its size, and the hash of the unpacked script."""
    source = read_bundle()
    return base64.b64encode(gzip.compress(source.encode(), mtime=0)).decode(), _hash(source)


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
