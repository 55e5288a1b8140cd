"""Model cards in OpenModelDB's fields, beside the files that the commands write."""

import json
import shutil
from pathlib import Path

import torch

import mfagan
from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.deploy.model_card import card_path, describe_checkpoint, write_card
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from tests.command import Run


def test_the_card_of_a_checkpoint(tmp_path: Path):
    network = MFANet(Widths.uniform(4), 3)
    record = {
        "stage": "teacher",
        "steps": 7,
        "images": ["DIV2K", "Kodak"],
        "training_images": ["a", "b", "c"],
        "terms": "research alone",
    }
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, Checkpoint("mfanet", "generator", network.config(), network.state_dict(), record))
    card = describe_checkpoint(path)
    assert (card["name"], card["architecture"], card["scale"]) == ("small", "mfanet", 3)
    assert card["size"] == ["4,4,4,4,4,4,4,4"]
    assert (card["dataset"], card["datasetSize"], card["trainedIterations"]) == ("DIV2K, Kodak", 3, 7)
    assert (card["license"], card["terms"]) == (None, "research alone")
    assert card["description"] == "mfanet, enlarges by 3, trained in stage teacher"
    (resource,) = card["resources"]
    assert (resource["platform"], resource["type"]) == ("pytorch", "safetensors")
    assert (resource["size"], resource["sha256"]) == (path.stat().st_size, checkpoint.sha256(path))
    assert write_card(path, card) == card_path(path) == tmp_path / "small.safetensors.card.json"
    assert json.loads(card_path(path).read_text()) == card


def test_training_writes_the_cards_of_generators(run: Run, trained: Path, tmp_path: Path):
    shutil.copy(trained / "teacher.safetensors", tmp_path)
    done = run(
        *("train", trained / "tiny.toml", "--stage", "teacher_gan", "--out", tmp_path, "--max-steps", 1),
        *("--images", trained / "photos", "--device", "cpu", "--terms", "for tests"),
    )
    assert done.status == 0, done.err
    cards = sorted(path.name for path in tmp_path.glob("*.card.json"))
    assert cards == ["teacher_gan.safetensors.card.json"]  # and none of the discriminator
    path = tmp_path / "teacher_gan.safetensors"
    card = json.loads(card_path(path).read_text())
    assert card == describe_checkpoint(path)
    assert "for tests" in card["terms"]


def test_an_export_from_python_has_a_card_and_facts(trained: Path, tmp_path: Path):
    out, photo = tmp_path / "m.tflite", trained / "photos" / "photo_0.png"
    source = trained / "student.safetensors"
    mfagan.export(source, out, (8, 8), photo)
    card = json.loads(card_path(out).read_text())
    assert card["resources"][0]["sha256"] == checkpoint.sha256(out)
    assert card["trainedIterations"] == checkpoint.read(source).record["steps"]
    torch.save(checkpoint.read(source).state, tmp_path / "bare.pth")
    mfagan.export(tmp_path / "bare.pth", out, (8, 8), photo)
    card = json.loads(card_path(out).read_text())
    assert (card["trainedIterations"], card["dataset"], card["scale"]) == (None, None, 4)
