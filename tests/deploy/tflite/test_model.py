"""TFLite files that enlarge pictures: whole, and in tiles with the statistics of the whole picture."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mfagan.data.splits import read_pairs
from mfagan.deploy.target import ExportTarget
from mfagan.deploy.tflite import converter
from mfagan.deploy.tflite.model import TFLiteModel
from mfagan.enlarging.enlarger import Enlarger, NetworkEnlarger
from mfagan.enlarging.model import AnySize
from mfagan.enlarging.tiling import Effort, Tiling, enlarge_tiled, list_tiles
from mfagan.errors import InputError
from mfagan.evaluation.fidelity import read_photos
from mfagan.sr.export import export_generator
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.mfanet import MFANet, operators
from mfagan.sr.network.widths import Widths
from mfagan.sr.shipped import SUPERGENERATOR

LEVEL = 1 / 255
HEIGHT, WIDTH = 96, 170


@pytest.fixture(scope="module")
def network() -> MFANet:
    network = load_generator(SUPERGENERATOR, Widths.uniform(24)).eval()
    assert isinstance(network, MFANet)
    return network


@pytest.fixture(scope="module")
def model(network: MFANet, tmp_path_factory: pytest.TempPathFactory) -> TFLiteModel:
    path = tmp_path_factory.mktemp("exported") / "tiles.tflite"
    made = export_generator(network, ExportTarget(size=(40, 48), tiles=True), read_photos(None, scale=4))
    path.write_bytes(made.content)
    return TFLiteModel(path)


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return read_pairs("embedded")[0].hr[:, 40 : 40 + HEIGHT, 100 : 100 + WIDTH].contiguous()


def tiled(enlarger: Enlarger, image: Tensor, effort: Effort) -> Tensor:
    found = torch.full((3, 4 * HEIGHT, 4 * WIDTH), torch.nan)
    enlarge_tiled(
        enlarger,
        (HEIGHT, WIDTH),
        lambda rows, columns: image[:, rows, columns],
        lambda rows, columns, tile: found[:, rows, columns].copy_(tile),
        Tiling(64, effort=effort),
    )
    return found


def test_it_says_what_it_is(model: TFLiteModel):
    assert (model.scale, model.size, model.sees_whole, model.in_tiles) == (4, (40, 48), True, True)
    assert model.bytes_per_px > 24 * 4


def test_a_whole_picture_of_another_size_is_pytorchs(model: TFLiteModel, network: MFANet, photo: Tensor):
    with torch.inference_mode():
        expected = network(photo[None])[0]
    assert (model.enlarge(photo) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2)])
def test_tiny_pictures_are_pytorchs(
    model: TFLiteModel, network: MFANet, photo: Tensor, size: tuple[int, int]
):
    image = photo[:, : size[0], : size[1]]
    with torch.inference_mode():
        expected = AnySize(network, 4, min_side_px=2)(image[None])[0]
    assert (model.enlarge(image) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("effort", ["fast", "normal"])
def test_tiles_are_pytorchs(model: TFLiteModel, network: MFANet, photo: Tensor, effort: Effort):
    found = tiled(model.start_enlarger(), photo, effort)
    assert (found - tiled(NetworkEnlarger(network, 4), photo, effort)).abs().max() < 1e-4
    with torch.inference_mode():
        apart = (found - network(photo[None])[0]).abs().max()
    assert apart < (0.4 if effort == "normal" else 3) * LEVEL


@pytest.mark.slow
def test_exact_tiles_are_the_whole_picture(model: TFLiteModel, photo: Tensor):
    assert (tiled(model.start_enlarger(), photo, "exact") - model.enlarge(photo)).abs().max() < 0.02 * LEVEL


def test_a_gradient_has_no_seams(model: TFLiteModel):
    ramp = torch.linspace(0.1, 0.9, WIDTH).expand(3, HEIGHT, WIDTH).contiguous()
    apart = tiled(model.start_enlarger(), ramp, "normal") - model.enlarge(ramp)
    seams = [
        4 * one.columns.stop for one in list_tiles(HEIGHT, WIDTH, Tiling(64)) if one.columns.stop < WIDTH
    ]
    assert seams
    assert (apart[:, :, seams] - apart[:, :, [seam - 1 for seam in seams]]).abs().max() < 0.25 * LEVEL


def test_a_file_without_signatures_for_tiles_takes_whole_pictures(
    network: MFANet, photo: Tensor, tmp_path: Path
):
    weights = dict(network.state_dict())
    assert network.residual is not None
    weights["residual.filters"] = network.residual.filters
    listed = operators(network.widths, HEIGHT, WIDTH, 4, network.residual_kind)
    (tmp_path / "whole.tflite").write_bytes(converter.convert(listed, weights))
    model = TFLiteModel(tmp_path / "whole.tflite")
    with torch.inference_mode():
        assert (model.start_enlarger().enlarge(photo) - network(photo[None])[0]).abs().max() < 1e-4
    with pytest.raises(InputError, match="not exported with --tiles; allow more memory"):
        tiled(model.start_enlarger(), photo, "normal")
