"""`import mfagan`: the public names, what they take and return, and what importing them loads."""

import inspect
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import mfagan
from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.data.images import read_image, to_uint8
from mfagan.data.splits import read_pairs
from mfagan.evaluation.scores import super_resolve
from mfagan.sr.kinds import KINDS, build, load_generator
from mfagan.sr.shipped import SUPERGENERATOR
from tests import ROOT

NAMES = {"Exported", "InputError", "Model", "Tiling", "__version__", "costs", "export", "load", "upscale"}
NAMES |= {"FineTuned", "ImageGenerator", "ImageTranslator", "finetune", "reprice", "search_problem"}
"""The promise to users: a name may be added here, none may go."""
HEAVY = (
    "torch",
    "numpy",
    "PIL",
    "pydantic",
    "tensorflow",
    "lpips",
    "torchvision",
    "ai_edge_litert",
    "optuna",
)


@pytest.fixture(scope="module")
def model() -> mfagan.Model:
    return mfagan.load(widths=24, device="cpu")


@pytest.fixture
def picture() -> np.ndarray:
    """(13, 18, 3) uint8."""
    coarse = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.array(Image.fromarray(coarse).resize((18, 13), Image.Resampling.BICUBIC))


def tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1) / 255


def loaded_after(code: str) -> set[str]:
    """The packages that a fresh interpreter holds after running `code`."""
    code += "; import sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_public_names_stay():
    assert set(mfagan.__all__) == NAMES
    assert set(dir(mfagan)) >= NAMES
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mfagan.nothing  # noqa: B018 # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", sorted(NAMES - {"__version__", "InputError"}))
def test_public_names_are_documented(name: str):
    """The first line stands alone, and every parameter is named."""
    value = getattr(mfagan, name)
    text = inspect.getdoc(value) or ""
    first, _, rest = text.partition("\n\n")
    assert first.endswith(".")
    assert "\n" not in first
    for parameter in inspect.signature(value).parameters:
        assert f"\n    {parameter}: " in rest, parameter
    if inspect.isfunction(value):
        assert "\nReturns:\n" in rest
        assert "\nRaises:\n" in rest
    for other, method in inspect.getmembers(value, inspect.isfunction) if inspect.isclass(value) else ():
        assert other.startswith("_") or inspect.getdoc(method), other


def test_the_version_is_the_package_s():
    with open(ROOT / "pyproject.toml", "rb") as file:
        assert mfagan.__version__ == tomllib.load(file)["project"]["version"]


def test_importing_loads_nothing():
    assert loaded_after("import mfagan; mfagan.__version__; dir(mfagan)").isdisjoint(HEAVY)
    plain = loaded_after("import typing, importlib")
    assert loaded_after("import mfagan") - plain == {"mfagan"}


def test_loading_a_model_loads_no_exporter_and_no_search():
    found = loaded_after("import mfagan; mfagan.load(device='cpu'); mfagan.costs()")
    assert "torch" in found
    assert found.isdisjoint(
        {"tensorflow", "lpips", "torchvision", "ai_edge_litert", "optuna", "plotly", "search"}
    )


def test_both_packages_carry_their_types():
    assert (ROOT / "mfagan" / "py.typed").is_file()


def test_a_model_says_what_it_is(model: mfagan.Model):
    assert (model.scale, model.widths, model.kind) == (4, (24,) * 8, "mfanet")
    assert (model.input_range, model.output_range) == ((0, 1), (0, 1))
    assert model.n_parameters == mfagan.costs(model).params
    text = repr(model)
    for part in ("mfanet", "scale=4", "widths=24,24", f"{model.n_parameters:,}", "[0, 1]", "cpu", "path="):
        assert part in text
    assert "\n" not in text


def test_a_slice_may_be_numbers_or_text():
    mixed = [48, 24, 24, 24, 32, 48, 48, 24]
    assert mfagan.load(widths=mixed).widths == tuple(mixed)
    assert mfagan.load("supergenerator", widths=",".join(map(str, mixed))).widths == tuple(mixed)
    assert mfagan.load(SUPERGENERATOR).widths == (48,) * 8
    assert mfagan.load(device=torch.device("cpu")).device == torch.device("cpu")


