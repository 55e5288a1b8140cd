"""`mfagan.load(path)(seeds=...)`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import mfagan
from mfagan import checkpoint
from mfagan.data.images import to_uint8
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.network import draw_latents, mix_styles
from tests.mobilestylegan.exporting.small import build_student
from tests.mobilestylegan.saved import write_pair


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair(tmp_path_factory.mktemp("generators"))


@pytest.fixture(scope="module")
def model(files: tuple[Path, Path]) -> mfagan.ImageGenerator:
    return mfagan.load(files[1], device="cpu")


@pytest.mark.parametrize("number", [0, 1], ids=["teacher", "student"])
def test_seeds_become_pictures(files: tuple[Path, Path], number: int):
    model = mfagan.load(files[number], device="cpu")
    assert isinstance(model, mfagan.ImageGenerator)
    pictures = model(seeds=[0, 5], psi=0.7)
    network = load_generator(files[number])
    with torch.no_grad():
        expected = to_uint8((network(draw_latents([0, 5], 8), 0.7) + 1) / 2).permute(0, 2, 3, 1)
    assert (pictures.dtype, pictures.shape) == (np.uint8, (2, 16, 16, 3))
    np.testing.assert_allclose(pictures.astype(int), expected.numpy().astype(int), atol=1)
    assert pictures.std() > 5
    assert f"{network.KIND}, size=16, style_dim=8, n_rows=6" in repr(model)


def test_all_outputs_are_the_same_pictures(model: mfagan.ImageGenerator):
    pictures = model(range(3))
    for one, picture in zip(model(range(3), output="pil"), pictures, strict=True):
        assert isinstance(one, Image.Image)
        np.testing.assert_array_equal(np.array(one), picture)
    raw = model(range(3), output="tensor")
    assert (raw.shape, raw.dtype, raw.requires_grad) == ((3, 3, 16, 16), torch.float32, False)
    np.testing.assert_array_equal(to_uint8((raw + 1) / 2).permute(0, 2, 3, 1).numpy(), pictures)
    np.testing.assert_array_equal(model(1), pictures[1:2])


def test_more_pictures_than_are_made_at_once(model: mfagan.ImageGenerator, monkeypatch: pytest.MonkeyPatch):
    whole = model(range(5), output="tensor")
    maps = [torch.randn(5, 1, side, side) for side in (4, 8, 8)]
    noisy = model(range(5), noise=maps, output="tensor")
    monkeypatch.setattr(type(model), "batch", 2)
    torch.testing.assert_close(model(range(5), output="tensor"), whole)
    torch.testing.assert_close(model(range(5), noise=maps, output="tensor"), noisy)


def test_latents_styles_and_w_plus_are_taken(model: mfagan.ImageGenerator):
    pictures = model([3, 4], psi=0.5)
    np.testing.assert_array_equal(model(z=draw_latents([3, 4], 8), psi=0.5), pictures)
    w = model.styles([3, 4], psi=0.5)
    assert (w.shape, w.dtype) == ((2, 6, 8), np.float32)
    np.testing.assert_array_equal(model(w=w), pictures)
    np.testing.assert_array_equal(model(w=torch.from_numpy(w[:, 0])), pictures)
    np.testing.assert_array_equal(model(w=w[1, 0].tolist()), pictures[1:])
    mean = model(w=w, psi=0)
    np.testing.assert_array_equal(mean[0], mean[1])
    np.testing.assert_array_equal(mean[:1], model(9, psi=0))


def test_noise_modes(files: tuple[Path, Path]):
    teacher = mfagan.load(files[0], device="cpu")
    const, zero = (teacher(0, noise=noise, output="tensor") for noise in ("const", "zero"))
    assert (const != zero).any()
    assert (teacher(0, noise="const", output="tensor") == const).all()
    first, second = (teacher(0, noise="random", output="tensor") for _ in range(2))
    assert (first != second).any()


def test_mixing_takes_rows_of_each(model: mfagan.ImageGenerator):
    coarse, fine = model.styles([0, 1]), model.styles([2, 3])
    mixed = model.mix([coarse, fine], [2])
    np.testing.assert_array_equal(mixed[:, :2], coarse[:, :2])
    np.testing.assert_array_equal(mixed[:, 2:], fine[:, 2:])
    alike = mix_styles([torch.from_numpy(one[:, 0]) for one in (coarse, fine)], [2], 6)
    np.testing.assert_array_equal(mixed, alike.numpy())


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "nothing given: give one of seeds, z and w"),
    ({"seeds": 0, "w": np.zeros(8)}, "seeds and w given"),
    ({"seeds": [0, -1]}, "seed -1: give whole numbers from 0"),
    ({"seeds": 0.5}, "seed 0.5"),
    ({"seeds": []}, "seeds are empty: give at least one"),
    ({"w": np.zeros((0, 8))}, "w is empty: give at least one"),
    ({"seeds": 0, "psi": float("nan")}, "psi nan: give a finite number"),
    ({"w": np.zeros((1, 8)), "psi": float("inf")}, "psi inf: give a finite number"),
    ({"z": np.zeros((2, 9))}, r"z of the shape \(2, 9\): give \(N, 8\)"),
    ({"w": np.zeros((1, 18, 8))}, "W\\+ has 18 rows, 6"),
    ({"w": np.full(8, np.nan)}, "w holds values that are not finite"),
    ({"w": "seven"}, "w: no array of numbers"),
    ({"seeds": 0, "noise": "loud"}, "noise 'loud'"),
    ({"seeds": 0, "output": "jpeg"}, "output 'jpeg': give numpy, pil or tensor"),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_wrong_calls_are_refused(model: mfagan.ImageGenerator, asked: dict[str, Any], message: str):
    with pytest.raises(mfagan.InputError, match=message):
        model(**asked)


def test_wrong_mixtures_are_refused(model: mfagan.ImageGenerator):
    w = model.styles([0])
    with pytest.raises(mfagan.InputError, match="7 given for the 6 rows"):
        model.mix([w] * 7, range(1, 7))
    with pytest.raises(mfagan.InputError, match="styles of 1, 2 pictures"):
        model.mix([w, model.styles([1, 2])], [3])


def test_what_enlarges_pictures_does_not_take_it(files: tuple[Path, Path], model: mfagan.ImageGenerator):
    calls: list[Callable[[Any], object]] = [
        lambda one: mfagan.export(one, "x.tflite"),
        mfagan.costs,
        lambda one: mfagan.upscale("p.png", one),
    ]
    for call in calls:
        for one in (files[1], model):
            with pytest.raises(mfagan.InputError, match="enlarges none; use `mfagan mobilestylegan "):
                call(one)
    with pytest.raises(mfagan.InputError, match="has no trained slices; leave the widths out"):
        mfagan.load(files[1], widths=24)
    assert isinstance(mfagan.load(widths=24, device="cpu"), mfagan.Model)


def test_a_slice_of_a_weight_shared_student_is_loaded(tmp_path: Path):
    student = build_student()
    checkpoint.save(tmp_path / "shared.safetensors", student.to_checkpoint("supernet"))
    small = mfagan.load(tmp_path / "shared.safetensors", widths="8,8,4", device="cpu")
    assert small.network.synthesis.channels == (8, 8, 4)
    with pytest.raises(mfagan.InputError, match="no slice"):
        mfagan.load(tmp_path / "shared.safetensors", widths="64,8,4", device="cpu")
