"""`mfagan evaluate`, called as a user calls it, on networks with random weights."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor, nn

from mfagan import checkpoint, pretrained
from mfagan.checkpoint import Checkpoint
from mfagan.data.splits import read_pairs
from mfagan.evaluation.scores import enlarge_bicubic, super_resolve
from mfagan.sr.experiments.paper_tables import TABLE_2
from mfagan.sr.kinds import Generator, build, load_generator
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.shipped import SUPERGENERATOR
from tests import tiny
from tests.command import Run

QUOTED = [f"{row.name} (quoted)" for row in TABLE_2]


def write(path: Path, network: Generator, role: str = "x") -> Path:
    checkpoint.save(path, Checkpoint(network.KIND, role, network.config(), network.state_dict()))
    return path


def perturb(network: Generator) -> Generator:
    """Not bicubic alone: other weights than zeros at the end."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.03)
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks x2, x3, x4 (small.safetensors of each, a peer and a SuperGenerator x4) and two image sets."""
    folder = tmp_path_factory.mktemp("networks")
    for scale in (2, 3, 4):
        config = {"widths": [8, 4, 4, 4, 4, 4, 4, 8], "scale": scale, "residual": "bicubic"}
        write(folder / f"x{scale}" / "small.safetensors", perturb(build("mfanet", config)))
    peer = {"n_blocks": 1, "features": 16, "residual": "bicubic"}
    write(folder / "peer.safetensors", perturb(build("imdn", peer)))
    write(folder / "super.safetensors", perturb(SuperGenerator(Widths.uniform(32), 4, "bicubic")))
    tiny.write_photos(folder / "Set5" / "HR", n=2, side=64)
    tiny.write_photos(folder / "others", n=3, side=48)
    return folder


def luma(image: Tensor, scale: int) -> np.ndarray:
    """scikit-image's own Y, the borders shaved."""
    pixels = image.double().clamp(0, 1).permute(1, 2, 0).numpy()
    return rgb2ycbcr(pixels)[scale:-scale, scale:-scale, 0]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_figures_on_real_photos_are_scikit_images(run: Run, folder: Path, scale: int, tmp_path: Path):
    """The photo is cropped at the multiple of the scale; each row is compared on the very same arrays."""
    photo = Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png")
    (tmp_path / "photo").mkdir()
    photo.crop((150, 0, 350, 185)).save(tmp_path / "photo" / "face.png")
    path = folder / f"x{scale}" / "small.safetensors"
    done = run("evaluate", path, "--images", tmp_path / "photo", "--no-latency", "--json")
    assert done.status == 0, done.err
    facts = json.loads(done.out)
    assert facts["scale"] == scale
    (pair,) = read_pairs(tmp_path / "photo", scale)
    outputs = {"bicubic": enlarge_bicubic(pair), "small": super_resolve(load_generator(path), pair.lr)}
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    for row, (name, output) in zip(facts["rows"], outputs.items(), strict=False):
        assert row["name"] == name
        (image,) = row["sets"]["photo"]["images"]
        ours, theirs = luma(output, scale), luma(pair.hr, scale)
        psnr = peak_signal_noise_ratio(theirs, ours, data_range=255)
        assert image["psnr_db"] == pytest.approx(psnr, abs=1e-6)
        ssim = np.asarray(structural_similarity(theirs, ours, **options)).item()
        assert image["ssim"] == pytest.approx(ssim, abs=1e-6)
        assert 20 < psnr < 60
    assert facts["rows"][0]["sets"] != facts["rows"][1]["sets"]
    assert len(facts["rows"]) == (2 if scale != 4 else 2 + len(QUOTED))