def test_the_output_is_the_network_s_clamped(model: mfagan.Model, picture: np.ndarray):
    x = tensor(picture)
    expected = super_resolve(load_generator(SUPERGENERATOR, "24"), x).clamp(0, 1)
    found = model(x)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert not found.requires_grad
    assert np.array_equal(model(picture), to_uint8(found).permute(1, 2, 0).numpy())
    assert np.array_equal(np.asarray(model(Image.fromarray(picture))), model(picture))
    floats = model((picture / 255).astype(np.float32))
    np.testing.assert_allclose(floats, found.permute(1, 2, 0).numpy(), atol=1e-6)


def test_types_shapes_and_dtypes_return_as_they_came(model: mfagan.Model, picture: np.ndarray):
    x = tensor(picture)
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        found = model(x.to(dtype))
        assert (found.dtype, found.shape) == (dtype, (3, 52, 72))
    assert model(x[None].repeat(2, 1, 1, 1)).shape == (2, 3, 52, 72)
    for dtype in (np.float32, np.float64, np.float16):
        found = model((picture / 255).astype(dtype))
        assert (found.dtype, found.shape) == (dtype, (52, 72, 3))
        assert found.min() >= 0
        assert found.max() <= 1
    batch = model(np.stack([picture, picture[::-1]]))
    assert batch.shape == (2, 52, 72, 3)
    assert np.abs(batch[0].astype(int) - model(picture)).max() <= 1
    # Views, other memory orders and read-only arrays are arrays too.
    turned = np.asfortranarray(picture[::-1, ::-1])
    turned.setflags(write=False)
    assert np.array_equal(model(turned), model(np.ascontiguousarray(turned)))


def test_tiles_give_what_a_call_gives(model: mfagan.Model):
    photo = to_uint8(read_pairs("embedded")[0].hr[:, 40:120, 100:190]).permute(1, 2, 0).numpy()
    tiling = mfagan.Tiling(tile_px=50, effort="exact")
    for image in (photo, photo[:, :, 0], photo / 255, np.stack([photo, photo[::-1]])):
        found, expected = model.upscale(image, tiling), model(image)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        step = 1 if found.dtype == np.uint8 else 1 / 255
        assert np.abs(found.astype(float) - expected).max() <= step
    whole = model.upscale(Image.fromarray(photo))
    assert np.array_equal(np.asarray(whole), model(photo))
    x = tensor(photo)
    assert (model.upscale(x, tiling) - model(x)).abs().max() < 0.1 / 255


def test_grey_stays_grey(model: mfagan.Model, picture: np.ndarray):
    grey = picture[:, :, 0]
    found = model(grey)
    assert (found.dtype, found.shape) == (np.uint8, (52, 72))
    colours = model(np.repeat(grey[:, :, None], 3, 2)).astype(float)
    np.testing.assert_allclose(found, colours @ [0.299, 0.587, 0.114], atol=1)
    image = model(Image.fromarray(grey))
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), found)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "LA", "RGBA"])
def test_every_kind_of_pillow_image(model: mfagan.Model, picture: np.ndarray, mode: str):
    image = Image.fromarray(picture).convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(picture[:, :, 0]))
    found = model(image)
    assert found.size == (72, 52)
    assert found.mode == {"1": "L", "L": "L", "LA": "LA", "RGBA": "RGBA"}.get(mode, "RGB")
    if mode in ("LA", "RGBA"):
        expected = Image.fromarray(picture[:, :, 0]).resize((72, 52), Image.Resampling.BICUBIC)
        assert np.array_equal(np.asarray(found)[:, :, -1], np.asarray(expected))


def test_a_transparent_palette_keeps_its_transparency(model: mfagan.Model, picture: np.ndarray):
    image = Image.fromarray(picture).convert("P")
    image.info["transparency"] = 3
    assert model(image).mode == "RGBA"


