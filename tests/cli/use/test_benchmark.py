"""`mfagan benchmark`, called as a user calls it; the fixture `run` is a `Run`."""

import json
from pathlib import Path

import pytest

from mfagan import checkpoint
from mfagan.sr.kinds import build
from tests.command import Run

SMALL = ("--size", "16x16", "--rounds", 1)


def test_the_table_holds_what_was_asked(run: Run, tmp_path: Path):
    network = build("rfdn", {"n_blocks": 1, "features": 8})
    path = tmp_path / "friend.safetensors"
    checkpoint.save(path, checkpoint.Checkpoint("rfdn", "x", network.config(), network.state_dict()))

    done = run(
        "benchmark", f"RFDN={path}", path, *SMALL, "--network", "RFDN", "--network", "SPANV2", "--network",
        "ours-24", "--out", tmp_path / "out.json",
    )  # fmt: skip

    assert done.status == 0, done.err
    facts = json.loads((tmp_path / "out.json").read_text(), parse_constant=pytest.fail)
    rows = {row["network"]: row for row in facts["rows"]}
    assert set(rows) == {"RFDN", "friend", "SPANV2", "ours-24", "MFAGAN on a phone (quoted)"}
    # The given file has RFDN's row, so its weights are trained; SPANV2's are random.
    assert rows["RFDN"]["FLOPs"] == rows["friend"]["FLOPs"] < rows["SPANV2"]["FLOPs"]
    assert rows["RFDN"]["PSNR-Y"] == rows["friend"]["PSNR-Y"] is not None
    assert rows["SPANV2"]["PSNR-Y"] is None
    assert all(rows[name]["latency 1 thread"] > 0 for name in ("RFDN", "SPANV2", "ours-24"))
    assert (tmp_path / "out.md").is_file()
    assert "SPANV2" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--network", "ours-31"), "network 'ours-31': choose from RRDBNet"),
        (("nothing.safetensors",), "nothing.safetensors"),
    ],
)
def test_wrong_arguments(run: Run, arguments: tuple[str, ...], message: str):
    assert message in run("benchmark", *arguments, *SMALL).message


def test_a_precision_is_compared_with_fp32(run: Run, tmp_path: Path):
    out = tmp_path / "int8.json"
    done = run("benchmark", *SMALL, "--network", "ours-24", "--precision", "int8", "--out", out)
    assert done.status == 0, done.err
    (row,) = json.loads(out.read_text(), parse_constant=pytest.fail)["rows"]
    assert row["network"] == "ours-24"
    assert row["1 thread fp32"] > 0
    assert row["2 threads int8 / fp32"] > 0
    assert abs(row["PSNR-Y lost astronaut"]) < 1
