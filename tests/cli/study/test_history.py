"""What became of a study's trials, recorded by the commands and listed by `mfagan history`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mfagan import checkpoint
from mfagan.cli.options import command_line
from mfagan.cli.study.history import Lineage
from mfagan.sr.study.picked import Picked, read_picked
from mfagan.sr.training import finetune as finetuning
from search.storage import ledger
from tests.command import Run
from tests.search import postgres

STUDY = ("--study", "s")


@pytest.fixture
def study(run: Run, trained: Path, table: Path, tmp_path: Path) -> Path:
    """A folder with a study of six trials in study.db and its knee in picked.json."""
    search(run, trained, table, tmp_path / "study.db")
    assert (
        run(
            "pick", "--storage", tmp_path / "study.db", *STUDY, "--knee", "--out", tmp_path / "picked.json"
        ).status
        == 0
    )
    return tmp_path


def search(run: Run, trained: Path, table: Path, storage: object) -> None:
    command = [
        "search",
        "--supernet",
        trained / "supergenerator.safetensors",
        "--lut",
        table,
        "--storage",
        storage,
    ]
    command += ["--images", trained / "photos", "--crop", 32, "--max-images", 1, "--device", "cpu"]
    done = run(*command, *STUDY, "--trials", 6, "--population", 4, "--seed", 1)
    assert done.status == 0, done.err


def finetune(folder: Path, trained: Path, *more: object) -> list[object]:
    command: list[object] = ["finetune", folder / "picked.json", "--out", folder / "small.safetensors", *more]
    return [
        *command,
        "--discriminator",
        trained / "discriminator.safetensors",
        "--images",
        trained / "photos",
    ]


def export(folder: Path, trained: Path, *more: object) -> list[object]:
    command: list[object] = ["export", folder / "small.safetensors", "--out", folder / "small.tflite", *more]
    return [*command, "--size", "16x20", "--photo", trained / "photos" / "photo_1.png"]


def kinds(storage: object) -> list[str]:
    return [entry.kind for entry in ledger.read(str(storage), "s")]


def test_from_the_study_to_the_exported_file(
    run: Run, study: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(study)  # the pick tells the storage's whole path
    names = ("picked.json", "small.safetensors", "small.tflite")
    picked, small, model = (study / name for name in names)
    assert run("pick", "--storage", "study.db", *STUDY, "--knee", "--out", "picked.json").status == 0
    tuned = run(*finetune(study, trained))
    assert tuned.status == 0, tuned.err
    card = json.loads((study / "small.safetensors.card.json").read_text())
    assert card["resources"][0]["sha256"] == checkpoint.sha256(small)
    assert run(*export(study, trained)).status == 0
    assert run(*finetune(study, trained)).status == 0  # finished already, and recorded already
    measured = run(*export(study, trained, "--measure", "--threads", 1))
    assert "ms in LiteRT with 1 threads" in measured.out
    assert kinds("study.db") == ["pick", "finetune", "export", "measure"]

    found = json.loads(run("history", "--storage", "study.db", *STUDY, "--json").out)
    assert (found["study"], found["n_trials"]) == ("s", 6)
    assert found["identity"]["supernet_sha256"] == checkpoint.sha256(trained / "supergenerator.safetensors")
    (trial,) = found["trials"]
    choice = read_picked(picked)
    assert trial["trial"] == choice.trial
    assert tuple(trial["choice"].values()) == choice.widths
    assert trial["values"] == {"psnr_db": choice.psnr_db, "latency_ms": choice.latency_ms}
    chain, (made,) = [], trial["made"]
    while True:
        chain.append(made)
        if not made["then"]:
            break
        (made,) = made["then"]
    assert [one["kind"] for one in chain] == ["pick", "finetune", "export", "measure"]
    files = [picked, small, model, model]
    assert [one["file"] for one in chain] == [str(file) for file in files]
    assert [one["sha256"] for one in chain] == [checkpoint.sha256(file) for file in files]
    assert [one["sha256_now"] for one in chain] == [checkpoint.sha256(file) for file in files]
    record = checkpoint.read(small).record
    assert chain[1]["facts"]["psnr_before_db"] == record["psnr_before_db"]
    assert chain[1]["facts"]["psnr_after_db"] == record["psnr_after_db"]
    assert chain[2]["facts"]["size"] == "16x20"
    assert chain[3]["facts"]["threads"] == 1
    assert chain[3]["facts"]["latency_ms"] > 0
    assert "cores" in chain[3]["facts"]["device"]
    assert record["storage"] == choice.storage == f"sqlite:///{study / 'study.db'}"

    lines = run("history", "--storage", "study.db", *STUDY).out.splitlines()
    shown = [line for line in lines if "  " + "20" in line[:8]]
    assert lines[0].startswith("study s in study.db: 6 trials")
    assert f"{small}  {checkpoint.sha256(small)[:12]}  {record['psnr_before_db']:.3f} dB before" in shown[1]
    assert [line.split()[2] for line in shown] == ["picked", "fine-tuned", "exported", "measured"]
    assert not any(word in line for line in lines for word in ("missing", "changed"))

    on_phone = ("--latency-ms", 41.25, "--measured-on", "Pixel 8", "--threads", 4)
    told = run("record", model, *on_phone, "--storage", "study.db", *STUDY)
    assert told.answer == f"trial {choice.trial}: 41.2 ms, 4 threads, Pixel 8, LiteRT\n"
    lines = run("history", "--storage", "study.db", *STUDY).out.splitlines()
    assert lines[-1].endswith("  measured  41.2 ms, 4 threads, Pixel 8, LiteRT")
    refused = run("record", small, *on_phone, "--storage", "study.db", *STUDY)
    assert refused.status == 2
    assert "is no file that was exported from study 's' in study.db" in refused.err

    small.rename(study / "elsewhere.safetensors")
    model.write_bytes(b"something else")
    text = run("history", "--storage", "study.db", *STUDY).out
    assert f"{chain[1]['sha256'][:12]} (missing)" in text
    assert f"{chain[2]['sha256'][:12]} (changed, now {checkpoint.sha256(model)[:12]})" in text
    moved = json.loads(run("history", "--storage", "study.db", *STUDY, "--json").out)
    assert moved["trials"][0]["made"][0]["then"][0]["sha256_now"] is None


@pytest.mark.parametrize(
    ("file", "latency_ms", "device", "words"),
    [
        ("absent.tflite", 1, "x", "absent.tflite: No such file or directory; name a file"),
        (".", 1, "x", "Is a directory; name a file"),
        ("picked.json", 0, "x", "latency 0.0 ms: give a positive number"),
        ("picked.json", "inf", "x", "latency inf ms: give a positive number"),
        ("picked.json", 1, " ", "no device: name the one"),
    ],
)
def test_record_refuses(run: Run, study: Path, file: str, latency_ms: object, device: str, words: str):
    command = ["record", study / file, "--latency-ms", latency_ms, "--measured-on", device]
    assert words in run(*command, "--storage", study / "study.db", *STUDY).message
    assert kinds(study / "study.db") == ["pick"]


def test_what_came_with_the_package_has_no_history_here(run: Run, tmp_path: Path):
    done = run("export", "perceptual", "--size", "16x20", "--out", tmp_path / "looks.tflite", "--quiet")
    assert (done.status, done.err) == (0, "")


def test_what_was_fine_tuned_has_no_slices(run: Run, study: Path, trained: Path):
    assert run(*finetune(study, trained)).status == 0
    picked = read_picked(study / "picked.json").widths
    assert picked != (24,) * 8
    assert "has no slices; leave the widths out" in run(*export(study, trained, "--widths", "24")).message
    assert kinds(study / "study.db") == ["pick", "finetune"]
    assert run(*export(study, trained, "--widths", ",".join(map(str, picked)))).status == 0
    assert kinds(study / "study.db") == ["pick", "finetune", "export"]


def test_a_pick_may_be_replaced_while_it_is_fine_tuned(
    run: Run, study: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
):
    picked = study / "picked.json"
    content = checkpoint.sha256(picked)

    def replace_and_tune(*given: Any) -> finetuning.FineTuned:
        picked.unlink()
        return tune(*given)

    tune = finetuning.finetune
    monkeypatch.setattr(finetuning, "finetune", replace_and_tune)
    done = run(*finetune(study, trained))
    assert done.status == 0, done.err
    assert ledger.read(str(study / "study.db"), "s")[-1].parent == content


def test_a_study_that_nothing_was_made_from(run: Run, trained: Path, table: Path, tmp_path: Path):
    search(run, trained, table, tmp_path / "study.db")
    assert "nothing was made from it yet" in run("history", "--storage", tmp_path / "study.db", *STUDY).out
    assert (
        json.loads(run("history", "--storage", tmp_path / "study.db", *STUDY, "--json").out)["trials"] == []
    )
    assert "no study 'x'" in run("history", "--storage", tmp_path / "study.db", "--study", "x").message
    assert "there is no storage" in run("history", "--storage", tmp_path / "absent.db", *STUDY).message


def test_a_pick_of_an_earlier_version_needs_the_storage_named(run: Run, study: Path, trained: Path):
    facts = json.loads((study / "picked.json").read_text())
    del facts["storage"]
    (study / "picked.json").write_text(json.dumps(facts))
    absent = run(*finetune(study, trained, "--storage", study / "absent.db"))
    assert "there is no storage" in absent.message
    assert not (study / "small.safetensors").exists()
    done = run(*finetune(study, trained))
    assert done.status == 0, done.err
    assert "the pick does not say where its study is kept); --storage tells where it is kept" in done.err
    assert kinds(study / "study.db") == ["pick"]
    assert run(*finetune(study, trained, "--storage", study / "study.db")).status == 0
    assert run(*export(study, trained, "--storage", study / "study.db")).status == 0
    assert kinds(study / "study.db") == ["pick", "finetune", "export"]


def test_a_storage_that_is_gone_or_holds_another_study(run: Run, study: Path, trained: Path, table: Path):
    (study / "study.db").rename(study / "old.db")
    done = run(*finetune(study, trained))
    assert done.status == 0, done.err
    assert f"there is no storage {study / 'study.db'}" in done.err
    assert not (study / "study.db").exists()
    table_of_another_device = study / "table.json"
    facts = json.loads(table.read_text())
    for entry in facts["entries"].values():
        entry["latency_ms"] *= 2
    table_of_another_device.write_text(json.dumps(facts))
    search(run, trained, table_of_another_device, study / "study.db")
    done = run(*export(study, trained))
    assert done.status == 0, done.err
    assert "is not the one that was picked" in done.err
    assert (
        "is not the one that was picked"
        in run(*export(study, trained, "--storage", study / "study.db")).message
    )
    assert kinds(study / "study.db") == []
    assert run(*export(study, trained, "--storage", study / "old.db")).status == 0
    assert kinds(study / "old.db") == ["pick", "export"]


def test_a_file_that_cannot_be_recorded_is_reported(study: Path, caplog: pytest.LogCaptureFixture):
    picked = read_picked(study / "picked.json")
    Lineage(picked, str(study / "absent.db")).record("export", study / "picked.json", None, {})
    assert (
        f"{study / 'picked.json'} is not recorded in the study's history: there is no storage" in caplog.text
    )


def test_a_network_that_was_never_picked(run: Run, study: Path, trained: Path):
    command = ["export", trained / "student.safetensors", "--size", "8x8", "--out", study / "m.tflite"]
    command += ["--photo", trained / "photos" / "photo_1.png"]
    done = run(*command)
    assert (done.status, "history" in done.err) == (0, False)
    assert "was not fine-tuned from a pick" in run(*command, "--storage", study / "study.db").message
    found = checkpoint.read(trained / "student.safetensors")
    odd = checkpoint.Checkpoint(found.network, "x", found.config, found.state, {"picked": {"trial": -1}})
    checkpoint.save(study / "odd.safetensors", odd)
    assert "its pick: " in run("export", study / "odd.safetensors", *command[2:]).message


def test_passwords_are_not_in_the_recorded_command(monkeypatch: pytest.MonkeyPatch):
    url = "postgresql+psycopg://user:s3cret@host/db"
    for given in (["--storage", url], [f"--storage={url}"], ["--storage", "user:s3cret@host/db"]):
        monkeypatch.setattr(
            sys, "argv", ["mfagan", "export", "a b.safetensors", *given, "--out", "x@4.tflite"]
        )
        assert "s3cret" not in command_line()
        assert command_line().startswith("mfagan export 'a b.safetensors' ")
        assert command_line().endswith(" --out x@4.tflite")


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    with postgres.serve() as server:
        yield server


@pytest.mark.slow
def test_a_password_is_in_no_file_and_no_entry(
    run: Run, server: postgres.Server, trained: Path, table: Path, tmp_path: Path
):
    search(run, trained, table, server.url)
    assert (
        run("pick", "--storage", server.url, *STUDY, "--knee", "--out", tmp_path / "picked.json").status == 0
    )
    picked: Picked = read_picked(tmp_path / "picked.json")
    assert picked.storage == server.url.replace("s3cret%2Fwords", "***")
    unrecorded = run(*finetune(tmp_path, trained))
    assert unrecorded.status == 0, unrecorded.err
    assert "without its password); --storage tells where it is kept" in unrecorded.err
    wrong = run(*finetune(tmp_path, trained, "--storage", server.url.replace("s3cret", "wr0ng")))
    assert "wr0ng" not in wrong.message
    assert run(*finetune(tmp_path, trained, "--restart", f"--storage={server.url}")).status == 0
    assert run(*export(tmp_path, trained, "--storage", server.url)).status == 0
    told = run("history", "--storage", server.url, *STUDY)
    assert [word for word in ("picked ", "fine-tuned ", "exported ") if word not in told.out] == []
    as_json = run("history", "--storage", server.url, *STUDY, "--json")
    entries = repr(ledger.read(server.url, "s"))
    texts = [told.out, told.err, as_json.out, unrecorded.err, entries]
    contents = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in ("s3cret", postgres.PASSWORD):
        assert not any(secret in text for text in texts)
        assert not any(secret.encode() in content for content in contents)
    assert b"***" in (tmp_path / "small.safetensors").read_bytes()[:20_000]
