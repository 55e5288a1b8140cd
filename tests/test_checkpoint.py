import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError


def example() -> Checkpoint:
    state = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)}
    return Checkpoint("line", "test", {"size": 2}, state, {"steps": 3, "images": ["a"]})


def test_round_trip(tmp_path):
    checkpoint.save(tmp_path / "a.safetensors", example())
    found = checkpoint.read(tmp_path / "a.safetensors")
    assert (found.network, found.role, found.config, found.record) == (
        "line",
        "test",
        {"size": 2},
        example().record,
    )
    assert all(torch.equal(found.state[name], tensor) for name, tensor in example().state.items())
    assert checkpoint.count_parameters(found) == 8


def test_saving_twice_gives_the_same_file(tmp_path):
    for name in ("a", "b"):
        checkpoint.save(tmp_path / name, example())
    assert checkpoint.sha256(tmp_path / "a") == checkpoint.sha256(tmp_path / "b")


def test_channels_last_weights_are_saved(tmp_path):
    weight = torch.rand(2, 3, 3, 3)
    state = {"weight": weight.contiguous(memory_format=torch.channels_last)}
    checkpoint.save(tmp_path / "a", Checkpoint("conv", "test", {}, state))
    assert torch.equal(checkpoint.read(tmp_path / "a").state["weight"], weight)


def test_another_network_or_role_is_refused_by_name(tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, example())
    with pytest.raises(InputError, match=r"a\.safetensors: its network is 'line', 'mfanet' is needed"):
        checkpoint.read(path, "mfanet")
    with pytest.raises(InputError, match="its role is 'test', 'supergenerator' is needed"):
        checkpoint.read(path, "line", "supergenerator")


def test_files_that_are_no_checkpoints(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        checkpoint.read(tmp_path / "absent")
    with pytest.raises(InputError, match="no such file"):
        checkpoint.read(tmp_path)
    (tmp_path / "text").write_text("not weights")
    with pytest.raises(InputError, match="not a readable safetensors file"):
        checkpoint.read(tmp_path / "text")
    save_file({"x": torch.ones(1)}, tmp_path / "foreign")
    with pytest.raises(InputError, match="no description"):
        checkpoint.read(tmp_path / "foreign")
    save_file({"x": torch.ones(1)}, tmp_path / "odd", metadata={"mfagan": json.dumps([1])})
    with pytest.raises(InputError, match="no description"):
        checkpoint.read(tmp_path / "odd")


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "a"
    checkpoint.save(path, example())
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match="not a readable safetensors file"):
        checkpoint.read(path)


def test_weights_of_another_shape_are_refused():
    with pytest.raises(InputError, match="do not fit"):
        checkpoint.load_weights(nn.Linear(5, 2), example(), "a")
    assert checkpoint.load_weights(nn.Linear(3, 2), example(), "a").bias.tolist() == [1, 1]
