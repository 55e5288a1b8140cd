"""ONNX files that enlarge pictures: whole, in tiles with the statistics of the whole picture, and of one size."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mfagan.data.splits import read_pairs
from mfagan.deploy.onnx import converter
from mfagan.deploy.onnx.model import ONNXModel
from mfagan.deploy.target import ExportTarget
from mfagan.enlarging.enlarger import Enlarger, NetworkEnlarger
from mfagan.enlarging.model import AnySize
from mfagan.enlarging.tiling import Tiling, enlarge_tiled
from mfagan.errors import InputError
from mfagan.sr.kinds import Generator, build, load_generator

LEVEL = 1 / 255
HEIGHT, WIDTH = 96, 140


@pytest.fixture(scope="module")
def network(trained: Path) -> Generator:
    return load_generator(trained / "student.safetensors").eval()


@pytest.fixture(scope="module")
def model(network: Generator, tmp_path_factory: pytest.TempPathFactory) -> ONNXModel:
    path = tmp_path_factory.mktemp("exported") / "tiles.onnx"
    path.write_bytes(converter.convert(network, ExportTarget("onnx", size=None, tiles=True)))
    return ONNXModel(path)


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return read_pairs("embedded")[0].hr[:, 40 : 40 + HEIGHT, 100 : 100 + WIDTH].contiguous()


def tiled(enlarger: Enlarger, image: Tensor) -> Tensor:
    found = torch.full((3, 4 * HEIGHT, 4 * WIDTH), torch.nan)
    enlarge_tiled(
        enlarger,
        (HEIGHT, WIDTH),
        lambda rows, columns: image[:, rows, columns],
        lambda rows, columns, tile: found[:, rows, columns].copy_(tile),
        Tiling(64),
    )
    return found


def test_it_says_what_it_is(model: ONNXModel):
    assert (model.scale, model.fixed_size, model.sees_whole, model.in_tiles) == (4, None, True, True)
    assert model.bytes_per_px > 24 * 4


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2), (7, 3), (40, 31)])
def test_whole_pictures_are_pytorchs(
    model: ONNXModel, network: Generator, photo: Tensor, size: tuple[int, int]
):
    image = photo[:, : size[0], : size[1]]
    with torch.inference_mode():
        expected = AnySize(network, 4, min_side_px=2)(image[None])[0]
    assert (model.enlarge(image) - expected).abs().max() < 1e-4


def test_tiles_are_pytorchs(model: ONNXModel, network: Generator, photo: Tensor):
    found = tiled(model.start_enlarger(), photo)
    assert (found - tiled(NetworkEnlarger(network, 4), photo)).abs().max() < 1e-4
    assert (found - model.enlarge(photo)).abs().max() < 0.4 * LEVEL


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one size, of a network that is exported fast."""
    path = tmp_path_factory.mktemp("fixed") / "fixed.onnx"
    path.write_bytes(
        converter.convert(build("quicksrnet", {"scale": 3}).eval(), ExportTarget("onnx", size=(6, 8)))
    )
    return path


def test_a_file_of_one_size_takes_pictures_of_that_size_alone(fixed: Path):
    model = ONNXModel(fixed)
    assert (model.scale, model.fixed_size, model.sees_whole, model.in_tiles) == (3, (6, 8), False, False)
    assert model.enlarge(torch.rand(3, 6, 8)).shape == (3, 18, 24)
    with pytest.raises(InputError, match=r"it takes 6x8 px .* alone, not 8x6; export it with --size dynamic"):
        model.start_enlarger().enlarge(torch.rand(3, 8, 6))


def test_pictures_in_8_bits(tmp_path: Path):
    network = build("quicksrnet", {"scale": 2}).eval()
    (tmp_path / "m.onnx").write_bytes(
        converter.convert(network, ExportTarget("onnx", size=None, pixels="uint8"))
    )
    image = torch.randint(0, 256, (3, 9, 7)) * LEVEL
    with torch.inference_mode():
        expected = network(image[None])[0].clamp(0, 1)
    assert (ONNXModel(tmp_path / "m.onnx").enlarge(image) - expected).abs().max() <= 0.51 * LEVEL


def test_a_file_that_sees_all_of_a_picture_and_has_no_tiles_is_refused(model: ONNXModel, photo: Tensor):
    whole = ONNXModel(model.path)
    whole.in_tiles = False
    with pytest.raises(InputError, match="not exported with --tiles; allow more memory"):
        tiled(whole.start_enlarger(), photo)


def test_another_kind_of_network_is_refused(tmp_path: Path):
    torch.onnx.export(
        torch.nn.Conv2d(3, 1, 1).eval(),
        (torch.zeros(1, 3, 4, 4),),
        tmp_path / "m.onnx",
        dynamo=True,
        verbose=False,
    )
    with pytest.raises(InputError, match="give a file of mfagan export, which makes 'enlarged' of 'image'"):
        ONNXModel(tmp_path / "m.onnx")


def test_a_file_does_not_hold_where_the_program_stands(network: Generator):
    content = converter.convert(network, ExportTarget("onnx", size=(8, 8)))
    assert b".py" not in content
