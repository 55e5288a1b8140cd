import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mfagan import checkpoint
from mfagan.coronetgan.importing import import_public, write_public
from mfagan.coronetgan.kinds import load_translator
from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.slices import extract
from mfagan.errors import InputError
from tests.coronetgan.importing.public_networks import ResnetGenerator, UnetGenerator, discriminator, shake

UNEQUAL = {"stem": 5, "down": 7, "res": 9, "inner1": 4, "inner2": 6, "up1": 8, "up2": 3}
"""Of a ResNet of 2 blocks, as pruning leaves them."""
LEVELS = {"down1": 3, "down2": 5, "down3": 4, "down4": 6, "up1": 2, "up2": 7, "up3": 3}
"""Of a U-Net of 4 levels."""


def save(network: nn.Module | Mapping[str, Tensor], path: Path, **options) -> Path:
    torch.save(network.state_dict() if isinstance(network, nn.Module) else network, path, **options)
    return path


def convert(path: Path, **options) -> Translator:
    out = path.with_suffix(".safetensors")
    checkpoint.save(out, import_public(path, **options))
    return load_translator(out)


def pictures(n: int = 1) -> Tensor:
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def assert_alike(found: Translator, public: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        assert (found(x) - public(x)).abs().max() < 1e-5


def bits(path: Path) -> dict[str, Tensor]:
    return torch.load(path, weights_only=True)


def assert_same_bits(one: Path, other: Path) -> None:
    found, expected = bits(one), bits(other)
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("n_blocks", [6, 9])
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("old_format", [False, True])
def test_a_resnet_of_cyclegan_goes_in_and_out(n_blocks: int, dropout: bool, old_format: bool, tmp_path: Path):
    widths = ResnetTranslator.full(4, n_blocks).widths
    public = shake(ResnetGenerator(widths, dropout=dropout)).eval()
    path = save(public, tmp_path / "latest_net_G_A.pth", _use_new_zipfile_serialization=not old_format)
    assert any(f"conv_block.{6 if dropout else 5}.weight" in name for name in bits(path))
    found = convert(path)
    assert isinstance(found, ResnetTranslator)
    assert (found.widths, found.n_blocks, found.norm, found.dropout) == (
        widths,
        n_blocks,
        "instance",
        dropout,
    )
    assert_alike(found, public, pictures(2))
    (line,) = write_public(found, tmp_path / "back.pth")
    assert_same_bits(tmp_path / "back.pth", path)
    assert f"--netG resnet_{n_blocks}blocks --ngf 4 --norm instance" in line
    assert ("--no_dropout" in line) is not dropout


@pytest.mark.parametrize("n_levels", [5, 7, 8])
def test_a_unet_of_pix2pix_goes_in_and_out(n_levels: int, tmp_path: Path):
    widths = UnetTranslator.full(2, n_levels).widths
    public = shake(UnetGenerator(widths))
    path = save(public, tmp_path / "latest_net_G.pth")
    found = convert(path)
    assert isinstance(found, UnetTranslator)
    assert (found.widths, found.norm, found.biases, found.dropout) == (widths, "batch", "last", True)
    (line,) = write_public(found, tmp_path / "back.pth")
    assert_same_bits(tmp_path / "back.pth", path)
    assert f"num_downs={n_levels}, ngf=2" in line
    assert ("--netG unet_256" in line) == (n_levels == 8)
    assert "with batch norm, to be tested without --eval" in line


def test_batch_norm_takes_the_statistics_that_are_asked_for(tmp_path: Path):
    public = shake(UnetGenerator(LEVELS))
    path = save(public, tmp_path / "latest_net_G.pth")
    found = convert(path)
    assert found.norm_at_inference == "image"
    public.train()  # as the public test runs it, but for the dropout
    for module in public.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    assert_alike(found, public, pictures())
    public.load_state_dict(bits(path))
    running = convert(path, norm_at_inference="running")
    assert running.norm_at_inference == "running"
    assert_alike(running, public.eval(), pictures())
    resnet = shake(ResnetGenerator(UNEQUAL, "batch", dropout=True)).eval()
    found = convert(save(resnet, tmp_path / "latest_net_G_B.pth"), norm_at_inference="running")
    assert_alike(found, resnet, pictures())
    with pytest.raises(InputError, match="norm_at_inference is 'running' with norm 'instance'"):
        import_public(save(ResnetGenerator(UNEQUAL), tmp_path / "x.pth"), "running")


@pytest.mark.parametrize("public", [ResnetGenerator(UNEQUAL), UnetGenerator(LEVELS)], ids=["resnet", "unet"])
def test_widths_may_be_unequal(public: nn.Module, tmp_path: Path):
    path = save(shake(public).eval(), tmp_path / "latest_net_G.pth")
    found = convert(path, norm_at_inference="running" if isinstance(public, UnetGenerator) else None)
    assert found.widths == (LEVELS if isinstance(public, UnetGenerator) else UNEQUAL)
    assert_alike(found, public, pictures())
    (line,) = write_public(found, tmp_path / "back.pth")
    assert_same_bits(tmp_path / "back.pth", path)
    assert ", ".join(f"{name} {width}" for name, width in found.widths.items()) in line


@pytest.mark.parametrize("kind", [ResnetTranslator, UnetTranslator])
def test_biases_that_pruning_dropped_are_written_as_zeros(kind, tmp_path: Path):
    full = shake(
        kind.full(8, norm="instance", **({"n_levels": 4} if kind is UnetTranslator else {"n_blocks": 2}))
    )
    widths = LEVELS if kind is UnetTranslator else UNEQUAL
    pruned = extract(full, widths).eval()
    assert pruned.biases == "unnormed"
    write_public(pruned, tmp_path / "latest_net_G.pth")
    public = (UnetGenerator if kind is UnetTranslator else ResnetGenerator)(widths, "instance", dropout=False)
    public.load_state_dict(bits(tmp_path / "latest_net_G.pth"))
    assert_alike(pruned, public.eval(), pictures())
    assert_alike(convert(tmp_path / "latest_net_G.pth"), public, pictures())


def test_statistics_of_instance_norms_and_the_prefix_of_parallel_training_are_dropped(tmp_path: Path):
    old = shake(ResnetGenerator(UNEQUAL, "old instance"))
    assert any("running_mean" in name for name in old.state_dict())
    path = save(nn.DataParallel(old), tmp_path / "latest_net_G_A.pth")
    assert all(name.startswith("module.") for name in bits(path))
    found = import_public(path)
    assert (found.network, found.role, found.config["norm"]) == (
        "resnet_translator",
        "imported_a",
        "instance",
    )
    assert found.record["imported_from"] == {"file": path.name, "sha256": checkpoint.sha256(path)}
    public = ResnetGenerator(UNEQUAL)
    public.load_state_dict(
        {name: one for name, one in old.state_dict().items() if name in public.state_dict()}
    )
    assert_alike(convert(path), public, pictures())


def test_old_files_that_count_no_batches(tmp_path: Path):
    state = shake(UnetGenerator(LEVELS)).state_dict()
    path = save({name: one for name, one in state.items() if "num_batches" not in name}, tmp_path / "x.pth")
    assert import_public(path).role == "imported"


def test_pictures_of_other_channels(tmp_path: Path):
    path = save(ResnetGenerator(UNEQUAL, channels=(1, 3)), tmp_path / "x.pth")
    assert import_public(path).config["in_channels"] == 1


def change(state: Mapping[str, Tensor], name: str, one: Tensor | None) -> dict[str, Tensor]:
    return {
        **{other: two for other, two in state.items() if other != name},
        **({} if one is None else {name: one}),
    }


@pytest.mark.parametrize(
    ("name", "one", "message"),
    [
        ("model.11.conv_block.5.weight", None, r"model.11.conv_block.5.weight is missing"),
        ("model.4.bias", None, r"missing: model.4.bias;"),
        ("model.1.weight", None, r"no generator is in it \(it begins with model.1.bias\)"),
        ("model.19.weight", torch.zeros(1), r"model.19.weight has the shape \(1,\), 4 axes are needed"),
        (
            "model.4.weight",
            torch.zeros(7, 5, 4, 4),
            r"model.4.weight has the shape \(7, 5, 4, 4\), \(7, 5, 3, 3\)",
        ),
        (
            "model.10.conv_block.5.weight",
            torch.zeros(8, 4, 3, 3),
            r"has the shape .*, \(9, 4, 3, 3\) is needed",
        ),
        ("model.7.bias", torch.full((9,), torch.nan), "model.7.bias holds values that are not finite"),
        ("extra.weight", torch.zeros(1), "not expected: extra.weight;"),
    ],
)
def test_weights_that_are_no_resnet(name: str, one: Tensor | None, message: str, tmp_path: Path):
    path = save(change(ResnetGenerator(UNEQUAL).state_dict(), name, one), tmp_path / "latest_net_G.pth")
    with pytest.raises(InputError, match=message) as caught:
        import_public(path)
    assert "latest_net_G.pth" in str(caught.value)


def test_weights_that_are_no_unet(tmp_path: Path):
    state = UnetGenerator(LEVELS).state_dict()
    name = "model.model.1.model.3.model.2.running_mean"
    with pytest.raises(InputError, match=f"missing: {name};"):
        import_public(save(change(state, name, None), tmp_path / "latest_net_G.pth"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (discriminator().state_dict(), r"a discriminator \(it begins with model.0.weight\), no generator"),
        ({}, "no generator is in it"),
        ([1], "holds list, not a dictionary"),
        ({"epoch": 3}, "epoch is int, not a weight"),
        (ResnetGenerator(UNEQUAL, pad=False).state_dict(), "its blocks are padded with zeros"),
        (
            ResnetGenerator(UNEQUAL, "none").state_dict(),
            "neither biases nor norms before its last convolution",
        ),
        (
            change(
                ResnetGenerator(UNEQUAL).state_dict(), "model.10.conv_block.1.conv.0.weight", torch.zeros(1)
            ),
            "its blocks are separable convolutions",
        ),
    ],
)
def test_files_without_a_generator(content: object, message: str, tmp_path: Path):
    torch.save(content, tmp_path / "latest_net_D.pth")
    with pytest.raises(InputError, match=message) as caught:
        import_public(tmp_path / "latest_net_D.pth")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_pytorch_files(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        import_public(tmp_path / "absent.pth")
    (tmp_path / "text.pth").write_text("not weights")
    with pytest.raises(InputError, match=r"weights .*text\.pth: "):
        import_public(tmp_path / "text.pth")
    with tarfile.open(tmp_path / "first.pth", "w") as archive:
        archive.add(tmp_path / "text.pth", "pickle")
    with pytest.raises(InputError, match=r"first\.pth: PyTorch's first format, a tar archive, is not read"):
        import_public(tmp_path / "first.pth")


@pytest.mark.parametrize(
    ("network", "numbering", "message"),
    [
        (
            ResnetTranslator.full(4, 1, upsampling="shuffle"),
            None,
            "with shuffle doublings is none of the public",
        ),
        (
            ResnetTranslator.full(4, 1, norm="batch", biases="all"),
            None,
            "have one bias, the last; this one has all",
        ),
        (UnetTranslator.full(2, 3), 5, "block numbering 5 of a unet_translator"),
        (ResnetTranslator.full(4, 1), 7, "block numbering 7 of a resnet_translator"),
    ],
)
def test_what_the_public_classes_have_not(network: Translator, numbering, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        write_public(network, tmp_path / "latest_net_G.pth", numbering)
    assert not (tmp_path / "latest_net_G.pth").exists()


def test_a_numbering_may_be_asked_for(tmp_path: Path):
    network = ResnetTranslator.full(4, 2)
    write_public(network, tmp_path / "six.pth", 6)
    ResnetGenerator(network.widths, dropout=True).load_state_dict(bits(tmp_path / "six.pth"))
