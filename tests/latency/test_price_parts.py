import math

import pytest

from mfagan.latency.price_parts import name_blocks, price_parts
from search.errors import SearchError
from search.latency import LatencyTable
from tests.tiny import write_table


def test_blocks_of_one_kind_are_numbered_in_the_order_they_run():
    keys = ["head/t48", "cfab/t48/w24", "tail/t48", "cfab/t48/w48", "new/x"]
    assert name_blocks(keys, {"head": "Head", "cfab": "CFAB"}) == ["Head", "CFAB 1", "tail", "CFAB 2", "new"]
    assert name_blocks(["a/1", "b/1"], {"a": "Same", "b": "Same"}) == ["Same 1", "Same 2"]


def test_parts_add_up_to_the_price(tmp_path):
    table = LatencyTable.read(write_table(tmp_path / "table.json"))
    keys = [*table.entries, *list(table.entries)[:5]]
    parts = price_parts(table, keys, keys)
    assert [name for name, _ in parts] == keys
    assert math.fsum(ms for _, ms in parts) == table.price(keys)
    with pytest.raises(SearchError, match="lacks 'other'"):
        price_parts(table, ["other"], ["Other"])
