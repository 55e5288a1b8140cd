"""What is in the page; that it works is tested in a browser, in test_web_page_in_browser.py."""

import base64
import gzip
import json
import re

import pytest

from mfagan.deploy.web.page import build_page
from mfagan.deploy.web.runtime import WebRuntime

RUNTIME = WebRuntime(
    "0.1", b"export const module = '</script>';", b"var factory = '</script>{{name}}';", b"\0asm"
)
MODEL = bytes(range(256)) * 9


@pytest.fixture(scope="module")
def page() -> str:
    return build_page(MODEL, "<small> & 'old'.tflite", RUNTIME).decode()


def element(page: str, name: str) -> str:
    (found,) = re.findall(rf'<script type="application/gzip" id="{name}">([^<]*)</script>', page)
    return found


@pytest.mark.parametrize(("name", "content"), [("model", MODEL), ("wasm", RUNTIME.wasm)])
def test_network_and_runtime_are_in_it(page: str, name: str, content: bytes):
    assert gzip.decompress(base64.b64decode(element(page, name))) == content


def test_every_import_of_its_scripts_is_in_it(page: str):
    (found,) = re.findall(r'<script type="importmap">(.*?)</script>', page)
    modules = {
        name: base64.b64decode(url.removeprefix("data:text/javascript;base64,")).decode()
        for name, url in json.loads(found)["imports"].items()
    }
    assert modules["@litertjs/core"].encode() == RUNTIME.module
    assert "ModuleFactory" in modules["@litertjs/wasm-utils"]
    used = {name for code in modules.values() for name in re.findall(r'^import .* from "(.*)";$', code, re.M)}
    assert used <= set(modules)
    assert {"page", "tiles"} <= set(modules)


def test_it_names_no_other_file_and_no_address(page: str):
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!data:)[^"'>\s]+""", page) == []
    assert "://" not in page
    assert "default-src 'none'" in page


def test_the_name_is_text(page: str):
    assert page.count("&lt;small&gt; &amp; &#x27;old&#x27;.tflite") == 3
    assert "<small>" not in page
    assert "{{" not in page


def test_the_same_network_gives_the_same_page(page: str):
    assert build_page(MODEL, "<small> & 'old'.tflite", RUNTIME).decode() == page
