"""Tiles against the whole picture: the same result, without seams, whatever the layers see."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mfagan.data.splits import read_pairs
from mfagan.enlarging.enlarger import NetworkEnlarger
from mfagan.enlarging.tiling import Effort, Tile, Tiling, enlarge_tiled, list_tiles
from mfagan.errors import InputError
from mfagan.networks.channel_gate import ChannelGate
from mfagan.sr.kinds import build, load_generator
from mfagan.sr.network.widths import Widths
from mfagan.sr.shipped import SUPERGENERATOR

LEVEL = 1 / 255
SIDES = st.integers(1, 300)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return load_generator(SUPERGENERATOR, Widths.uniform(24))


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """(3, 150, 230) of a bundled photograph, at its full resolution, so that it is hard to guess."""
    return read_pairs("embedded")[0].hr[:, 40:190, 100:330].contiguous()


def whole(network: nn.Module, image: Tensor) -> Tensor:
    with torch.inference_mode():
        return network(image[None])[0]


def tiled(
    network: nn.Module, image: Tensor, tiling: Tiling, scale: int = 4, seen: list | None = None
) -> Tensor:
    _, height, width = image.shape
    found = torch.full((3, scale * height, scale * width), torch.nan)
    enlarge_tiled(
        NetworkEnlarger(network, scale),
        (height, width),
        lambda rows, columns: image[:, rows, columns],
        lambda rows, columns, tile: found[:, rows, columns].copy_(tile),
        tiling,
        lambda done, total, note: (seen if seen is not None else []).append((done, total)),
    )
    return found


@settings(deadline=None)
@given(SIDES, SIDES, st.integers(1, 100), st.integers(0, 50))
def test_tiles_cover_a_picture_once(height: int, width: int, tile_px: int, overlap_px: int):
    covered = torch.zeros(height, width, dtype=torch.int)
    tiles = list_tiles(height, width, Tiling(tile_px, overlap_px))
    for tile in tiles:
        covered[tile.rows, tile.columns] += 1
        assert 0 < tile.rows.stop - tile.rows.start <= tile_px
        assert 0 <= tile.read_rows.start <= max(0, tile.rows.start - overlap_px)
        assert width >= tile.read_columns.stop >= min(width, tile.columns.stop + overlap_px)
        part = torch.arange(height)[tile.read_rows][tile.core()[0]]
        assert part.tolist() == list(range(tile.rows.start, tile.rows.stop))
    assert (covered == 1).all()
    sizes = {(len(range(height)[tile.read_rows]), len(range(width)[tile.read_columns])) for tile in tiles}
    assert len(sizes) == 1


@pytest.mark.parametrize(("effort", "most"), [("fast", 3), ("normal", 1), ("exact", 0.02)])
def test_tiles_give_what_the_whole_picture_gives(
    network: nn.Module, photo: Tensor, effort: Effort, most: float
):
    found = tiled(network, photo, Tiling(64, effort=effort))
    assert (found - whole(network, photo)).abs().max() < most * LEVEL


def test_without_the_statistics_of_the_picture_tiles_would_differ(network: nn.Module, photo: Tensor):
    """What the first pass is for: the same tiles, each with its own statistics."""
    expected = whole(network, photo)
    apart = [
        (
            whole(network, photo[:, tile.read_rows, tile.read_columns])[:, *tile.core(4)]
            - expected[:, *core_of(tile)]
        )
        for tile in list_tiles(150, 230, Tiling(64))
    ]
    assert max(one.abs().max() for one in apart) > 2 * LEVEL


def core_of(tile: Tile) -> tuple[slice, slice]:
    rows, columns = tile.rows, tile.columns
    return slice(4 * rows.start, 4 * rows.stop), slice(4 * columns.start, 4 * columns.stop)


def test_a_smooth_gradient_has_no_seams(network: nn.Module):
    ramp = torch.linspace(0.1, 0.9, 230).expand(3, 150, 230).contiguous()
    found, expected = tiled(network, ramp, Tiling(64)), whole(network, ramp)
    steps, expected_steps = (x[:, :, 1:] - x[:, :, :-1] for x in (found, expected))
    at_seams = [
        4 * tile.columns.stop - 1 for tile in list_tiles(150, 230, Tiling(64)) if tile.columns.stop < 230
    ]
    assert at_seams
    assert (steps - expected_steps)[:, :, at_seams].abs().max() < 0.25 * LEVEL


def test_a_network_without_gates_needs_one_pass_and_is_exact(photo: Tensor):
    torch.manual_seed(0)
    network = build("quicksrnet", {"residual": "bicubic"}).eval()
    seen: list[tuple[int, int]] = []
    found = tiled(network, photo, Tiling(64), seen=seen)
    assert torch.allclose(found, whole(network, photo), atol=1e-5)
    assert seen == [(done, 12) for done in range(1, 13)]


def test_a_picture_of_one_tile_is_computed_once(network: nn.Module, photo: Tensor):
    seen: list[tuple[int, int]] = []
    assert torch.equal(tiled(network, photo, Tiling(256), seen=seen), whole(network, photo))
    assert seen == [(1, 1)]


@pytest.mark.parametrize("effort", ["fast", "normal", "exact"])
def test_progress_ends_at_the_whole(network: nn.Module, photo: Tensor, effort: Effort):
    seen: list[tuple[int, int]] = []
    tiled(network, photo, Tiling(100, effort=effort), seen=seen)
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][0] == seen[-1][1]
    assert all(total >= done for done, total in seen)


def test_the_network_stays_as_it_was(network: nn.Module, photo: Tensor):
    before = whole(network, photo)
    tiled(network, photo, Tiling(100))
    assert not any("forward" in vars(module) for module in network.modules())
    assert torch.equal(whole(network, photo), before)


class Halved(nn.Module):
    """A network whose gate sees half the resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Brightness()

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(x[..., ::2, ::2])


class Brightness(ChannelGate):
    def gate(self, mean: Tensor, variance: Tensor) -> Tensor:
        return mean


def test_a_gate_at_another_resolution_is_refused(photo: Tensor):
    with pytest.raises(InputError, match=r"layer gate sees 59x61 px of a tile of 118x122.*allow more memory"):
        tiled(Halved(), photo, Tiling(50))


@pytest.mark.parametrize("make", [lambda: Tiling(0), lambda: Tiling(10, -1)])
def test_impossible_tiles_are_refused(make: Callable[[], Tiling]):
    with pytest.raises(InputError, match="give at least"):
        make()
