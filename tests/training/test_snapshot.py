from pathlib import Path

import pytest
import torch
from torch import nn

from mfagan.errors import InputError
from mfagan.training.snapshot import Snapshot, SnapshotKeeper, read_snapshot, require_same


def test_everything_comes_back(tmp_path: Path):
    network = nn.Conv2d(2, 3, 1)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2, 1, 1)).sum().backward()
    optimizer.step()
    parts = {"network": network, "optimizer": optimizer}
    identity = {"recipe": {"batch": 8}, "images": ["a", "b"]}
    states = {name: part.state_dict() for name, part in parts.items()}
    Snapshot(7, identity, states).save(tmp_path / "a.state")
    found = read_snapshot(tmp_path / "a.state", identity)
    assert found is not None
    assert found.step == 7
    other = nn.Conv2d(2, 3, 1)
    other_optimizer = torch.optim.Adam(other.parameters())
    found.restore({"network": other, "optimizer": other_optimizer})
    assert torch.equal(other.weight, network.weight)
    momenta = [
        [state["exp_avg"] for state in each.state_dict()["state"].values()]
        for each in (optimizer, other_optimizer)
    ]
    assert all(torch.equal(a, b) for a, b in zip(*momenta, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["a.state"]


def test_a_snapshot_waits_beside_the_kept_one_until_it_has_shown_to_be_good(tmp_path: Path):
    path, network = tmp_path / "a.state", nn.Conv2d(1, 1, 1)
    (tmp_path / "a.state.next").write_text("left by a process that was killed")
    keeper = SnapshotKeeper(path, {}, {"network": network}, None, writes=True, discard=ArithmeticError)
    with keeper:
        assert list(tmp_path.iterdir()) == []
        for step in (1, 2):
            keeper.take(step)
            with torch.no_grad():
                network.weight += 1
            assert keeper.kept == (None if step == 1 else 1)
            if step == 1:
                keeper.keep()
        found = read_snapshot(path, {})
        assert found is not None
        assert found.step == keeper.kept == 1
        assert torch.equal(found.parts["network"]["weight"], network.weight - 2)
        assert (tmp_path / "a.state.next").exists()
    found = read_snapshot(path, {})
    assert found is not None
    assert found.step == 2
    keeper.take(3)
    keeper.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert [one.name for one in tmp_path.iterdir()] == ["a.state"]
    assert keeper.kept == 2


def test_a_process_that_does_not_write_leaves_nothing(tmp_path: Path):
    keeper = SnapshotKeeper(tmp_path / "a.state", {}, {}, None, writes=False, discard=ArithmeticError)
    with keeper:
        keeper.take(1)
    assert keeper.kept == 1
    assert list(tmp_path.iterdir()) == []


def test_none_is_there(tmp_path: Path):
    assert read_snapshot(tmp_path / "a.state", {}) is None


@pytest.mark.parametrize("content", [b"", b"torn", b"PK\x03\x04torn"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "a.state").write_bytes(content)
    with pytest.raises(
        InputError, match=r"a\.state: not readable .* remove it to start from the beginning"
    ) as caught:
        read_snapshot(tmp_path / "a.state", {})
    assert "\n" not in str(caught.value)


def test_another_file_of_torch_is_refused(tmp_path: Path):
    torch.save({"state_dict": {}}, tmp_path / "a.state")
    with pytest.raises(InputError, match="not readable"):
        read_snapshot(tmp_path / "a.state", {})


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"recipe": {"batch": 4, "scale": 4}, "seed": 0}, r"recipe\.batch was 4, now 8"),
        ({"recipe": {"batch": 8, "scale": 4}, "seed": 1}, "seed was 1, now 0"),
        ({"recipe": {"batch": 8}, "seed": 0}, r"recipe\.scale was 'not given', now 4"),
        ({"recipe": {"batch": 8, "scale": 4}, "seed": 0, "more": 1}, "more was 1, now 'not given'"),
    ],
)
def test_the_first_difference_is_named(found: dict, words: str):
    wanted = {"recipe": {"batch": 8, "scale": 4}, "seed": 0}
    require_same("x", wanted, wanted)
    with pytest.raises(InputError, match=words):
        require_same("x", found, wanted)
