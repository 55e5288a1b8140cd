"""`mfagan coronetgan evaluate`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import mfagan
from mfagan.evaluation.inception import InceptionFeatures, frechet_distance, kernel_distance
from tests import tiny
from tests.command import Run
from tests.coronetgan.saved import small_resnet, write
from tests.inception_file import write_inception
from tests.pictures import draw, tensor

EVALUATE = ("coronetgan", "evaluate")
SIDE = 32


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An unpruned network, and a narrower one."""
    folder = tmp_path_factory.mktemp("networks")
    record: dict[str, object] = {"recipe": {"crop_px": SIDE}}
    dense, narrow = small_resnet(), small_resnet(1)
    widths = {name: width // 2 for name, width in narrow.widths.items()}
    halved = narrow.with_widths(widths).eval()
    return write(folder / "dense.safetensors", dense, "dense_b", record), write(
        folder / "pruned.safetensors", halved, "pruned_b", record
    )


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inception(tmp_path_factory.mktemp("inception") / "random.pth")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A and B side by side, three to test."""
    root = tmp_path_factory.mktemp("pairs")
    for part, count in (("train", 1), ("test", 3)):
        for number in range(count):
            draw(root / part / f"{number}.png", 2 * SIDE, SIDE, seed=number)
    return root


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("unpaired")
    for seed, (name, count) in enumerate((("trainA", 5), ("trainB", 4), ("testA", 3), ("testB", 2))):
        for number in range(count):
            draw(root / name / f"{name}-{number}.png", SIDE, SIDE, seed=10 * seed + number)
    return root


def halves(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    picture = tensor(np.asarray(Image.open(path)).copy())
    return picture[..., :SIDE], picture[..., SIDE:]


def test_pairs_give_psnr_against_the_partners(
    run: Run, files: tuple[Path, Path], pairs: Path, tmp_path: Path
):
    out = tmp_path / "figures.json"
    command = [*EVALUATE, files[1], "--data", pairs, "--direction", "AtoB", "--device", "cpu"]
    done = run(*command, "--beside", files[0], "--out", out)
    assert done.status == 0, done.err
    found = json.loads(out.read_text())
    models = {
        name: mfagan.load(path, device="cpu") for name, path in zip(("beside", "network"), files, strict=True)
    }
    both = [halves(pairs / "test" / f"{number}.png") for number in range(3)]
    made = {name: torch.stack([model(a) for a, _ in both]) for name, model in models.items()}
    real = torch.stack([b for _, b in both])
    for name, pictures in made.items():
        expected = -10 * np.log10((pictures - real).square().mean().item())
        assert found["networks"][name]["psnr_db"] == pytest.approx(expected, abs=1e-3)
    difference = (made["network"] - made["beside"]).abs().mean().item()
    assert found["networks"]["network"]["distance"] == pytest.approx(difference, rel=1e-4)
    assert found["networks"]["beside"]["distance"] is None
    assert (found["layout"], found["direction"], found["size"], found["images"]) == (
        "aligned",
        "AtoB",
        SIDE,
        3,
    )
    costs = {name: model.costs(SIDE, SIDE) for name, model in models.items()}
    for name, one in costs.items():
        assert found["networks"][name]["params"] == models[name].n_parameters
        assert found["networks"][name]["macs_transposed_at_output"] == one["output"].macs
    shown = " ".join(done.answer.split())
    assert "3 aligned pictures of test, AtoB, 32 px:" in shown
    assert "PSNR of RGB in [0, 1], peak 1, over all pixels, dB" in shown
    assert f"{costs['network']['input'].macs / costs['beside']['input'].macs:.4f}" in shown
    assert "LPIPS is left out: alexnet's weights are missing" in done.err
    assert "FID and KID are left out: Inception's weights are missing" in done.err


def test_lpips_is_measured_where_its_weights_are(
    run: Run, files: tuple[Path, Path], pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    weights = tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch)
    command = [*EVALUATE, files[0], "--data", pairs, "--weights", weights, "--device", "cpu", "--json"]
    done = run(*command)
    assert done.status == 0, done.err
    assert json.loads(done.answer)["networks"]["network"]["lpips"] > 0


def test_translations_of_the_test_against_all_real_pictures_of_the_target(
    run: Run, files: tuple[Path, Path], unpaired: Path, inception: Path
):
    command = [*EVALUATE, files[1], "--data", unpaired, "--inception", inception, "--device", "cpu"]
    done = run(*command, "--json")
    assert done.status == 0, done.err
    found = json.loads(done.answer)
    model = mfagan.load(files[1], device="cpu")
    features = InceptionFeatures(inception, torch.device("cpu"))

    def read(*names: str) -> torch.Tensor:
        paths = [path for name in names for path in sorted((unpaired / name).iterdir())]
        return torch.stack([tensor(np.asarray(Image.open(path)).copy()) for path in paths])

    made, real = features([model(read("testB"))]), features([read("trainA", "testA")])
    one = found["networks"]["network"]
    assert found["direction"] == "BtoA"
    assert "2 translations of test against 8 real ones (5 train + 3 test)" in found["protocol"]
    assert one["frechet_distance_not_fid"] == pytest.approx(frechet_distance(made, real), rel=1e-3)
    assert one["kernel_distance_not_kid"] == pytest.approx(kernel_distance(made, real), rel=1e-2)
    assert (one["psnr_db"], one["lpips"]) == (None, None)
    assert "random.pth is not the published file" in done.err
    shown = run(*command)
    assert "Frechet distance, not FID" in shown.answer


def test_pairs_are_compared_with_the_pictures_of_the_test_alone(
    run: Run, files: tuple[Path, Path], pairs: Path, inception: Path
):
    done = run(*EVALUATE, files[1], "--data", pairs, "--inception", inception, "--device", "cpu", "--json")
    assert "3 translations of test against 3 real ones (3 test)" in json.loads(done.answer)["protocol"]


def test_fewer_pictures_and_another_size(run: Run, files: tuple[Path, Path], unpaired: Path):
    options = ("--max-images", 1, "--size", 16, "--part", "train", "--device", "cpu", "--json")
    done = run(*EVALUATE, files[0], "--data", unpaired, *options)
    assert done.status == 0, done.err
    found = json.loads(done.answer)
    assert (found["part"], found["images"], found["size"]) == ("train", 1, 16)
    assert found["networks"]["network"]["macs_transposed_at_input"] == small_resnet_macs(16)


def small_resnet_macs(side: int) -> int:
    return 23_789_568 * side**2 // 64**2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--size", "30"), "picture of 30x30 px: resnet_translator takes multiples of 4 px"),
        (("--part", "val"), "has no valA and valB"),
        (("--paired",), "have no partner of the same name"),
        (("--widths", "8,8"), "a pruned_b has no trained slices"),
        (("--inception", "{file}"), "not a PyTorch state dict|not Inception's"),
        (("--beside", "{trained}"), "its network is 'mfanet', a translator of pictures is needed here"),
        (("--out", "{file}"), "is the input"),
    ],
)
def test_what_cannot_be_evaluated(
    run: Run, files: tuple[Path, Path], unpaired: Path, trained: Path, options: tuple[str, ...], message: str
):
    places = {"file": files[1], "trained": trained / "supergenerator.safetensors"}
    done = run(*EVALUATE, files[1], "--data", unpaired, *(one.format(**places) for one in options))
    assert any(one in done.message for one in message.split("|"))


def test_a_missing_folder_is_named(run: Run, files: tuple[Path, Path], tmp_path: Path):
    for name in ("trainA", "trainB", "testA"):
        draw(tmp_path / name / "0.png", SIDE, SIDE)
    done = run(*EVALUATE, files[1], "--data", tmp_path)
    assert "no testB" in done.message
