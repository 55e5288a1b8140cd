"""Files written by version 0.1.0 (`tests/fixtures/v0.1.0`) serve every command that reads such a file.

Public commands and the files' own formats alone, so that no name of a module matters here.
"""

import hashlib
import json
import lzma
import shutil
from pathlib import Path

import pytest
import torch

from tests import figures
from tests.command import Run

OLD = figures.FIXTURES / "v0.1.0"
ROLES = {
    "teacher": "teacher",
    "teacher_gan": "teacher_gan",
    "teacher_discriminator": "teacher_gan",
    "student": "distill",
    "discriminator": "distill",
    "supergenerator": "supernet",
    "subgenerator": "finetune",
}
"""The role of each checkpoint, which is also its file's name -> the stage that trained it."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the folder, unpacked."""
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    for packed in folder.rglob("*.xz"):
        packed.with_suffix("").write_bytes(lzma.decompress(packed.read_bytes()))
        packed.unlink()
    return folder


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def train_command(old: Path, out: Path, *stages: str) -> list[object]:
    command: list[object] = ["train", old / "recipe.toml", "--out", out]
    return command + [part for stage in stages for part in ("--stage", stage)] + pictures(old)


def finetune_command(old: Path, out: Path) -> list[object]:
    command: list[object] = [
        "finetune",
        old / "picked.json",
        "--supernet",
        old / "supergenerator.safetensors",
    ]
    command += ["--discriminator", old / "discriminator.safetensors", "--out", out]
    return [*command, "--storage", old / "study.db", *pictures(old)]


def pictures(old: Path) -> list[object]:
    return ["--images", old / "photos", "--validation", old / "validation", "--device", "cpu"]


def search_command(old: Path, storage: object, study: str, trials: int) -> list[object]:
    command: list[object] = ["search", "--supernet", old / "supergenerator.safetensors"]
    command += ["--lut", old / "table.json", "--images", old / "validation", "--crop", 32, "--max-images", 1]
    command += ["--population", 4, "--seed", 1, "--device", "cpu", "--trials", trials]
    return [*command, "--storage", storage, "--study", study]


def require_trained_alike(found: Path, wanted: Path) -> None:
    """The same weights and validations: to the bit where the files were written on such a machine."""
    measured, old = figures.measure(found), figures.measure(wanted)
    if figures.machine() == json.loads(figures.RECORDED.read_text(encoding="utf-8"))["machine"]:
        assert measured == old
    else:
        figures.require_close(measured, old, found.name)


def test_info_tells_what_every_checkpoint_is(run: Run, old: Path):
    for role, stage in ROLES.items():
        path = old / f"{role}.safetensors"
        done = run("info", path, "--json")
        assert done.status == 0, done.err
        about = json.loads(done.out)
        assert about["network"] == ("patchgan" if role.endswith("discriminator") else "mfanet")
        assert (about["role"], about["stage"], about["recipe"]["name"]) == (role, stage, "v0.1.0")
        assert about["params"] == figures.measure(path)["numbers"]
        assert about["sha256"] == sha256(path)


def test_generators_score_as_they_did(run: Run, old: Path):
    names = [name for name in ROLES if not name.endswith("discriminator")]
    command = ["evaluate", *(old / f"{name}.safetensors" for name in names), "--images", old / "validation"]
    done = run(*command, "--device", "cpu", "--no-latency", "--json")
    assert done.status == 0, done.err
    rows = {Path(row["file"]).stem: row for row in json.loads(done.out)["rows"] if row.get("file")}
    assert sorted(rows) == sorted(names)
    for name in set(names) - {"student"}:  # it was cut down after training, see README.md
        recorded = figures.measure(old / f"{name}.safetensors")["validation_psnr_db"]
        assert rows[name]["sets"]["validation"]["psnr_db"] == pytest.approx(recorded, abs=1e-3)


def test_finished_stages_are_left_as_they_are(run: Run, old: Path):
    before = {path: path.read_bytes() for path in old.glob("*.safetensors")}
    done = run(*train_command(old, old))
    assert done.status == 0, done.err
    for stage in ("teacher", "teacher_gan", "distill", "supernet"):
        assert f"{stage} is finished already" in done.err
    done = run(*finetune_command(old, old / "subgenerator.safetensors"))
    assert done.status == 0, done.err
    assert "finetune is finished already" in done.err
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("network", ["teacher_gan", "supergenerator", "subgenerator"])
def test_an_interrupted_training_goes_on(run: Run, old: Path, network: str):
    """From its snapshot to the weights of the uninterrupted one."""
    out = old / "interrupted"
    for parent in ("teacher", "student"):
        shutil.copy(old / f"{parent}.safetensors", out)
    state, path = out / f"{network}.state", out / f"{network}.safetensors"
    command = (
        finetune_command(old, path) if network == "subgenerator" else train_command(old, out, ROLES[network])
    )
    snapshot = state.read_bytes()
    done = run(*command)
    assert done.status == 0, done.err
    assert not state.exists()
    require_trained_alike(path, old / path.name)
    _require_that_it_is_read(run, command, state, path, snapshot)


