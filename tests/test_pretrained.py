"""Loading of pretrained backbones, tested with RANDOM weights saved in the published format.

No figure computed from these weights means anything.
"""

import hashlib
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from mfagan import pretrained
from mfagan.errors import InputError
from mfagan.networks.vgg import VggBackbone

ALEXNET = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
VGG = {
    "vgg19": {64: (0, 2), 128: (5, 7), 256: (10, 12, 14, 16), 512: (19, 21, 23, 25, 28, 30, 32, 34)},
    "vgg16": {64: (0, 2), 128: (5, 7), 256: (10, 12, 14), 512: (17, 19, 21, 24, 26, 28)},
}
"""Backbone -> width -> torchvision's indices of its convolutions; the first of each block but the first is pooled."""
POOLED = {"vgg19": (5, 10, 19, 28), "vgg16": (5, 10, 17, 24)}


def vgg_shapes(backbone: str) -> dict[int, tuple[int, int, int]]:
    shapes, channels = {}, 3
    for width, places in VGG[backbone].items():
        for place in places:
            shapes[place] = (width, channels, 3)
            channels = width
    return shapes


def random_state(shapes: dict[int, tuple[int, int, int]]) -> dict[str, Tensor]:
    """RANDOM weights under the published names, the classifier's stub included."""
    random = torch.Generator().manual_seed(0)
    state = {"classifier.1.weight": torch.zeros(1).expand(4096, 9216)}
    for place, (width, channels, kernel) in shapes.items():
        scale = (2 / (channels * kernel**2)) ** 0.5
        weight = torch.randn(width, channels, kernel, kernel, generator=random)
        state[f"features.{place}.weight"] = scale * weight
        state[f"features.{place}.bias"] = 0.1 * torch.randn(width, generator=random)
    return state


