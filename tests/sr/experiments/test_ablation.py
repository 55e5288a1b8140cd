import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.scores import as_method, enlarge_bicubic, mean_psnr_db, score
from mfagan.graph.costs import sum_costs
from mfagan.pretrained import Lpips
from mfagan.sr.experiments import ablation
from mfagan.sr.experiments.ablation import PRUNED, rules
from mfagan.sr.experiments.paper_tables import TABLE_1
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.mfanet import operators
from mfagan.sr.training.run import SRRun
from mfagan.sr.training.stages import SUPERNET
from mfagan.training.run import StageFiles
from tests import tiny

Table = tuple[SRRun, ExperimentReport]
BUDGET = "Steps: teacher 2, teacher_gan 2, distill 2, supernet 8, finetune 4; batches of 1 crops of 16 LR px."


@pytest.fixture(scope="module")
def compression(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Table:
    run = tiny.prepare_ablation(trained, tmp_path_factory.mktemp("compression"))
    return run, ablation.ablate_compression(run)


@pytest.fixture(scope="module")
def sampling(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Table:
    run = tiny.prepare_ablation(trained, tmp_path_factory.mktemp("sampling"))
    return run, ablation.compare_sampling(run)


@pytest.fixture(scope="module")
def discriminators(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Table:
    run = tiny.prepare_ablation(trained, tmp_path_factory.mktemp("discriminators"), ["teacher"])
    run = dataclasses.replace(run, recipe=run.recipe.with_stage("teacher_gan", validate_every=1))
    return run, ablation.compare_discriminators(run)


def column(report: ExperimentReport, name: str, group: str = "") -> list:
    (place,) = [i for i, one in enumerate(report.columns) if (one.name, one.group) == (name, group)]
    return [row[place] for row in report.rows]


def record(path: Path) -> dict:
    return dict(checkpoint.read(path).record)


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.safetensors")}


def bicubic_db(run: SRRun) -> float:
    (pair,) = run.validation
    return score(enlarge_bicubic(pair), pair).psnr_db


class Difference(nn.Module):
    """In the place of LPIPS's network: the mean absolute difference, in [0, 2]."""

    def forward(self, images: Tensor, references: Tensor) -> Tensor:
        return (images - references).abs().mean((1, 2, 3))


LPIPS = Lpips(Difference(), "of nothing")


def lpips_of(path: Path, run: SRRun) -> float:
    (pair,) = run.validation
    found = score(as_method(load_generator(path))(pair), pair, LPIPS).lpips
    assert found is not None
    return found


SAMPLING = pytest.param("sampling", marks=pytest.mark.slow)  # ten trainings, each ranked by 200 slices


@pytest.mark.parametrize("table", ["compression", SAMPLING, "discriminators"])
def test_every_row_has_every_column_and_the_budget_is_told(table: str, request: pytest.FixtureRequest):
    _, report = request.getfixturevalue(table)
    assert all(len(row) == len(report.columns) for row in report.rows)
    heads = [(one.group, one.name) for one in report.columns]
    assert len(set(heads)) == len(heads)
    assert report.notes[-1] == BUDGET


@pytest.mark.parametrize(
    ("table", "make"),
    [
        ("compression", ablation.ablate_compression),
        pytest.param("sampling", ablation.compare_sampling, marks=pytest.mark.slow),
        ("discriminators", ablation.compare_discriminators),
    ],
)
def test_again_it_trains_nothing_and_tells_the_same(table: str, make, request: pytest.FixtureRequest):
    run, report = request.getfixturevalue(table)
    before = contents(run.options.folder)
    assert make(run) == report
    assert contents(run.options.folder) == before
    assert not list(run.options.folder.rglob("*.state"))


# Table 1


def test_the_papers_figures_stand_beside_ours(compression: Table):
    _, report = compression
    assert column(report, "column") == [
        "MFAGAN_L", "distilled G and D", "distilled G", "pruned", "distilled G and D, pruned"
    ]  # fmt: skip
    assert column(report, "PSNR", "paper, Set5, quoted") == [30.32, 30.65, 28.56, 29.19, 30.16]
    assert column(report, "LPIPS", "paper, Set5, quoted") == [0.0527, 0.0558, 0.0878, 0.0672, 0.0571]
    assert column(report, "D channels") == [6, 4, 6, 6, 4]


def test_the_pruned_slice_costs_what_the_papers_does():
    costs, paper = sum_costs(operators(PRUNED, 128, 128)), TABLE_1[-1]
    assert costs.flops_g == pytest.approx(paper.flops_g, rel=0.005)
    assert costs.memory_gb == pytest.approx(paper.memory_gb, abs=0.0005)
    assert costs.params_m == pytest.approx(paper.params_m, abs=0.0005)


def test_figures_are_those_of_the_files(compression: Table):
    run, report = compression
    folder = run.options.folder
    files = [
        folder / "teacher_gan.safetensors",
        folder / "student.safetensors",
        folder / "distill_g" / "student.safetensors",
        folder / "prune" / "subgenerator.safetensors",
        folder / "subgenerator.safetensors",
    ]
    expected = [mean_psnr_db(load_generator(path), run.validation) for path in files]
    assert column(report, "PSNR-Y", "validation images") == pytest.approx(expected, abs=1e-6)
    assert len(set(expected)) == 5
    counts = [checkpoint.count_parameters(checkpoint.read(path)) / 1e6 for path in files]
    assert column(report, "params") == pytest.approx(counts)
    assert counts[1] == counts[2] > counts[3] == counts[4]
    assert f"Bicubic: {bicubic_db(run):.3f} dB on validation images." in report.notes


def test_each_network_is_trained_as_its_name_says(compression: Table):
    run, _ = compression
    folder = run.options.folder
    alone, both = record(folder / "distill_g" / "student.safetensors"), record(folder / "student.safetensors")
    assert alone["parents"] == both["parents"]
    weights = [one["recipe"]["stages"]["distill"]["weights"] for one in (alone, both)]
    assert weights[0] == weights[1] | {"distill_d": 0.0}
    assert [one["recipe"]["student_discriminator"] for one in (alone, both)] == [6, 4]
    pruned, ours = (record(one / "supergenerator.safetensors") for one in (folder / "prune", folder))
    assert list(pruned["parents"]) == ["teacher_gan.safetensors"]
    assert list(ours["parents"]) == ["student.safetensors"]
    assert pruned["steps"] == ours["steps"] == 8
    slices = [folder / "prune" / "subgenerator.safetensors", folder / "subgenerator.safetensors"]
    for path, discriminator in zip(slices, ("teacher_discriminator", "discriminator"), strict=True):
        tuned = record(path)
        assert tuned["widths"] == list(PRUNED) == load_generator(path).config()["widths"]
        assert tuned["parents"] == {
            f"{discriminator}.safetensors": checkpoint.sha256(folder / f"{discriminator}.safetensors")
        }
        assert tuned["supernet_sha256"] == checkpoint.sha256(path.with_name("supergenerator.safetensors"))
        assert tuned["steps"] == 4


def test_a_slice_of_another_supergenerator_is_refused(trained: Path, tmp_path: Path):
    """It was left as finished when the SuperGenerator beside it was trained again."""
    run = tiny.prepare_ablation(trained, tmp_path)
    discriminator = tmp_path / "discriminator.safetensors"
    path = ablation.tune_slice(run, PRUNED, discriminator)
    (tmp_path / "supergenerator.safetensors").unlink()
    files = StageFiles(sources={"student": tmp_path / "teacher_gan.safetensors"})
    run.varied("longer").train(SUPERNET, files)
    (tmp_path / "longer" / "supergenerator.safetensors").rename(tmp_path / "supergenerator.safetensors")
    with pytest.raises(InputError, match=rf"{path.name} was made with other settings \(supernet_sha256 was"):
        ablation.tune_slice(run, PRUNED, discriminator)


def test_lpips_stands_beside_the_papers(compression: Table):
    run, without = compression
    report, folder = ablation.ablate_compression(run, LPIPS), run.options.folder
    assert [one for one in report.columns if one.name != LPIPS.name] == without.columns
    found = column(report, "LPIPS of nothing v0.1", "validation images")
    assert found[:2] == [lpips_of(folder / f"{name}.safetensors", run) for name in ("teacher_gan", "student")]
    assert len(set(found)) == 5
    assert "The paper does not name LPIPS's net." in report.notes


@pytest.mark.parametrize(
    ("images", "validation", "name", "source"),
    [
        ("embedded", None, "held-out photos", "embedded"),
        (["embedded"], None, "held-out photos", "embedded"),
        (["DIV2K"], "embedded", "held-out photos", "embedded"),
        (["embedded", "DIV2K"], None, "validation images", "embedded, DIV2K"),
        (["embedded"], "Set5", "validation images", "Set5"),
    ],
)
def test_the_images_are_called_what_they_are(
    trained: Path, tmp_path: Path, images: list[str], validation: str | None, name: str, source: str
):
    run = tiny.prepare_ablation(trained, tmp_path, [])
    options = dataclasses.replace(run.options, images=images, validation=validation)
    assert ablation.score(dataclasses.replace(run, options=options), {}).sources == {name: source}


def test_networks_are_scored_and_ranked_on_the_runs_device(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """On PyTorch's device without numbers, which every machine has: no picture comes back from there."""
    run, path = tiny.prepare_ablation(trained, tmp_path, []), trained / "supergenerator.safetensors"
    monkeypatch.setattr(type(run.fabric), "device", torch.device("meta"))
    with pytest.raises(NotImplementedError, match="meta"):
        ablation.score(run, {"full": path})
    with pytest.raises(NotImplementedError, match="meta"):
        ablation.rank(run, path, n=1)


# Sampling


@pytest.mark.slow
def test_rules_are_trained_alike_but_for_their_rule(sampling: Table):
    run, report = sampling
    names = list(rules(8))
    names.insert(2, "sandwich, biases calibrated")
    assert column(report, "rule") == [*names, "grown from 24 channels, then sandwich"]
    files = [run.options.folder / f"sampling_{i}" / "supergenerator.safetensors" for i in range(1, 9)]
    records = [record(path) for path in files]
    stages = [one["recipe"]["stages"]["supernet"] for one in records]
    drawn = [stage.pop("sampling") for stage in stages]
    assert [(one["rule"], one["in_place"], one["full_first"]) for one in drawn] == [
        ("random", 0, 0), ("sandwich", 0, 0), ("sandwich", 1, 0), ("sandwich", 1, 4), ("sandwich", 0, 4),
        ("sandwich", 0, 0), ("sandwich", 0, 0), ("sandwich", 0, 0),
    ]  # fmt: skip
    assert [(one["n_random"], one["narrow_weight"], one["sort"]) for one in drawn[5:]] == [
        (2, 1, True), (1, 2, True), (1, 1, False)
    ]  # fmt: skip
    assert all(stage == stages[0] for stage in stages)
    for one in records:
        assert one["steps"] == 8
        assert one["parents"] == records[0]["parents"]
    assert any(note.startswith("Inherited weights; 8 steps each, from one student") for note in report.notes)


@pytest.mark.slow
def test_the_grown_supergenerator_starts_from_the_narrowest_width(sampling: Table):
    run, _ = sampling
    folder = run.options.folder / "sampling_grown"
    narrow, grown = record(folder / "teacher.safetensors"), record(folder / "supergenerator.safetensors")
    assert checkpoint.read(folder / "teacher.safetensors").config["widths"] == [24] * 8
    assert narrow["steps"] == run.settings("teacher").steps
    assert grown["parents"] == {"teacher.safetensors": checkpoint.sha256(folder / "teacher.safetensors")}
    assert grown["steps"] == 8


@pytest.mark.slow
def test_calibrated_slices_are_scored_as_calibrated(sampling: Table):
    _, report = sampling
    sandwich, calibrated = (row[1:4] for row in report.rows[1:3])
    assert calibrated[0] == pytest.approx(sandwich[0], abs=1e-4)  # the full width needs no calibration
    assert calibrated[1:] != pytest.approx(sandwich[1:], abs=1e-6)


@pytest.mark.slow
def test_sampling_figures_are_those_of_the_slices(sampling: Table):
    run, report = sampling
    path = run.options.folder / "sampling_2" / "supergenerator.safetensors"
    for width in (48, 32, 24):
        expected = mean_psnr_db(load_generator(path, str(width)), run.validation)
        assert column(report, str(width), "everywhere")[1] == pytest.approx(expected, abs=1e-4)
    spread = [column(report, name, "200 drawn") for name in ("least", "mean", "most")]
    for least, mean, most in zip(*spread, strict=True):
        assert least < mean < most
    assert all(-1 <= one <= 1 for one in column(report, "Spearman", "PSNR, FLOPs"))


# Discriminators


def test_one_teacher_against_two_discriminators(discriminators: Table):
    run, report = discriminators
    folder = run.options.folder
    assert column(report, "discriminator") == ["PatchGAN", "ESRGAN's"]
    places = [folder, folder / "esrgan_discriminator"]
    kinds = [checkpoint.read(place / "teacher_discriminator.safetensors").network for place in places]
    assert kinds == ["patchgan", "esrgan_discriminator"]
    records = [record(place / "teacher_gan.safetensors") for place in places]
    assert records[0]["parents"] == records[1]["parents"]
    assert records[0]["recipe"] | {"discriminator": "esrgan"} == records[1]["recipe"]
    curves = [dict(one["validation_curve"]) for one in records]
    for step in (1, 2):
        assert column(report, f"step {step}", "PSNR-Y during stage 1b") == [curve[step] for curve in curves]
    expected = [
        mean_psnr_db(load_generator(place / "teacher_gan.safetensors"), run.validation) for place in places
    ]
    assert column(report, "PSNR-Y", "validation images") == pytest.approx(expected, abs=1e-6)
    assert expected[0] != expected[1]


def test_lpips_of_the_discriminators(discriminators: Table):
    run, _ = discriminators
    report = ablation.compare_discriminators(run, LPIPS)
    places = [run.options.folder, run.options.folder / "esrgan_discriminator"]
    assert column(report, "LPIPS of nothing v0.1", "validation images") == [
        lpips_of(place / "teacher_gan.safetensors", run) for place in places
    ]


def test_crops_that_do_not_suit_esrgans_are_refused_before_any_training(trained: Path, tmp_path: Path):
    run = tiny.prepare_ablation(trained, tmp_path, [], crop_px=20)
    with pytest.raises(InputError, match="images of 80 px"):
        ablation.compare_discriminators(run)
    assert not list(tmp_path.rglob("*.safetensors"))