def _require_that_it_is_read(
    run: Run, command: list[object], state: Path, path: Path, snapshot: bytes
) -> None:
    """A training from the start would end with the same weights; one from other weights does not."""
    finished = figures.measure(path)
    path.unlink()
    state.write_bytes(snapshot)
    found = torch.load(state, weights_only=True)
    assert found["step"] == 4
    parts = found["parts"]
    for weights in (parts["generator"], parts["average"], parts["progress"]["weights"]):
        for tensor in weights.values():
            if tensor.is_floating_point():
                tensor.mul_(1.1)
    torch.save(found, state)
    done = run(*command)
    assert done.status == 0, done.err
    assert figures.measure(path)["abs_sum"] != pytest.approx(finished["abs_sum"], rel=1e-3)


def test_a_study_in_sqlite_goes_on_and_is_picked_from(run: Run, old: Path, tmp_path: Path):
    where = ["--storage", old / "study.db", "--study", "s"]
    assert run("pick", *where, "--trial", 2, "--out", tmp_path / "again.json").status == 0
    picks = [json.loads(path.read_text()) for path in (old / "picked.json", tmp_path / "again.json")]
    assert picks[0].pop("storage") == "sqlite:////tmp/v0.1.0/study.db"
    assert picks[1].pop("storage") == f"sqlite:///{old / 'study.db'}"
    assert picks[1].pop("reason") == "trial 2: picked by its number"
    assert picks[0] == picks[1]
    done = run(*search_command(old, old / "study.db", "s", 8))
    assert done.status == 0, done.err
    assert "study s: 8 trials" in done.out
    done = run("front", *where, "--out", tmp_path / "front.html")
    assert done.status == 0, done.err
    assert "<html" in (tmp_path / "front.html").read_text(encoding="utf-8")
    assert run("pick", *where, "--trial", 7, "--out", tmp_path / "new.json").status == 0
    assert json.loads((tmp_path / "new.json").read_text())["supernet_sha256"] == picks[0]["supernet_sha256"]


def test_a_study_in_a_journal_goes_on_and_is_picked_from(run: Run, old: Path, tmp_path: Path):
    storage = f"journal://{old / 'study.log'}"
    command = search_command(old, storage, "j", 8)
    done = run(*command, "--sampler", "front", "--objective", "memory", "--max-params", 800000)
    assert done.status == 0, done.err
    assert "study j: 8 trials" in done.out
    where = ["--storage", storage, "--study", "j", "--out"]
    assert run("front", *where, tmp_path / "front.html").status == 0
    assert "Memory traffic (GB)" in (tmp_path / "front.html").read_text(encoding="utf-8")
    done = run("pick", *where, tmp_path / "picked.json", "--max-latency-ms", 20)
    assert done.status == 0, done.err
    pick = json.loads((tmp_path / "picked.json").read_text())
    assert pick["latency_ms"] <= 20
    assert pick["params"] <= 800000


def test_the_history_is_kept_and_grows(run: Run, old: Path, tmp_path: Path):
    model = tmp_path / "small.tflite"
    command = ["export", old / "subgenerator.safetensors", "--size", "16x16", "--out", model]
    done = run(*command, "--photo", old / "validation" / "drawn_3.png", "--storage", old / "study.db")
    assert done.status == 0, done.err
    done = run("history", "--storage", old / "study.db", "--study", "s", "--json")
    assert done.status == 0, done.err
    (trial,) = json.loads(done.out)["trials"]
    assert trial["trial"] == 2
    (pick,) = trial["made"]
    (tuned,) = pick["then"]
    before, now = tuned["then"]
    (phone,) = before["then"]
    kinds = [made["kind"] for made in (pick, tuned, before, now, phone)]
    assert kinds == ["pick", "finetune", "export", "export", "measure"]
    assert pick["sha256"] == sha256(old / "picked.json")
    assert tuned["sha256"] == sha256(old / "subgenerator.safetensors")
    assert now["sha256"] == sha256(model)
    assert phone["facts"]["device"] == "an invented phone"


def test_costs_are_what_the_pick_says(run: Run, old: Path):
    pick = json.loads((old / "picked.json").read_text())
    widths = ",".join(map(str, pick["widths"]))
    done = run("costs", "--widths", widths, "--residual", "bicubic", "--json")
    assert done.status == 0, done.err
    costs = json.loads(done.out)
    assert {name: pick[name] for name in ("params", "flops", "memory_bytes")}.items() <= costs.items()
