"""What a page of a front holds, read as its scripts read it."""

import json
import re
from pathlib import Path
from typing import Any


def data_in(page: Path) -> dict[str, Any]:
    """The data of a page that `mfagan front` wrote."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])
