"""A real Chromium for the tests of pages, and what a page may not do there."""

import shutil
from collections.abc import Iterator

import pytest
from playwright import sync_api

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