def test_a_turned_photo_is_upright(model: mfagan.Model, picture: np.ndarray, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as turned:
        found = model(turned)
    assert found.size == (52, 72)
    assert found.tobytes() == mfagan.upscale(tmp_path / "turned.png", model).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_every_size_and_every_kind(kind: str, tmp_path: Path):
    config = {"widths": [8] * 8} if kind == "mfanet" else {"n_blocks": 1, "features": 8}
    network = build(kind, config | {"scale": 2, "residual": "bicubic"})
    path = tmp_path / f"{kind}.safetensors"
    checkpoint.save(path, Checkpoint(network.KIND, "x", network.config(), network.state_dict()))
    model = mfagan.load(path, device="cpu")
    assert (model.scale, model.kind, model.path) == (2, kind, path)
    assert (model.widths is None) == (kind != "mfanet")
    assert kind in repr(model)
    for height, width in ((1, 1), (1, 9), (2, 3), (15, 14), (17, 31)):
        found = model(torch.full((3, height, width), 0.5))
        assert found.shape == (3, 2 * height, 2 * width)
        assert found.isfinite().all()


def test_upscale_takes_what_a_model_takes_and_paths(
    model: mfagan.Model, picture: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Image.fromarray(picture).save(tmp_path / "small.png")
    for path in (tmp_path / "small.png", str(tmp_path / "small.png")):
        assert np.array_equal(np.asarray(mfagan.upscale(path, model)), model(picture))
    assert np.array_equal(mfagan.upscale(picture, model), model(picture))
    full = mfagan.load()(picture)
    assert np.array_equal(mfagan.upscale(picture), full)
    assert np.array_equal(mfagan.upscale(picture, str(SUPERGENERATOR)), full)
    assert np.array_equal(mfagan.upscale(picture, "supergenerator"), full)
    with pytest.raises(mfagan.InputError, match=r"cannot read image .*absent\.png"):
        mfagan.upscale(tmp_path / "absent.png", model)


def test_costs_are_the_command_s(run):
    expected = json.loads(
        run("costs", "--widths", "24", "--residual", "bicubic", "--size", "32x48", "--json").out
    )
    assert mfagan.costs(mfagan.load(widths=24), size=(32, 48)).as_dict() == expected
    assert mfagan.costs(SUPERGENERATOR).params == mfagan.costs().params


BAD_IMAGES = {
    "list": ([[1]], "of type list"),
    "integers": (np.zeros((4, 4, 3), np.int64), "dtype int64"),
    "sixteen bits": (np.zeros((4, 4, 3), np.uint16), "dtype uint16"),
    "channels first": (np.zeros((3, 8, 8), np.uint8), r"shape \(3, 8, 8\)"),
    "four channels": (np.zeros((8, 8, 4), np.uint8), r"shape \(8, 8, 4\)"),
    "empty": (np.zeros((0, 8, 3), np.uint8), r"shape \(0, 8, 3\)"),
    "a line": (np.zeros(3), r"shape \(3,\)"),
    "large floats": (np.full((8, 8, 3), 200.0), "from 200 to 200: give floats in"),
    "negative floats": (torch.full((3, 8, 8), -0.5), "from -0.5 to -0.5"),
    "not finite": (torch.full((3, 8, 8), torch.nan), "from nan to nan"),
    "channels last": (torch.zeros(8, 8, 3), r"shape \(8, 8, 3\): give \(3, H, W\)"),
    "integer tensor": (torch.zeros(3, 8, 8, dtype=torch.uint8), "dtype uint8"),
    "empty tensor": (torch.zeros(0, 3, 8, 8), r"shape \(0, 3, 8, 8\)"),
    "32-bit picture": (Image.new("I", (8, 8)), "mode I, whose range is not known"),
    "16-bit picture": (Image.new("I;16", (8, 8)), "mode I;16"),
    "float picture": (Image.new("F", (8, 8)), "mode F"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_what_is_no_picture_is_refused(model: mfagan.Model, name: str):
    image, message = BAD_IMAGES[name]
    with pytest.raises(mfagan.InputError, match=message) as caught:
        model(image)  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert "\n" not in str(caught.value)


def test_what_cannot_be_loaded_is_refused(tmp_path: Path, trained: Path):
    for arguments, message in (
        ({"path": "supergen"}, r"model 'supergen': no such file; .*\(supergenerator, free, perceptual\)"),
        ({"path": tmp_path / "a.safetensors"}, r"a\.safetensors: no such file"),
        ({"path": trained / "discriminator.safetensors"}, "its network is 'patchgan', a generator is needed"),
        ({"widths": 7}, "trunk is 7, which is not one of"),
        ({"widths": [24, 24]}, "2 numbers given, 8 needed"),
        ({"widths": "a"}, "give 8 whole numbers"),
        ({"device": "meta"}, "'meta' cannot be used"),
    ):
        with pytest.raises(mfagan.InputError, match=message):
            mfagan.load(**arguments)  # pyright: ignore[reportArgumentType, reportCallIssue]
    for size in ((3, 128), (128,), "128x128", 128, None):
        with pytest.raises(mfagan.InputError, match=r"give \(height, width\) in px"):
            mfagan.costs(size=size)  # pyright: ignore[reportArgumentType]


def test_export_writes_a_file_that_computes_the_same(
    model: mfagan.Model, tmp_path: Path, picture: np.ndarray
):
    from mfagan.deploy.tflite import litert

    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    found = mfagan.export(model, tmp_path / "new" / "net.tflite", size=(13, 18))
    assert found.path == tmp_path / "new" / "net.tflite"
    assert found.size == (13, 18)
    assert found.n_bytes == found.path.stat().st_size
    assert found.max_abs_difference < 1e-4
    output = litert.run(found.path.read_bytes(), [tensor(picture)])
    torch.testing.assert_close(output.clamp(0, 1), model(tensor(picture)), rtol=0, atol=1e-4)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.network.state_dict().items())


def test_an_export_in_int8_is_calibrated_on_bundled_photographs(model: mfagan.Model, tmp_path: Path):
    found = mfagan.export(model, tmp_path / "net.tflite", size=(16, 16), precision="int8")
    assert 1e-4 < found.max_abs_difference < 0.5
    card = json.loads((tmp_path / "net.tflite.card.json").read_text())
    assert len(card["calibrated_on"]) == 6


def test_export_checks_its_place_first(tmp_path: Path):
    copy = tmp_path / "net.safetensors"
    copy.write_bytes(SUPERGENERATOR.read_bytes())
    for out, message in ((copy, "is the input"), ("/dev/null/net.tflite", "cannot write /dev/null")):
        with pytest.raises(mfagan.InputError, match=message):
            mfagan.export(copy, out)
    assert copy.read_bytes() == SUPERGENERATOR.read_bytes()
    peer = build("imdn", {"n_blocks": 1, "features": 8})
    checkpoint.save(tmp_path / "peer.safetensors", Checkpoint("imdn", "x", peer.config(), peer.state_dict()))
    exported = mfagan.export(tmp_path / "peer.safetensors", tmp_path / "peer.tflite", size=(16, 16))
    assert exported.max_abs_difference < 1e-4


def test_the_registry_knows_every_kind():
    from mfagan.shipped import SYSTEMS

    assert SYSTEMS["mfagan.sr"] == KINDS


def test_read_image_and_upscale_agree_on_real_photos(tmp_path: Path, model: mfagan.Model):
    Image.new("RGBA", (20, 17), (200, 30, 60, 128)).save(tmp_path / "clear.png")
    found = mfagan.upscale(tmp_path / "clear.png", model)
    assert found.mode == "RGB"
    expected = model(read_image(tmp_path / "clear.png"))
    assert np.array_equal(np.asarray(found), to_uint8(expected).permute(1, 2, 0).numpy())