def test_several_networks_on_several_sets(run: Run, folder: Path, tmp_path: Path):
    networks = [folder / "x4" / "small.safetensors", folder / "peer.safetensors"]
    sets = [folder / "Set5", folder / "others"]
    out = tmp_path / "runs"
    done = run(
        "evaluate",
        *networks,
        "--images",
        *sets,
        "--size",
        "16x20",
        "--threads",
        1,
        "--out",
        out,
        "--per-image",
    )
    assert done.status == 0, done.err
    facts = json.loads((out / "evaluation.json").read_text())
    assert facts["format"] == "evaluation/1"
    assert [(one["name"], one["source"], one["n_images"]) for one in facts["sets"]] == [
        ("Set5", str(sets[0]), 2),
        ("others", str(sets[1]), 3),
    ]
    assert facts["command"].startswith(f"mfagan evaluate {networks[0]} {networks[1]} --images {sets[0]} ")
    assert facts["versions"]["torch"] == version("torch")
    bicubic, small, peer, *quoted = facts["rows"]
    assert [bicubic["name"], small["name"], peer["name"]] == ["bicubic", "small", "peer"]
    for row in (bicubic, small, peer):
        assert row["quoted"] is False
        for found in row["sets"].values():
            for figure in ("psnr_db", "ssim"):
                mean = sum(image[figure] for image in found["images"]) / len(found["images"])
                assert found[figure] == pytest.approx(mean)
    assert "latency_ms" not in bicubic
    assert facts["latency"]["threads"] == 1
    assert facts["latency"]["size"] == [16, 20]
    for row, path in ((small, networks[0]), (peer, networks[1])):
        assert row["latency_ms"] > 0
        assert row["params"] == checkpoint.count_parameters(checkpoint.read(path))
        assert row["sha256"] == checkpoint.sha256(path)
    assert (small["network"], small["widths"]) == ("mfanet", [8, 4, 4, 4, 4, 4, 4, 8])
    assert (peer["network"], peer["features"]) == ("imdn", 16)
    costs = json.loads(run("costs", "--widths", "8,4,4,4,4,4,4,8", "--residual", "bicubic", "--json").out)
    assert {name: small[name] for name in costs} == costs
    assert [row["quoted"] for row in quoted] == [True] * len(TABLE_2)
    assert quoted[0]["sets"]["Set14"] == {"psnr_db": 26.11, "lpips": 0.1167}

    page = (out / "evaluation.md").read_text()
    lines = page.splitlines()
    head = next(line for line in lines if line.startswith("| network"))
    assert "Set5 PSNR-Y (dB) | Set5 SSIM | others PSNR-Y (dB) | others SSIM" in head
    assert "LPIPS" not in head
    assert re.search(r"latency, PyTorch \S+ on .*, 1 thread, 16x20 px \(ms\)", head)
    cells = {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ")}
    assert list(cells)[2:] == ["bicubic", "small", "peer", *QUOTED]
    assert cells["ESRGAN (quoted)"] == "| ESRGAN (quoted) | 4.29 | 291 | 16.67 | - | 30.45 | - | - | - |"
    assert f"{small['sets']['Set5']['psnr_db']:.3f}" in cells["small"]
    assert f"{small['memory_bytes'] / 1e9:.3f} | {small['flops'] / 1e9:.2f}" in cells["small"]
    assert "quoted: from Table 2 of MFAGAN" in page
    assert "not measured here" in page
    assert f"Made by `{facts['command']}`" in page

    for name in ("bicubic", "small", "peer", *QUOTED):
        assert any(line.startswith(name) for line in done.out.splitlines())
    assert done.out.count("photo_1") == 2  # one row an image of each set
    assert f"{small['sets']['others']['images'][2]['psnr_db']:.3f}" in done.out


def test_where_the_files_go(run: Run, folder: Path, tmp_path: Path):
    base = ["evaluate", "--scale", 4, "--images", folder / "others", "--out"]
    for out in ("a.json", "b.md"):
        assert run(*base, tmp_path / out).status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.md", "b.json", "b.md"]
    for _ in range(2):
        assert run(*base, tmp_path / "c").status == 0
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["evaluation.json", "evaluation.md"]


def test_bicubic_alone_at_a_scale(run: Run, folder: Path):
    facts = json.loads(run("evaluate", "--scale", 3, "--images", folder / "others", "--json").out)
    assert [row["name"] for row in facts["rows"]] == ["bicubic"]
    assert facts["latency"] is None
    assert "quoted" not in " ".join(facts["notes"])


def test_slices_stand_in_rows_of_their_own(run: Run, folder: Path):
    path = folder / "super.safetensors"
    mixed = "32,24,24,24,32,24,24,24"
    tuned = perturb(build("mfanet", {"widths": [24] * 8, "scale": 4, "residual": "bicubic"}))
    others = [write(folder / "tuned.safetensors", tuned, "subgenerator"), folder / "peer.safetensors"]
    command = ["evaluate", path, *others, "--images", folder / "others", "--no-latency"]
    facts = json.loads(run(*command, "--widths", "24", "--widths", mixed, "--json").out)
    names = [row["name"] for row in facts["rows"]][1:5]
    assert names == ["super@24", f"super@{mixed}", "tuned", "peer"]
    costs = json.loads(run("costs", "--widths", mixed, "--residual", "bicubic", "--json").out)
    assert facts["rows"][2]["params"] == costs["params"]
    assert facts["rows"][1]["sets"]["others"]["psnr_db"] != facts["rows"][2]["sets"]["others"]["psnr_db"]


def test_networks_by_the_names_of_shipped_ones_and_by_given_names(run: Run, folder: Path):
    command = ["evaluate", "supergenerator", f"mine={folder / 'peer.safetensors'}", "--widths", "24"]
    done = run(*command, "--images", f"4 photos={folder / 'others'}", "--no-latency", "--json")
    assert done.status == 0, done.err
    facts = json.loads(done.out)
    assert [row["name"] for row in facts["rows"]][:3] == ["bicubic", "supergenerator@24", "mine"]
    assert facts["rows"][1]["sha256"] == checkpoint.sha256(SUPERGENERATOR)
    assert [(one["name"], one["source"]) for one in facts["sets"]] == [("4 photos", str(folder / "others"))]


def test_pictures_and_the_sheet(run: Run, folder: Path, tmp_path: Path):
    path = folder / "x4" / "small.safetensors"
    pictures = tmp_path / "pictures"
    done = run("evaluate", path, "--images", folder / "Set5", "--no-latency", "--save-images", pictures)
    assert done.status == 0, done.err
    assert sorted(p.name for p in (pictures / "Set5" / "small").iterdir()) == ["photo_0.png", "photo_1.png"]
    pair = read_pairs(folder / "Set5", 4)[1]
    expected = super_resolve(load_generator(path), pair.lr).clamp(0, 1).permute(1, 2, 0) * 255
    saved = np.asarray(Image.open(pictures / "Set5" / "small" / "photo_1.png"), dtype=np.float32)
    assert np.abs(saved - expected.numpy()).max() <= 0.51
    # A row an image: the whole picture and three details of 192 px, two lines of text under each.
    sheet = Image.open(pictures / "Set5" / "sheet.png")
    assert sheet.size == (288 + 3 * (8 + 192), 2 * (192 + 2 * 20 + 8))
    assert str(pictures / "Set5" / "sheet.png") in done.err


def test_the_plot_holds_its_data_and_works_offline(run: Run, folder: Path, tmp_path: Path):
    plot, out = tmp_path / "plot.html", tmp_path / "out"
    networks = [folder / "x4" / "small.safetensors", folder / "peer.safetensors"]
    command = ["evaluate", *networks, "--no-latency", "--plot", plot, "--out", out, "--images"]
    assert run(*command, folder / "Set5").status == 0
    page = plot.read_text()
    assert "<script src=" not in page
    facts = json.loads((out / "evaluation.json").read_text())
    for row in facts["rows"][1:3]:
        assert repr(row["memory_bytes"] / 1e9) in page
        assert repr(row["sets"]["Set5"]["psnr_db"]) in page
        assert f"{row['flops'] / 1e9:.2f} G" in page
    assert all(name in page for name in QUOTED)
    assert run(*command, folder / "others").status == 0
    assert not any(f'"{name}"' in plot.read_text() for name in QUOTED)


def test_names_that_two_share_get_their_folder(run: Run, folder: Path, tmp_path: Path):
    networks = [folder / "x4" / "small.safetensors", tmp_path / "again" / "small.safetensors"]
    write(networks[1], load_generator(networks[0]))
    other = tiny.write_photos(tmp_path / "mine" / "others", n=1, side=48)
    bicubic = write(tmp_path / "dir" / "bicubic.safetensors", load_generator(networks[0]))
    facts = json.loads(
        run(
            "evaluate", *networks, bicubic, "--images", folder / "others", other, "--no-latency", "--json"
        ).out
    )
    assert [row["name"] for row in facts["rows"]][:4] == ["bicubic", "x4-small", "again-small", "dir-bicubic"]
    assert [one["name"] for one in facts["sets"]] == [f"{folder.name}-others", "mine-others"]


def test_the_set_of_an_hr_folder_has_the_name_above_it(run: Run, folder: Path):
    command = ["evaluate", "--scale", 2, "--json", "--images"]
    assert json.loads(run(*command, folder / "Set5" / "HR").out)["sets"][0]["name"] == "Set5"
    assert json.loads(run(*command, "embedded").out)["sets"][0]["name"] == "held-out photos"


def test_embedded_photographs_that_a_network_learned_from_are_left_out(
    run: Run, folder: Path, tmp_path: Path
):
    network = load_generator(folder / "x4" / "small.safetensors")
    record = {"images": "embedded", "training_images": ["coffee", "rocket", "motorcycle_left"]}
    path = tmp_path / "learner.safetensors"
    checkpoint.save(path, Checkpoint(network.KIND, "x", network.config(), network.state_dict(), record))
    done = run("evaluate", path, folder / "peer.safetensors", "--no-latency", "--json")
    images = json.loads(done.out)["rows"][0]["sets"]["held-out photos"]["images"]
    assert [one["name"] for one in images] == ["astronaut", "chelsea"]
    assert (
        "photographs left out, since learner learned from them: coffee, rocket, motorcycle_left" in done.err
    )


def test_without_lpips_weights_one_line_says_how_to_get_them(run: Run, folder: Path):
    done = run("evaluate", "--scale", 4, "--images", folder / "others")
    lines = [line for line in done.err.splitlines() if "LPIPS" in line]
    assert len(lines) == 1
    assert "put alexnet-owt-7be5be79.pth in " in lines[0]
    assert "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth" in lines[0]


def test_lpips_where_its_weights_are(run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With random weights saved in the published format: the figures mean nothing, only that they are shown."""
    path = tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch)
    out, plot = tmp_path / "a.json", tmp_path / "plot.html"
    small = folder / "x4" / "small.safetensors"
    command = ["evaluate", small, "--no-latency", "--weights", path, "--images"]
    done = run(*command, folder / "Set5", "--out", out, "--plot", plot, "--plot-quality", "lpips")
    assert done.status == 0, done.err
    facts = json.loads(out.read_text())
    assert facts["lpips"] == "LPIPS alex v0.1"
    assert "lpips" in facts["versions"]
    for row in facts["rows"][:2]:
        found = row["sets"]["Set5"]
        assert found["lpips"] == pytest.approx(sum(image["lpips"] for image in found["images"]) / 2)
        assert found["lpips"] > 0
    head, _, *rows = [line for line in out.with_suffix(".md").read_text().splitlines() if "|" in line]
    assert head.endswith("| Set5 LPIPS alex v0.1 |")
    assert rows[1].endswith(f"| {facts['rows'][1]['sets']['Set5']['lpips']:.4f} |")
    assert rows[4].endswith("| 30.45 | - | 0.0572 |")
    assert repr(facts["rows"][1]["sets"]["Set5"]["lpips"]) in plot.read_text()
    assert "LPIPS alex v0.1 on Set5" in plot.read_text()
    assert "LPIPS alex v0.1" in done.out
    assert "needs 31 px a side" in run(*command, tiny.write_photos(tmp_path / "tiny", n=1, side=28)).message
    monkeypatch.setitem(pretrained.PUBLISHED, "alexnet", "alexnet-owt-00000000.pth")
    assert "SHA-256" in run(*command, folder / "Set5").message
    command[command.index(path)] = tmp_path / "absent.pth"
    assert "absent.pth" in run(*command, folder / "Set5").message


def test_refusals(run: Run, folder: Path, trained: Path, tmp_path: Path):
    small, peer = folder / "x4" / "small.safetensors", folder / "peer.safetensors"
    others = ["--images", folder / "others"]
    assert "no checkpoint given" in run("evaluate", *others).message
    assert "scale 5: choose 2, 3 or 4" in run("evaluate", "--scale", 5, *others).message
    mixed = run("evaluate", small, folder / "x2" / "small.safetensors", *others).message
    assert "enlarges by 2, not by 4" in mixed
    assert "enlarges by 4, not by 3" in run("evaluate", small, "--scale", 3, *others).message
    assert "given twice" in run("evaluate", small, small, *others).message
    assert "given twice" in run("evaluate", small, *others, folder / "others").message
    assert "no checkpoint given has slices" in run("evaluate", peer, "--widths", "24", *others).message
    assert "trunk is 64" in run("evaluate", folder / "super.safetensors", "--widths", "64").message
    assert "no such file" in run("evaluate", tmp_path / "absent.safetensors", *others).message
    assert "no such image folder" in run("evaluate", small, tmp_path / "absent").message
    assert "network is 'patchgan'" in run("evaluate", trained / "discriminator.safetensors").message
    plot = ["--plot", tmp_path / "plot.html", "--plot-quality"]
    assert "not measured without AlexNet's weights" in run("evaluate", small, *others, *plot, "lpips").message
    slices = ["--widths", "24", "--widths", ",".join(["24"] * 8)]
    assert "given twice" in run("evaluate", folder / "super.safetensors", *slices).message
    assert "a plot needs a network" in run("evaluate", "--scale", 4, *others, *plot, "psnr").message
    assert "plot quality 'ssim'" in run("evaluate", small, *others, *plot, "ssim").message
    assert list(tmp_path.glob("*.html")) == []


def test_places_that_cannot_be_written(run: Run, folder: Path):
    small = folder / "x4" / "small.safetensors"
    base = ["evaluate", small, "--no-latency", "--images", folder / "others"]
    for option in ("--out", "--save-images", "--plot"):
        assert "cannot write /dev/null" in run(*base, option, "/dev/null/sub").message


def test_outputs_that_would_replace_each_other(run: Run, folder: Path, tmp_path: Path):
    small = folder / "x4" / "small.safetensors"
    for name in ("two words", "two-words"):
        tiny.write_photos(tmp_path / name, n=1, side=48)
    images = ["--images", tmp_path / "two words", tmp_path / "two-words", "--save-images", tmp_path / "out"]
    message = run("evaluate", small, "--no-latency", *images).message
    assert "sets 'two words' and 'two-words' would be written into one folder" in message
    both = ["--out", tmp_path / "a.md", "--plot", tmp_path / "a.json", "--images", folder / "others"]
    assert "is a file that --out writes" in run("evaluate", small, "--no-latency", *both).message
    assert not list(tmp_path.glob("a.*"))


def test_bad_images(run: Run, folder: Path, tmp_path: Path):
    evaluate = ["evaluate", folder / "x4" / "small.safetensors", "--no-latency", "--images"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "empty" in run(*evaluate, empty).message
    (empty / "broken.png").write_bytes(b"not a picture")
    assert "broken.png" in run(*evaluate, empty).message
    Image.new("RGB", (1, 1)).save(empty / "broken.png")
    assert "1x1 px" in run(*evaluate, empty).message
    pairs = tiny.write_photos(tmp_path / "pairs" / "HR").parent
    tiny.write_photos(pairs / "LR", side=20)
    message = run(*evaluate, pairs).message
    assert "20x20" in message
    assert "96x96" in message


def test_a_picture_that_is_reproduced_exactly_is_named_and_left_out_of_the_mean(run: Run, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "set", n=1)
    alone = json.loads(run("evaluate", "--scale", 4, "--images", photos, "--json").out)
    Image.new("RGB", (48, 48)).save(photos / "night.png")
    both = json.loads(run("evaluate", "--scale", 4, "--images", photos, "--json").out)
    figures = both["rows"][0]["sets"]["set"]
    assert figures["psnr_db"] == alone["rows"][0]["sets"]["set"]["psnr_db"]
    assert [one["psnr_db"] for one in figures["images"] if one["name"] == "night"] == ["inf"]
    out = run("evaluate", "--scale", 4, "--images", photos).out
    assert "bicubic reproduces night of set exactly: an infinite PSNR, left out of the mean" in out
    (photos / "photo_0.png").unlink()
    assert " inf" in run("evaluate", "--scale", 4, "--images", photos).out


def test_the_folder_of_the_pictures_is_not_written_into(run: Run, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "x" / "bicubic", n=1)
    (tmp_path / "save").mkdir()
    (tmp_path / "save" / "bicubic").symlink_to(tmp_path / "x")
    before = (photos / "photo_0.png").read_bytes()
    message = run("evaluate", "--scale", 4, "--images", photos, "--save-images", tmp_path / "save").message
    assert "is the input" in message
    assert (photos / "photo_0.png").read_bytes() == before
