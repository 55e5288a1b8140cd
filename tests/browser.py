"""A real Chromium for the tests of pages, and what a page may not do there."""

import shutil
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright import sync_api

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BOXES = """selector => [...document.querySelectorAll(selector)]
  .map(node => node.getBoundingClientRect()).map(({ left, top, right, bottom }) => [left, top, right, bottom])"""


class Box(NamedTuple):
    """Where an element is on the screen, in CSS pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def boxes(page: sync_api.Page, selector: str) -> list[Box]:
    """The boxes of the elements that match, found and measured in one step.

    A locator finds an element first and measures it then: what a page replaces between the two, as it does
    when a plot is drawn again, has no box.
    """
    return [Box(*numbers) for numbers in page.evaluate(BOXES, selector)]


def launch() -> Iterator[sync_api.Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium: as root, apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def watch(page: sync_api.Page, address: str, *, console: bool = True) -> list[str]:
    """A list that fills with what a page asks for beyond its address, its errors and its console messages."""
    faults: list[str] = []

    def check(request: sync_api.Request) -> None:
        if request.url != address and not request.url.startswith(("data:", "blob:")):
            faults.append(f"request: {request.url}")

    page.on("request", check)
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    if console:
        page.on("console", lambda message: faults.append(f"console: {message.text}"))
    return faults
