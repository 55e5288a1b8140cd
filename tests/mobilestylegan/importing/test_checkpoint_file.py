import argparse
import logging
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.mobilestylegan.importing import import_file
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.network import MobileStyleGAN, StyleGAN2, inverse_haar
from mfagan.mobilestylegan.network.layers.noise import constant_noise
from tests.mobilestylegan.random_files import authors_state, stylegan2_state
from tests.mobilestylegan.stylegan2_by_weights import map_latents, student_images, synthesise

TEACHER, STUDENT = (16, 12, 8, 8), (16, 12, 8)


def write(path: Path, content: object, **options) -> Path:
    torch.save(content, path, **options)
    return path


def load(path: Path, **options):
    out = path.with_suffix(".safetensors")
    checkpoint.save(out, import_file(path, **options))
    return load_generator(out).double()


@pytest.mark.parametrize("n_layers", [2, 8])
@pytest.mark.parametrize("old_format", [False, True])
def test_a_stylegan2_makes_the_images_of_another_computation(n_layers: int, old_format: bool, tmp_path: Path):
    state = stylegan2_state(TEACHER, n_layers=n_layers)
    content = {"g_ema": OrderedDict(state), "latent_avg": torch.arange(8.0)}
    content["g_ema"]._metadata = {"": {"version": 1}}
    path = write(tmp_path / "R.pt", content, _use_new_zipfile_serialization=not old_format)
    network = load(path)
    assert isinstance(network, StyleGAN2)
    assert (network.size, network.style_dim, len(network.mapping.layers)) == (32, 8, n_layers)
    assert network.synthesis.channels == TEACHER
    assert network.w_mean.tolist() == list(range(8))
    exact = {name: one.double() for name, one in state.items()}
    z = torch.randn(2, 8, dtype=torch.float64)
    w = map_latents(exact, z)
    assert torch.allclose(network.mapping(z), w, rtol=1e-9, atol=1e-9)
    rows = torch.randn(2, 8, 8, dtype=torch.float64)
    noise = [one.double() for one in constant_noise(network.synthesis.noise_sides)]
    expected = synthesise(exact, rows, noise)
    assert (network.synthesis(rows) - expected).abs().max() < 1e-10 * expected.abs().max()


def test_the_authors_student_makes_the_images_of_another_computation(tmp_path: Path):
    state = authors_state(STUDENT)
    path = write(tmp_path / "mobilestylegan.ckpt", {"state_dict": state, "epoch": 3, "callbacks": {}})
    network = load(path)
    assert isinstance(network, MobileStyleGAN)
    assert network.synthesis.demodulation == "fixed"
    assert network.synthesis.channels == STUDENT
    assert torch.equal(network.w_mean.float(), state["style_mean"][0, 0])
    exact = {name.removeprefix("student."): one.double() for name, one in state.items()}
    w = torch.randn(2, 8, dtype=torch.float64)
    noise = [one.double() for one in constant_noise(network.synthesis.noise_sides)]
    found = [inverse_haar(bands) for bands in network.synthesis.forward_heads(w)]
    for one, expected in zip(found, student_images(exact, w, noise), strict=True):
        assert (one - expected).abs().max() < 1e-10 * expected.abs().max()
    mapping = {name.replace("mapping_net.layers.", "style."): one for name, one in exact.items()}
    z = torch.randn(2, 8, dtype=torch.float64)
    assert torch.allclose(network.mapping(z), map_latents(mapping, z), rtol=1e-9, atol=1e-9)
    # The style form of the same weights, which the authors have not.
    styled = {name: one for name, one in network.synthesis.state_dict().items() if "fixed_style" not in name}
    other = type(network.synthesis)(STUDENT, 8).double()
    other.load_state_dict(styled)
    expected = student_images(exact, w, noise, fixed=False)[-1]
    assert (other(w) - expected).abs().max() < 1e-10 * expected.abs().max()


def test_the_authors_rows_are_kept_if_asked(tmp_path: Path):
    path = write(tmp_path / "mobilestylegan.ckpt", {"state_dict": authors_state(STUDENT)})
    assert load(path).synthesis.rows == "ours"
    assert load(path, rows="authors").synthesis.rows == "authors"


