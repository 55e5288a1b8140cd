"""The `mfagan` command, called as a user calls it: arguments in, lines and files out."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint, pretrained
from mfagan.sr.kinds import build
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.shipped import SUPERGENERATOR
from mfagan.training.run import save_network
from tests import ROOT, tiny
from tests.command import Run, search_command

MIXED = "48,24,24,24,32,48,48,24"


@pytest.fixture
def searched(run: Run, trained: Path, table: Path, tmp_path: Path) -> Path:
    """A folder with a study of six trials in study.db."""
    assert run(*search_command(trained, table, tmp_path / "study.db")).status == 0
    return tmp_path


def test_help_needs_neither_torch_nor_optuna():
    code = "import sys; sys.argv = ['mfagan', '--help']\nfrom mfagan.cli import main\ntry: main()\nfinally:\n"
    code += " heavy = {'torch', 'optuna', 'numpy', 'tensorflow', 'plotly', 'pydantic'} & set(sys.modules)\n"
    code += " assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(
        command in done.stdout
        for command in ("costs", "train", "data", "lut", "search", "front", "pick", "finetune")
    )


def test_a_shipped_generator_is_known_by_its_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    named = json.loads(run("info", "supergenerator", "--json").out)
    assert (named["sha256"], named["role"]) == (checkpoint.sha256(SUPERGENERATOR), "supergenerator")
    monkeypatch.chdir(tmp_path)
    own = SuperGenerator(Widths.uniform(24), 4)
    save_network(tmp_path / "supergenerator", own, "mine", {})  # a file of that name comes first
    assert json.loads(run("info", "supergenerator", "--json").out)["role"] == "mine"
    assert "checkpoint nothing: no such file" in run("info", "nothing").message


def test_costs(run: Run):
    done = run("costs", "--widths", MIXED, "--json")
    assert json.loads(done.out) == {
        "params": 551_456,
        "macs": 8_376_324_320,
        "flops": 8_426_002_128,
        "memory_bytes": 515_087_872,
    }
    text = run("costs", "--widths", MIXED, "--size", "128x128").out
    assert "8,426,002,128" in text
    smaller = json.loads(run("costs", "--widths", "7,3,5,2,11,4,6,9", "--size", "16x24", "--json").out)
    assert 0 < smaller["macs"] < 10_000_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--widths", "48,24"], "2 numbers given, 8 needed"),
        (["--widths", "48,24,24,24,32,48,48,0"], "positive"),
        (["--widths", MIXED, "--size", "128"], "size '128'"),
        (["--widths", MIXED, "--residual", "linear"], "residual 'linear'"),
        ([], "--widths"),
    ],
)
def test_costs_of_nonsense(run: Run, arguments: list[str], message: str):
    assert message in run("costs", *arguments).message


def test_info(run: Run, trained: Path):
    path = trained / "supergenerator.safetensors"
    found = json.loads(run("info", path, "--json").out)
    assert (found["network"], found["role"], found["residual"]) == ("mfanet", "supergenerator", "bicubic")
    assert found["params"] == 884_037
    assert found["sha256"] == checkpoint.sha256(path)
    assert "supergenerator" in run("info", path).out
    assert "no such file" in run("info", trained / "absent.safetensors").message


def test_rank(run: Run, trained: Path, tmp_path: Path):
    path = trained / "supergenerator.safetensors"
    base = ["--images", trained / "photos", "--slices", 4]
    ranked = run("rank", path, *base, "--json")
    found = json.loads(ranked.out)
    n_scores = (3 + 4) * len(list((trained / "photos").iterdir()))
    assert re.search(rf"scoring slices .* {n_scores}/{n_scores} ", ranked.err)
    assert list(found["uniform_psnr_db"]) == ["48", "32", "24"]
    assert found["n_slices"] == 4
    assert found["least_psnr_db"] < found["most_psnr_db"]
    assert f"Spearman of PSNR-Y and FLOPs {found['spearman_psnr_flops']:.3f}" in run("rank", path, *base).out
    assert "its role is 'student'" in run("rank", trained / "student.safetensors", *base).message
    assert "give 1 to 6561" in run("rank", path, "--slices", 6562).message
    untrained = SuperGenerator(Widths.uniform(48), residual="bicubic")  # bicubic enlargement at any width
    save_network(tmp_path / "new.safetensors", untrained, "supergenerator", {})
    assert "FLOPs none, all score alike" in run("rank", tmp_path / "new.safetensors", *base).out


def test_train_writes_checkpoints_and_a_stage_alone_continues(run: Run, trained: Path, tmp_path: Path):
    recipe = trained / "tiny.toml"
    done = run("train", recipe, "--out", tmp_path / "w", "--images", trained / "photos", "--max-steps", 1)
    assert done.status == 0, done.err
    assert (tmp_path / "w" / "supergenerator.safetensors").is_file()
    assert "without the perceptual loss" in done.err
    again = run(
        "train",
        recipe,
        "--out",
        tmp_path / "w",
        "--images",
        trained / "photos",
        "--stage",
        "supernet",
        "--max-steps",
        1,
    )
    assert again.answer.split() == [str(tmp_path / "w" / "supergenerator.safetensors")]


def test_train_on_nonsense(run: Run, trained: Path, tmp_path: Path):
    base = ["train", trained / "tiny.toml", "--out", tmp_path / "w"]
    assert "no such image folder" in run(*base, "--images", tmp_path / "absent").message
    assert "stage 'x'" in run(*base, "--stage", "x").message
    assert "shipped recipes" in run("train", "slow", "--out", tmp_path / "w").message
    small = tiny.write_photos(tmp_path / "small", side=40)
    assert "training images are smaller than 64x64 px" in run(*base, "--images", small).message


def test_lut_build_writes_a_table_that_search_takes(run: Run, tmp_path: Path, trained: Path):
    out = tmp_path / "luts" / "here.json"
    done = run(
        "lut", "build", "--runtime", "litert", "--threads", 1, "--size", "8x8", "--rounds", 1, "--out", out
    )
    assert done.status == 0, done.err
    content = json.loads(out.read_text())
    # 9 fusions and the residual twice: the pass `shuffle` moves the pixel shuffle of networks with the residual.
    assert len(content["entries"]) == 24 + 9 + 1
    assert content["passes"] == ["statistics", "parts", "shuffle"]
    assert content["input_size"] == [8, 8]
    assert content["command"].startswith("mfagan lut build --runtime litert --threads 1 --size 8x8")
    found = run(*search_command(trained, out, tmp_path / "study.db", trials=1))
    assert found.status == 0, found.err
    assert "warning" in found.err
    assert "8x8" in found.err


def test_lut_of_an_unknown_runtime(run: Run, tmp_path: Path):
    assert (
        "runtime 'abacus'" in run("lut", "build", "--runtime", "abacus", "--out", tmp_path / "t.json").message
    )
    assert not (tmp_path / "t.json").exists()


def test_search_counts_trials_in_all_and_continues(run: Run, trained: Path, table: Path, tmp_path: Path):
    storage = tmp_path / "study.db"
    for trials, finished in ((4, 4), (7, 7), (7, 7), (5, 7)):
        assert run(*search_command(trained, table, storage, trials)).status == 0
        with sqlite3.connect(storage) as database:
            ((count,),) = database.execute("SELECT count(*) FROM trials WHERE state = 'COMPLETE'").fetchall()
        assert count == finished


def test_front_is_one_file_for_offline_use(run: Run, searched: Path):
    out = searched / "front.html"
    assert run("front", "--storage", searched / "study.db", "--study", "s", "--out", out).status == 0
    page = out.read_text()
    assert "plotly" in page.lower()
    assert "trunk" in page
    assert "<script src=" not in page


def test_pick_by_trial_budget_and_knee(run: Run, searched: Path):
    def pick(*how: object) -> dict:
        out = searched / "picked.json"
        done = run("pick", "--storage", searched / "study.db", "--study", "s", *how, "--out", out)
        assert done.status == 0, done.err
        return json.loads(out.read_text())

    assert pick("--trial", 3)["trial"] == 3
    knee = pick("--knee")
    assert len(knee["widths"]) == 8
    assert knee["params"] > 0
    assert pick("--max-latency-ms", knee["latency_ms"])["psnr_db"] >= knee["psnr_db"]


def test_reading_what_is_not_there_creates_nothing(run: Run, searched: Path, tmp_path: Path):
    absent = tmp_path / "absent.db"
    assert (
        "absent.db" in run("front", "--storage", absent, "--study", "s", "--out", tmp_path / "f.html").message
    )
    assert not absent.exists()
    found = run(
        "pick", "--storage", searched / "study.db", "--study", "other", "--knee", "--out", tmp_path / "p"
    ).message
    assert "'other'" in found
    assert "'s'" in found
    url = "postgresql+psycopg://user:hush@127.0.0.1:1/db"
    message = run("front", "--storage", url, "--study", "s", "--out", tmp_path / "f.html").message
    assert "hush" not in message
    assert not (tmp_path / "f.html").exists()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ([], "exactly one of"),
        (["--knee", "--trial", 1], "exactly one of"),
        (["--trial", 99], "trial 99"),
        (["--max-latency-ms", 0.1], "the nearest is trial"),
    ],
)
def test_picks_that_cannot_be(run: Run, searched: Path, how: list[object], message: str):
    out = searched / "picked.json"
    assert (
        message in run("pick", "--storage", searched / "study.db", "--study", "s", *how, "--out", out).message
    )
    assert not out.exists()


def test_finetune_then_evaluate_then_export(run: Run, searched: Path, trained: Path):
    picked, small, model = (searched / name for name in ("picked.json", "small.safetensors", "small.tflite"))
    run("pick", "--storage", searched / "study.db", "--study", "s", "--knee", "--out", picked)
    photos = trained / "photos"
    discriminator = trained / "discriminator.safetensors"
    done = run("finetune", picked, "--discriminator", discriminator, "--images", photos, "--out", small)
    assert done.status == 0, done.err
    record = checkpoint.read(small, "mfanet", "subgenerator").record
    assert record["psnr_after_db"] >= record["psnr_before_db"]  # type: ignore[operator]
    assert record["picked"]["trial"] == json.loads(picked.read_text())["trial"]  # type: ignore[index]

    scored = run("evaluate", small, "--images", photos, "--no-latency", "--json")
    images = json.loads(scored.out)["rows"][1]["sets"]["photos"]["images"]
    assert images[-1]["name"] == "photo_3"  # the one it was validated on
    assert images[-1]["psnr_db"] == pytest.approx(record["psnr_after_db"], abs=1e-6)

    done = run("export", small, "--size", "16x20", "--photo", photos / "photo_1.png", "--out", model)
    assert done.status == 0, done.err
    assert model.read_bytes()[4:8] == b"TFL3"


def test_finetune_on_the_wrong_files(run: Run, searched: Path, trained: Path):
    picked, out = searched / "picked.json", searched / "small.safetensors"
    run("pick", "--storage", searched / "study.db", "--study", "s", "--knee", "--out", picked)
    base = ["--images", trained / "photos", "--out", out]
    wrong = run("finetune", picked, "--discriminator", trained / "student.safetensors", *base)
    assert "its network is 'mfanet', a discriminator is needed here" in wrong.message
    discriminator = ["--discriminator", trained / "discriminator.safetensors"]
    assert "no such file" in run("finetune", searched / "absent.json", *discriminator, *base).message.lower()
    supernet = ["--supernet", trained / "student.safetensors"]
    assert "its role is 'student'" in run("finetune", picked, *discriminator, *supernet, *base).message
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "not a JSON file"),
        ({"unit": "us"}, "unit"),
        ({"entries": {}}, "entries"),
        ({"entries": {"head/t48": {"latency_ms": 1.0, "spread_ms": 0.0, "repeats": 1}}}, "lacks"),
    ],
)
def test_search_with_a_bad_table(run: Run, trained: Path, tmp_path: Path, content: object, message: str):
    path = tmp_path / "bad.json"
    if isinstance(content, dict):
        tiny.write_table(path, **content)
    else:
        path.write_text(str(content))
    assert message in run(*search_command(trained, path, tmp_path / "study.db")).message
    assert not (tmp_path / "study.db").exists()


def test_a_missing_key_names_itself_and_the_command(run: Run, trained: Path, table: Path, tmp_path: Path):
    content = json.loads(table.read_text())
    del content["entries"]["tail/t32"]
    path = tmp_path / "lacking.json"
    path.write_text(json.dumps(content))
    message = run(*search_command(trained, path, tmp_path / "study.db")).message
    assert "'tail/t32'" in message
    assert "mfagan lut build --runtime" in message


def test_search_with_the_wrong_things(run: Run, trained: Path, table: Path, searched: Path, tmp_path: Path):
    wrong = search_command(trained, table, tmp_path / "other.db")
    wrong[2] = trained / "student.safetensors"
    assert "its role is 'student'" in run(*wrong).message
    assert (
        "shipped tables"
        in run(*search_command(trained, Path("no-such-table"), tmp_path / "other.db")).message
    )
    other = search_command(trained, table, searched / "study.db")
    other[other.index("--max-images") + 1] = 2
    assert "images_sha256" in run(*other).message


def test_a_study_with_other_objectives_is_refused(run: Run, trained: Path, table: Path, tmp_path: Path):
    storage = tmp_path / "study.db"
    command = [
        "search",
        "run",
        "tests.search.toy:build",
        "--storage",
        str(storage),
        "--study",
        "s",
        "--trials",
        "4",
    ]
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "objectives" in run(*search_command(trained, table, storage)).message


@pytest.mark.parametrize("place", ["/proc/mfagan", "/dev/null/sub"])
def test_places_that_cannot_be_written(run: Run, trained: Path, table: Path, searched: Path, place: str):
    commands = [
        ["lut", "build", "--out", f"{place}/t.json"],
        ["train", trained / "tiny.toml", "--images", trained / "photos", "--out", place],
        ["front", "--storage", searched / "study.db", "--study", "s", "--out", f"{place}/f.html"],
        ["export", trained / "student.safetensors", "--out", f"{place}/m.tflite"],
        ["evaluate", trained / "student.safetensors", "--images", trained / "photos", "--save-images", place],
        search_command(trained, table, Path(place) / "study.db"),
    ]
    for command in commands:
        assert place in run(*command).message


def test_a_full_disk_leaves_nothing_behind(searched: Path):
    """The limit on a file's size stands in for a full disk: the system refuses to write on."""
    out = searched / "full" / "front.html"
    code = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (2**17, 2**17))\n"
    code += "from mfagan.cli import main\nmain()"
    arguments = ["front", "--storage", str(searched / "study.db"), "--study", "s", "--out", str(out)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "mfagan: error: cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(out.parent.iterdir()) == []


def test_training_takes_vgg19_from_a_local_path(
    run: Run, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """With random weights saved in the published format, whose hash is made the expected one."""
    pretrained.import_torchvision()
    from torchvision.models.vgg import cfgs, make_layers

    path = tmp_path / "vgg19.pth"
    layers = make_layers(cfgs["E"]).half()
    torch.save({f"features.{name}": tensor for name, tensor in layers.state_dict().items()}, path)
    monkeypatch.setitem(pretrained.PUBLISHED, "vgg19", f"vgg19-{checkpoint.sha256(path)[:8]}.pth")
    out = tmp_path / "w"
    command = ["train", trained / "tiny.toml", "--out", out, "--images", trained / "photos", "--max-steps", 1]
    done = run(*command, "--stage", "teacher", "--stage", "teacher_gan", "--vgg19", path)
    assert done.status == 0, done.err
    assert "without the perceptual loss" not in done.err
    used = {name: checkpoint.read(out / f"{name}.safetensors").record for name in ("teacher", "teacher_gan")}
    assert {name: one["perceptual_loss"] for name, one in used.items()} == {
        "teacher": False,  # it weighs no such loss
        "teacher_gan": True,
    }
    monkeypatch.setitem(pretrained.PUBLISHED, "vgg19", "vgg19-00000000.pth")
    assert "SHA-256" in run(*command, "--stage", "teacher_gan", "--vgg19", path).message
    assert "absent.pth" in run(*command, "--vgg", tmp_path / "absent.pth").message  # the same option


def test_a_failed_parity_check_exports_nothing(run: Run, trained: Path, tmp_path: Path):
    found = checkpoint.read(trained / "student.safetensors")
    state = dict(found.state)
    state["head.weight"] = torch.full_like(state["head.weight"], 3e38)  # finite, but not its products
    path = tmp_path / "broken.safetensors"
    checkpoint.save(path, checkpoint.Checkpoint(found.network, found.role, found.config, state))
    out = tmp_path / "m.tflite"
    message = run(
        "export", path, "--size", "8x8", "--photo", trained / "photos" / "photo_0.png", "--out", out
    ).message
    assert "nan" in message
    assert not out.exists()
    assert "format 'coreml'" in run("export", path, "--format", "coreml", "--out", out).message


def test_exports_that_cannot_be(run: Run, trained: Path, tmp_path: Path):
    path, out = trained / "supergenerator.safetensors", tmp_path / "m.tflite"
    assert "fusion is 40" in run("export", path, "--widths", "48,24,24,24,32,48,48,40", "--out", out).message
    network = build("span", {"n_blocks": 1, "features": 8})
    peer = tmp_path / "span.safetensors"
    checkpoint.save(peer, checkpoint.Checkpoint("span", "x", network.config(), network.state_dict()))
    assert "span has no slices" in run("export", peer, "--widths", "24", "--out", out).message
    assert not out.exists()
    assert run("export", peer, "--size", "16x16", "--out", out).status == 0


# Folders of images


def test_a_folder_is_checked_for_people_and_for_programs(run: Run, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "photos")
    found = run("data", "check", photos, "--crop", 16, "--decode")
    assert found.status == 0
    lines = found.answer.splitlines()
    assert lines[:4] == [
        f"photos: HR images, in {photos}",
        "    4 HR, 0 LR, 4 pairs, 0.0 million HR pixels",
        "    smallest 96x96 px, largest 96x96 px",
        "trained on would be 3 images, photo_0 to photo_2; validated on, 1 image, photo_3",
    ]
    assert lines[-1] == "usable"
    facts = json.loads(run("data", "check", photos, "--json").out)
    assert facts["usable"]
    assert "so training skips 3 of 4" in facts["notes"][0]
    assert [(one["n_pairs"], one["smallest"]) for one in facts["sets"]] == [(4, [96, 96])]


def test_an_unusable_folder_is_told_with_its_findings(run: Run, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "photos")
    (photos / "photo_1.png").write_text("no picture")
    found = run("data", "check", photos, "--crop", 16)
    assert found.status == 2
    assert f"problem: unreadable: cannot read image {photos / 'photo_1.png'}" in found.out
    assert found.out.splitlines()[-1] == "not usable: 1 problem"
    assert "no such image folder" in run("data", "check", tmp_path / "absent").message
