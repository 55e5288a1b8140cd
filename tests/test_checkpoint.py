import contextlib
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
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
    torch.save({"x": torch.ones(1)}, tmp_path / "a.pth")
    with pytest.raises(
        InputError, match=r"a\.pth: PyTorch's files \(\.pth\) carry no description by mfagan; give"
    ):
        checkpoint.read(tmp_path / "a.pth")
    save_file({"x": torch.ones(1)}, tmp_path / "foreign")
    with pytest.raises(InputError, match="no description"):
        checkpoint.read(tmp_path / "foreign")
    save_file({"x": torch.ones(1)}, tmp_path / "odd", metadata={"mfagan": json.dumps([1])})
    with pytest.raises(InputError, match="no description"):
        checkpoint.read(tmp_path / "odd")


def test_a_name_as_which_it_would_be_read_as_pytorchs_is_refused(tmp_path):
    for act in (lambda path: checkpoint.save(path, example()), checkpoint.require_checkpoint_place):
        with pytest.raises(InputError, match=r"a\.PTH: a name that ends in \.PTH .* end it in \.safetensors"):
            act(tmp_path / "a.PTH")
    assert list(tmp_path.iterdir()) == []
    assert checkpoint.require_checkpoint_place(tmp_path / "a.safetensors") == tmp_path / "a.safetensors"


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


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.ones(2, dtype=torch.complex64), "are of type complex64"),
        (torch.ones(2, dtype=torch.int32), "are of type int32"),
        (torch.ones(2).to(torch.float8_e5m2), "are of type float8_e5m2"),
        (torch.tensor([1.0, torch.nan]), "hold values that are not finite"),
    ],
)
def test_weights_that_no_network_has_are_refused_by_name(tmp_path: Path, tensor: torch.Tensor, reason: str):
    about = json.dumps({"network": "mfanet", "role": "student", "config": {}, "record": {}})
    save_file({"head.weight": tensor}, tmp_path / "a.safetensors", metadata={"mfagan": about})
    with pytest.raises(InputError, match=f"weights head.weight {reason}"):
        checkpoint.read(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "about",
    [
        {"network": 3, "role": "student", "config": {}},
        {"network": "mfanet", "role": None, "config": {}},
        {"network": "mfanet", "role": "student", "config": []},
        {"network": "mfanet", "role": "student", "config": {}, "record": "x"},
        {"network": "mfanet", "role": "student", "config": {}, "more": 1},
        ["mfanet"],
    ],
)
def test_descriptions_of_another_form_are_refused(tmp_path: Path, about: object):
    save_file({"a": torch.ones(1)}, tmp_path / "a.safetensors", metadata={"mfagan": json.dumps(about)})
    with pytest.raises(InputError, match="it carries no description by mfagan"):
        checkpoint.read(tmp_path / "a.safetensors")


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "a.safetensors"


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=40), at=st.integers(0, 300), cut=st.booleans())
def test_any_bytes_are_a_checkpoint_or_an_input_error(fuzzed: Path, noise: bytes, at: int, cut: bool):
    checkpoint.save(fuzzed, Checkpoint("mfanet", "student", {"scale": 4}, {"w": torch.ones(8)}, {"a": 1}))
    whole = fuzzed.read_bytes()
    fuzzed.write_bytes(whole[:at] + noise + (b"" if cut else whole[at + len(noise) :]))
    with contextlib.suppress(InputError):
        checkpoint.read(fuzzed)


def test_files_of_other_programs_are_known_by_their_names_or_by_what_they_lack(tmp_path: Path):
    ours, other, text = (tmp_path / f"{name}.safetensors" for name in ("ours", "other", "text"))
    checkpoint.save(ours, Checkpoint("imdn", "x", {}, {"a": torch.ones(1)}))
    save_file({"a": torch.ones(1)}, other)
    text.write_text("hello")
    assert [checkpoint.is_foreign(path) for path in (ours, other, text)] == [False, True, False]
    assert not checkpoint.is_foreign(tmp_path / "absent.safetensors")
    for name in ("absent.pth", "absent.PT", "absent.ckpt"):
        assert checkpoint.is_foreign(tmp_path / name)
    ours.rename(tmp_path / "ours")
    assert not checkpoint.is_foreign(tmp_path / "ours")
