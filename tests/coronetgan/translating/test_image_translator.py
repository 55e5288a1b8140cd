"""`mfagan.load(path)(picture)`."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfagan.coronetgan.network import ResnetTranslator, Translator
from mfagan.coronetgan.translating.image_translator import ImageTranslator
from mfagan.data.images import to_uint8
from mfagan.errors import InputError
from tests.coronetgan.saved import small_resnet, small_unet
from tests.pictures import draw, tensor

CPU = torch.device("cpu")


def model_of(network: Translator) -> ImageTranslator:
    return ImageTranslator(network, device=CPU)


@pytest.fixture(scope="module")
def model() -> ImageTranslator:
    return model_of(small_resnet())


def by_hand(network: Translator, picture: torch.Tensor) -> torch.Tensor:
    """(3, H, W) in [0, 1] -> the same."""
    with torch.no_grad():
        return ((network(picture[None] * 2 - 1)[0] + 1) / 2).clamp(0, 1)


@pytest.fixture(scope="module")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return draw(tmp_path_factory.mktemp("pictures") / "a.png", 24, 20)


def test_every_type_of_picture_gives_its_own_type(model: ImageTranslator, pixels: np.ndarray, tmp_path: Path):
    picture = tensor(pixels)
    expected = by_hand(model.network, picture)
    levels = to_uint8(expected).permute(1, 2, 0).numpy().astype(int)

    def close(found: np.ndarray) -> bool:
        return found.dtype == np.uint8 and bool((abs(found.astype(int) - levels) <= 1).all())

    assert torch.allclose(model(picture), expected, atol=1e-4)
    assert torch.allclose(model(picture[None].double()), expected[None].double(), atol=1e-4)
    assert close(model(pixels))
    assert close(model(pixels[None])[0])
    assert np.allclose(model(pixels.astype(np.float64) / 255), expected.permute(1, 2, 0).numpy(), atol=1e-4)
    made = model(Image.fromarray(pixels))
    assert (made.mode, made.size) == ("RGB", (24, 20))
    assert close(np.asarray(made))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert close(np.asarray(model(tmp_path / "a.png")))
    assert close(np.asarray(model(str(tmp_path / "a.png"))))


def test_grey_becomes_colours_and_transparency_is_left_out(model: ImageTranslator, pixels: np.ndarray):
    grey = pixels[:, :, 0]
    expected = model(np.repeat(grey[:, :, None], 3, 2))
    assert (model(grey) == expected).all()
    assert (np.asarray(model(Image.fromarray(grey))) == expected).all()
    clear = Image.fromarray(pixels).convert("RGBA")
    clear.putalpha(7)
    assert (np.asarray(model(clear)) == model(pixels)).all()


def test_a_picture_lies_as_its_exif_data_say(model: ImageTranslator, pixels: np.ndarray, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as opened:
        assert model(opened).size == (20, 24)
        assert (np.asarray(model(opened)) == np.asarray(model(tmp_path / "turned.png"))).all()


@pytest.mark.parametrize("network", [small_resnet(), small_unet()], ids=lambda one: one.KIND)
@pytest.mark.parametrize(("height", "width"), [(21, 30), (1, 50), (17, 16), (2, 3)])
def test_any_size_is_kept_by_reflection_and_a_cut(network: Translator, height: int, width: int):
    picture = torch.rand(3, height, width)
    multiple = network.multiple_px
    rows, columns = (max(-(-side // multiple) * multiple, network.min_side_px) for side in (height, width))
    extended = np.pad(
        picture.numpy(),
        ((0, 0), (0, rows - height), (0, columns - width)),
        "reflect",
    )
    expected = by_hand(network, torch.from_numpy(extended))[:, :height, :width]
    assert torch.allclose(model_of(network)(picture), expected, atol=1e-4)


def test_networks_of_grey_pictures():
    colour = torch.rand(3, 16, 16)
    network = small_resnet(in_channels=1, out_channels=1)
    grey = (colour * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True)
    expected = by_hand(network, grey).expand(3, -1, -1)
    assert torch.allclose(model_of(network)(colour), expected, atol=1e-4)
    with pytest.raises(InputError, match="the network reads 6 channels; give one of 1 or 3"):
        model_of(ResnetTranslator.full(4, 1, in_channels=6))


def test_costs_are_those_of_the_size(model: ImageTranslator):
    costs = model.costs(64, 64)
    assert model.n_parameters == costs["input"].params == 50_947
    assert (costs["input"].macs, costs["output"].macs) == (23_789_568, 30_867_456)
    with pytest.raises(InputError, match="multiples of 4 px"):
        model.costs(50, 64)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.int32), "dtype int32"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\)"),
        (np.full((8, 8, 3), 2.0), "values from 2 to 2: give floats in"),
        (np.full((8, 8, 3), np.nan), "values from nan"),
        (torch.zeros(1, 8, 8), r"shape \(1, 8, 8\)"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), "dtype uint8"),
        (-torch.ones(3, 8, 8), r"for a network's own range add 1 and halve"),
        (Image.new("F", (8, 8)), "Pillow's mode F"),
        ([1, 2], "of type list"),
        ("absent.png", "cannot read image absent.png"),
    ],
)
def test_what_is_no_picture(model: ImageTranslator, image: object, message: str):
    with pytest.raises(InputError, match=message) as caught:
        model(image)  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert "\n" not in str(caught.value)