def prefix(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def images(side: int, seed: int = 0) -> Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def vgg19_state() -> dict[str, Tensor]:
    return random_state(vgg_shapes("vgg19"))


@pytest.fixture(scope="module")
def vgg19_file(vgg19_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "vgg19-random.pth"
    torch.save(vgg19_state, path, _use_new_zipfile_serialization=False)  # as old as the published file
    return path


@pytest.fixture(scope="module")
def alexnet_state() -> dict[str, Tensor]:
    return random_state(ALEXNET)


@pytest.fixture(scope="module")
def alexnet_file(alexnet_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "alexnet-random.pth"
    torch.save(alexnet_state, path)
    return path


def test_torchvision_and_lpips_import_in_a_fresh_process():
    code = (
        "from mfagan.pretrained import import_torchvision\n"
        "first = import_torchvision()\n"
        "import lpips, torchvision\n"
        "assert first is torchvision is import_torchvision()\n"
        "print(torchvision.models.alexnet(weights=None).features[0].out_channels, lpips.LPIPS.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "64 LPIPS\n"), done.stderr


def test_a_torchvision_without_its_operators_gets_them(tmp_path: Path):
    needs = (
        "import torch\nfor n in ('nms', 'qnms'): torch.library.register_fake(f'torchvision::{n}')(print)\n"
    )
    (tmp_path / "torchvision.py").write_text(needs + "version = 2", encoding="utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from mfagan.pretrained import import_torchvision\n"
        "print(import_torchvision().version)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


@pytest.fixture
def other_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that is imported as torchvision while the test runs."""
    before = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "torchvision"
    }
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "torchvision.py"
    sys.modules.pop("torchvision", None)
    sys.modules.update(before)


def test_a_torchvision_that_works_is_left_alone(other_torchvision: Path, monkeypatch: pytest.MonkeyPatch):
    other_torchvision.write_text("version = 1", encoding="utf-8")
    monkeypatch.setattr(torch.library, "Library", None)  # declaring an operator would fail
    assert pretrained.import_torchvision().version == 1


def test_another_failure_of_torchvision_is_not_hidden(other_torchvision: Path):
    other_torchvision.write_text("raise RuntimeError('another failure')", encoding="utf-8")
    with pytest.raises(RuntimeError, match="another failure"):
        pretrained.import_torchvision()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("vgg19", "vgg19-dcbb9e9d.pth"),
        ("vgg16", "vgg16-397923af.pth"),
        ("vgg16", "vgg16-features-fp16.safetensors"),
        ("alexnet", "alexnet-owt-7be5be79.pth"),
        ("alexnet", "alexnet-features.pth"),
    ],
)
def test_weights_are_found_where_torch_hub_keeps_them(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert pretrained.find_weights(name) is None
    path = tmp_path / "hub" / "checkpoints" / file
    path.parent.mkdir(parents=True)
    path.touch()
    assert pretrained.find_weights(name) == path
    missing = pretrained.describe_missing(name)
    assert "\n" not in missing
    published = pretrained.PUBLISHED[name]
    assert f"put {published} in {path.parent}" in missing
    assert f"`mfagan weights get {name}`" in missing
    (path.parent / published).touch()
    assert pretrained.find_weights(name) == path.parent / published  # torchvision's goes first


def test_default_cache_is_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert f"{tmp_path}/.cache/torch/hub/checkpoints" in pretrained.describe_missing("vgg19")


def test_an_explicit_path_goes_before_the_cache(tmp_path: Path):
    path = tmp_path / "mine.pth"
    path.touch()
    assert pretrained.find_weights("vgg19", path) == pretrained.find_weights("vgg19", str(path)) == path


def test_an_explicit_path_must_be_a_file(tmp_path: Path):
    for path in (tmp_path / "absent.pth", tmp_path):
        with pytest.raises(InputError) as caught:
            pretrained.find_weights("vgg19", path)
        assert str(caught.value) == f"weights {path}: no such file; give the path of vgg19-dcbb9e9d.pth"


def test_an_unknown_backbone_is_refused():
    for call in (pretrained.find_weights, pretrained.describe_missing):
        with pytest.raises(InputError, match="backbone 'vgg11': choose from vgg19, vgg16, alexnet"):
            call("vgg11")


def maps_written_out(backbone: str, state: dict[str, Tensor], x: Tensor) -> dict[int, Tensor]:
    """Every map before its activation, by torchvision's index."""
    found = {}
    for place in vgg_shapes(backbone):
        if place in POOLED[backbone]:
            x = F.max_pool2d(x, 2)
        weight, bias = (state[f"features.{place}.{name}"].float() for name in ("weight", "bias"))
        found[place] = F.conv2d(x, weight, bias, padding=1)
        x = found[place].relu()
    return found


def test_vgg19_features_agree_with_layers_written_out(vgg19_file: Path, vgg19_state: dict[str, Tensor]):
    features = pretrained.load_vgg("vgg19", vgg19_file, ["conv5_4"], prefix(vgg19_file))
    x = images(37)
    (found,) = features(x)
    assert found.shape == (2, 512, 2, 2)
    assert (found < 0).any()  # before its activation
    torch.testing.assert_close(found, maps_written_out("vgg19", vgg19_state, x)[34])
    assert not features.training
    assert not any(parameter.requires_grad for parameter in features.parameters())


def test_several_layers_of_vgg16_are_read_in_the_order_asked_for(tmp_path: Path):
    state = {
        name: tensor.half()
        for name, tensor in random_state(vgg_shapes("vgg16")).items()
        if name.startswith("features.")
    }
    path = tmp_path / "vgg16-random.safetensors"
    save_file(state, path)
    layers = {"conv5_3": 28, "conv1_2": 2, "conv3_1": 10}
    features = pretrained.load_vgg("vgg16", path, list(layers), prefix(path))
    x = images(37)
    found, expected = features(x), maps_written_out("vgg16", state, x)
    assert len(found) == 3
    for one, index in zip(found, layers.values(), strict=True):
        torch.testing.assert_close(one, expected[index])
    assert {parameter.dtype for parameter in features.parameters()} == {torch.float32}
    shallow = pretrained.load_vgg("vgg16", path, ["conv1_2"], prefix(path))
    assert sum(parameter.numel() for parameter in shallow.parameters()) == 38_720  # no layer that is not read
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"damaged\.safetensors: not a PyTorch state dict \("):
        pretrained.load_vgg("vgg16", damaged, ["conv1_2"], prefix(damaged))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["conv5_4"], "vgg16 has no layer 'conv5_4': choose from conv1_1, conv1_2, conv2_1, "),
        (["conv5_3", "relu1_1"], "vgg16 has no layer 'relu1_1': choose from "),
        ([], "no layer of vgg16 is given: choose from conv1_1, "),
    ],
)
def test_a_layer_that_a_backbone_lacks_is_refused(layers: list[str], message: str, tmp_path: Path):
    with pytest.raises(InputError) as caught:
        pretrained.load_vgg("vgg16", tmp_path / "absent.pth", layers)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("conv5_3")


def lpips_written_out(x: Tensor, y: Tensor, state: dict[str, Tensor]) -> Tensor:
    """Zhang et al. 2018, equation (1), with the linear weights of the lpips package."""
    import lpips

    folder = Path(lpips.__file__).parent
    linear = torch.load(folder / "weights" / "v0.1" / "alex.pth", map_location="cpu", weights_only=True)
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
    x, y = (x - shift) / scale, (y - shift) / scale
    total = torch.zeros(len(x))
    for layer, (place, (_, _, kernel)) in enumerate(ALEXNET.items()):
        weight, bias = (state[f"features.{place}.{name}"] for name in ("weight", "bias"))
        if place in (3, 6):
            x, y = F.max_pool2d(x, 3, 2), F.max_pool2d(y, 3, 2)
        stride, padding = (4, 2) if place == 0 else (1, kernel // 2)
        x, y = (F.conv2d(z, weight, bias, stride, padding).relu() for z in (x, y))
        difference = F.normalize(x, dim=1, eps=1e-10) - F.normalize(y, dim=1, eps=1e-10)
        total += F.conv2d(difference.square(), linear[f"lin{layer}.model.1.weight"]).mean((1, 2, 3))
    return total


def test_lpips_agrees_with_its_formula(alexnet_file: Path, alexnet_state: dict[str, Tensor]):
    metric = pretrained.load_lpips(alexnet_file, sha256_prefix=prefix(alexnet_file))
    x, y = (2 * images(48, seed) - 1 for seed in (0, 1))
    distances = metric(x, y)
    assert distances.shape == (2,)
    torch.testing.assert_close(distances, lpips_written_out(x, y, alexnet_state))
    torch.testing.assert_close(metric(y, x), distances)
    assert (distances > 0).all()
    assert not metric(x, x).any()
    assert metric.name == "LPIPS alex v0.1"
    assert not metric.training
    assert not any(parameter.requires_grad for parameter in metric.parameters())


def test_loading_is_silent_and_draws_no_random_numbers(alexnet_file: Path, vgg19_file: Path, capsys):
    before = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pretrained.load_lpips(alexnet_file, sha256_prefix=prefix(alexnet_file))
        pretrained.load_vgg("vgg19", vgg19_file, ["conv5_4"], prefix(vgg19_file))
    assert torch.equal(torch.get_rng_state(), before)
    assert capsys.readouterr() == ("", "")


def test_lpips_knows_no_other_net(alexnet_file: Path):
    with pytest.raises(InputError, match="LPIPS net 'vgg'"):
        pretrained.load_lpips(alexnet_file, net="vgg")  # pyright: ignore[reportArgumentType]


def load_conv5(backbone: VggBackbone) -> Callable[[Path], object]:
    return lambda path: pretrained.load_vgg(backbone, path, ["conv5_1"])


@pytest.mark.parametrize(
    ("load", "name", "hashes", "files"),
    [
        (load_conv5("vgg19"), "vgg19", "dcbb9e9d...", "vgg19-dcbb9e9d.pth"),
        (
            load_conv5("vgg16"),
            "vgg16",
            "397923af... or f0fa35ab...",
            "vgg16-397923af.pth or vgg16-features-fp16.safetensors",
        ),
        (
            pretrained.load_lpips,
            "alexnet",
            "7be5be79... or 32f45cf7...",
            "alexnet-owt-7be5be79.pth or alexnet-features.pth",
        ),
    ],
)
def test_another_hash_than_the_published_is_refused(
    load: Callable[[Path], object], name: str, hashes: str, files: str, tmp_path: Path
):
    path = tmp_path / "random.pth"
    path.write_bytes(b"anything")
    found = hashlib.sha256(b"anything").hexdigest()
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value) == (
        f"weights {path}: its SHA-256 is {found}, {hashes} is expected; give the file {files}, which "
        f"`mfagan weights get {name}` downloads"
    )


def test_either_known_file_of_alexnet_is_read_unasked(alexnet_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(pretrained.CONVOLUTIONS, "alexnet", ("alexnet-features.pth", prefix(alexnet_file)))
    assert pretrained.load_lpips(alexnet_file).name == "LPIPS alex v0.1"
    assert pretrained.known_files("alexnet") == {
        "alexnet-owt-7be5be79.pth": "7be5be79",
        "alexnet-features.pth": prefix(alexnet_file),
    }


def test_files_that_hold_no_vgg19_are_refused(tmp_path: Path, alexnet_state: dict[str, Tensor]):
    def refusal(content: object) -> str:
        path = tmp_path / "weights.pth"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        with pytest.raises(InputError) as caught:
            pretrained.load_vgg("vgg19", path, ["conv5_4"], prefix(path))
        message = str(caught.value)
        assert "\n" not in message
        assert message.startswith(f"weights {path}: ")
        return message.removeprefix(f"weights {path}: ")

    assert refusal(b"not a pickle").startswith("not a PyTorch state dict (")
    assert refusal(b"").startswith("not a PyTorch state dict (")
    assert refusal(b"PK\x03\x04 half a zip file").startswith("not a PyTorch state dict (")
    assert refusal({"code": Path("x")}).startswith("not a PyTorch state dict (")  # would run code
    assert refusal([1, 2]).startswith("holds list, not a state dict")
    assert refusal({"epoch": 3}).startswith("holds dict, not a state dict")
    assert refusal({}) == "features.0.weight is missing; give the published file"
    shape = "features.0.weight has shape (64, 3, 11, 11), not (64, 3, 3, 3); give the published file"
    assert refusal(alexnet_state) == shape


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(InputError) as caught:
        pretrained.load_lpips(tmp_path / "absent.pth")
    assert str(caught.value) == (
        f"weights {tmp_path}/absent.pth: No such file or directory; give the path of alexnet-owt-7be5be79.pth "
        "or alexnet-features.pth"
    )


@pytest.mark.parametrize("package", ["lpips", "torchvision"])
def test_a_missing_package_is_named_with_what_to_install(
    package: str, alexnet_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=f"pip install --force-reinstall {package}") as caught:
        pretrained.load_lpips(alexnet_file, sha256_prefix=prefix(alexnet_file))
    assert "\n" not in str(caught.value)