def test_the_averaged_weights_are_preferred(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    averaged, raw = stylegan2_state(TEACHER), stylegan2_state(TEACHER, seed=1)
    both = import_file(write(tmp_path / "both.pt", {"g": raw, "g_ema": averaged}))
    assert torch.equal(both.state["synthesis.constant"], averaged["input.input"])
    assert both.record["weights"] == "g_ema"
    assert not caplog.records
    with caplog.at_level(logging.WARNING, "mfagan"):
        alone = import_file(write(tmp_path / "raw.pt", {"g": raw}))
    assert torch.equal(alone.state["synthesis.constant"], raw["input.input"])
    assert "raw.pt: it has no g_ema; its g holds the raw weights" in caplog.text


def test_without_a_mean_style_it_is_estimated(tmp_path: Path):
    path = write(tmp_path / "R.pt", {"g_ema": stylegan2_state(TEACHER)})
    network = load_generator(_saved(path))
    assert torch.allclose(network.w_mean, network.mapping.mean_style(4096))


def _saved(path: Path) -> Path:
    out = path.with_suffix(".safetensors")
    checkpoint.save(out, import_file(path))
    return out


def test_a_training_snapshot_is_refused_unless_it_is_allowed(tmp_path: Path):
    content = {"g_ema": stylegan2_state(TEACHER), "args": argparse.Namespace(lr=0.002)}
    path = write(tmp_path / "snapshot.pt", content)
    with pytest.raises(InputError, match="a training snapshot, which holds an argparse"):
        import_file(path)
    assert import_file(path, allow_namespace=True).network == "stylegan2"
    with pytest.raises(InputError, match="a training snapshot"):  # allowed for that one call alone
        import_file(path)


class _Runs:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return (Path.touch, (str(self.path),))


@pytest.mark.parametrize("name", ["network.pkl", "network.PICKLE", "network.pt"])
def test_code_in_a_file_is_never_run(name: str, tmp_path: Path):
    marker, path = tmp_path / "ran", tmp_path / name
    path.write_bytes(pickle.dumps({"G_ema": _Runs(marker)}, protocol=2))
    message = "NVIDIA's pickles run code" if name != "network.pt" else "Python object|weights alone"
    with pytest.raises(InputError, match=message):
        import_file(path)
    assert not marker.exists()


def change(state: dict[str, Tensor], name: str, one: Tensor | None) -> dict[str, Tensor]:
    if one is None:
        return {other: weight for other, weight in state.items() if other != name}
    return state | {name: one}


@pytest.mark.parametrize(
    ("name", "one", "message"),
    [
        ("to_rgbs.0.bias", None, r"missing: to_rgbs.0.bias;"),
        ("input.input", None, r"missing: input.input;"),
        ("conv1.conv.weight", None, "conv1.conv.weight is missing"),
        ("convs.6.conv.weight", torch.zeros(1), r"not expected: convs.6.conv.weight;"),
        ("style.9.weight", torch.zeros(8, 8), r"not expected: style.9.weight;"),
        ("mapping.embed.weight", torch.zeros(2), r"not expected: mapping.embed.weight;"),
        ("style.2.bias", torch.zeros(7), r"style.2.bias has the shape \(7,\), \(8,\) is needed"),
        (
            "conv1.conv.weight",
            torch.zeros(16, 16),
            r"conv1.conv.weight has the shape \(16, 16\), 5 axes are needed",
        ),
        ("style.1.weight", torch.zeros(8, 16), r"reads 16 numbers for styles of 8; conditional generators"),
        ("to_rgb1.conv.weight", torch.zeros(1, 1, 16, 1, 1), r"its images have 1 channel\(s\)"),
        (
            "convs.3.noise.weight",
            torch.tensor([torch.nan]),
            "convs.3.noise.weight holds values that are not finite",
        ),
        ("convs.5.conv.weight", None, "convs.5.conv.weight is missing"),
    ],
)
def test_weights_that_are_no_stylegan2(name: str, one: Tensor | None, message: str, tmp_path: Path):
    path = write(tmp_path / "R.pt", {"g_ema": change(stylegan2_state(TEACHER), name, one)})
    with pytest.raises(InputError, match=message):
        import_file(path)


@pytest.mark.parametrize(
    ("name", "one", "message"),
    [
        ("student.layers.1.up.modulation.bias", None, r"missing: student.layers.1.up.modulation.bias;"),
        ("student.layers.1.extra", torch.zeros(1), r"not expected: student.layers.1.extra;"),
        ("student.conv1.conv.weight", None, "student.conv1.conv.weight is missing"),
        ("mapping_net.layers.3.weight", torch.zeros(8, 8), r"missing: mapping_net.layers.3.bias;"),
        ("style_mean", None, "style_mean is missing"),
        ("style_mean", torch.zeros(1, 4), r"style_mean has the shape \(1, 4\)"),
        ("student.to_img1.bias", torch.zeros(3), r"student.to_img1.bias has the shape \(3,\)"),
    ],
)
def test_weights_that_are_no_student(name: str, one: Tensor | None, message: str, tmp_path: Path):
    path = write(tmp_path / "x.ckpt", {"state_dict": change(authors_state(STUDENT), name, one)})
    with pytest.raises(InputError, match=message):
        import_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"d": {}}, r"neither g_ema nor g is in it \(it holds d\)"),
        ({}, "it holds nothing"),
        ([1, 2], "holds list, not a dictionary"),
        ({"g_ema": {"a": 3}}, "'?a'? is int, not a weight"),
        ({"g_ema": stylegan2_state((16, 8))}, "size 8: give a power of two from 16 to 1024"),
        (
            {"g_ema": stylegan2_state(TEACHER), "latent_avg": torch.zeros(4)},
            r"latent_avg is \(4,\), 8 numbers",
        ),
    ],
)
def test_files_without_a_generator(content: object, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message) as caught:
        import_file(write(tmp_path / "R.pt", content))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_pytorch_files(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        import_file(tmp_path / "absent.pt")
    path = tmp_path / "text.pt"
    path.write_text("not weights")
    with pytest.raises(InputError, match=r"weights .*text\.pt: ") as caught:
        import_file(path)
    assert "weights_only" not in str(caught.value)
