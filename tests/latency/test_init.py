import subprocess
import sys

import pytest

import mfagan.latency


def test_the_package_gives_its_names_without_loading_torch():
    code = (
        "import sys\n"
        "from mfagan.latency import LATENCY, PricedProblem, find_table, read_table\n"
        "assert callable(find_table) and callable(read_table)\n"
        "print(sorted({'torch', 'tensorflow', 'ai_edge_litert'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", mfagan.latency.__all__)
def test_every_public_name_is_there(name: str):
    assert getattr(mfagan.latency, name) is not None
    assert name in dir(mfagan.latency)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'find_tabel'"):
        mfagan.latency.find_tabel  # noqa: B018
