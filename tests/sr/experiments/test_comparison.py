import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from mfagan import checkpoint
from mfagan.data.splits import read_pairs
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.graph.costs import trace_costs
from mfagan.sr.experiments import comparison
from mfagan.sr.experiments.ranking import Slice
from mfagan.sr.kinds import PEERS, build, load_generator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.run import SRRun
from mfagan.training.loop import Diverged
from tests import tiny

CHOICES = [Widths.uniform(24), Widths.parse("32,24,24,32,48,24,24,48")]
FILES = ["24-24-24-24-24-24-24-24", "32-24-24-32-48-24-24-48"]
L1 = {"recon": 1.0, "distill_g": 0.0, "distill_d": 0.0, "percep": 0.0, "adv": 0.0}


def pick(slices: Sequence[Slice], n: int) -> list[Widths]:
    assert len(slices) == 203
    assert n == 5
    return CHOICES


@pytest.fixture(scope="module")
def run(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> SRRun:
    return tiny.prepare_ablation(trained, tmp_path_factory.mktemp("comparison"))


@pytest.fixture(scope="module")
def choices(run: SRRun) -> list[Widths]:
    return comparison.pick_slices(run, pick)


@pytest.fixture(scope="module")
def slices(run: SRRun, choices: list[Widths]) -> ExperimentReport:
    return comparison.compare_slices(run, choices)


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """Latencies of small images, which take no time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "INPUT_SIZE", (16, 16))
        yield


@pytest.fixture(scope="module")
def peers(run: SRRun, choices: list[Widths], small: None) -> ExperimentReport:
    return comparison.compare_peers(run, choices)


def column(report: ExperimentReport, name: str) -> list:
    (place,) = [i for i, one in enumerate(report.columns) if one.name == name]
    return [row[place] for row in report.rows]


def psnr_db(run: SRRun, name: str, widths: Widths | None = None) -> float:
    return mean_psnr_db(load_generator(file(run, name), widths), run.validation)


def file(run: SRRun, name: str) -> Path:
    return run.options.folder / "l1" / f"{name}.safetensors"


def test_ours_go_the_way_of_the_package_without_an_adversary(run: SRRun, slices: ExperimentReport):
    full, supernet = (checkpoint.read(file(run, name)) for name in ("teacher", "supergenerator"))
    assert full.config["widths"] == [48] * 8 == supernet.config["widths"]
    assert supernet.record["parents"] == {"teacher.safetensors": checkpoint.sha256(file(run, "teacher"))}
    for found in (full, supernet):
        assert {tuple(stage["weights"].items()) for stage in found.record["recipe"]["stages"].values()} == {  # type: ignore[index]
            tuple(L1.items())
        }


def test_gains_are_differences_of_the_files_figures(run: SRRun, slices: ExperimentReport):
    assert column(slices, "widths") == [str(widths) for widths in CHOICES]
    tuned, alone = column(slices, "fine-tuned"), column(slices, "from scratch")
    assert tuned == pytest.approx([psnr_db(run, f"tuned_{one}") for one in FILES], abs=1e-6)
    assert alone == pytest.approx([psnr_db(run, f"scratch_{one}") for one in FILES], abs=1e-6)
    inherited = [psnr_db(run, "supergenerator", widths) for widths in CHOICES]
    assert column(slices, "inherited") == pytest.approx(inherited, abs=1e-4)
    gains = column(slices, "gain")
    assert gains == [one - other for one, other in zip(tuned, alone, strict=True)]
    assert slices.notes[0] == f"Median gain {sum(gains) / 2:+.3f} dB (aim: at least 0)."


def test_from_scratch_has_the_steps_and_the_loss_of_the_slice(run: SRRun, slices: ExperimentReport):
    for name, widths in zip(FILES, CHOICES, strict=True):
        tuned, alone = (checkpoint.read(file(run, f"{kind}_{name}")) for kind in ("tuned", "scratch"))
        assert (tuned.role, alone.role) == ("subgenerator", "alone")
        assert tuned.config == alone.config
        assert tuned.config["widths"] == list(widths)
        assert (tuned.record["steps"], alone.record["steps"]) == (4, 12)
        settings = [
            found.record["recipe"]["stages"][stage]  # type: ignore[index]
            for found, stage in ((tuned, "finetune"), (alone, "teacher"))
        ]
        assert [one["weights"] for one in settings] == [L1, L1]
        assert [one["validate_every"] for one in settings] == [2, 2]
        assert alone.record["parents"] == {}
        assert alone.record["training_images"] == tuned.record["training_images"]
    assert "From scratch: 12 steps each" in slices.notes[1]


def test_peers_are_of_the_file_they_name(run: SRRun, peers: ExperimentReport):
    files = {f"ours, {widths}": f"tuned_{name}" for widths, name in zip(CHOICES, FILES, strict=True)}
    files |= {
        "RRDBNet, 3 blocks": "peer_rrdbnet__3_blocks",
        "IMDN": "peer_imdn",
        "RFDN": "peer_rfdn",
        "SPAN": "peer_span",
        "SPAN, 28 features": "peer_span__28_features",
        "SPANV2": "peer_spanv2",
        "QuickSRNet-Large": "peer_quicksrnet_large",
        "SRVGGNetCompact": "peer_srvggnetcompact",
        "EDSR-baseline": "peer_edsr_baseline",
        "MFANet, 32 everywhere": "peer_mfanet__32_everywhere",
    }
    assert set(column(peers, "network")) == set(files)
    for name, found, flops, params in zip(
        *(column(peers, one) for one in ("network", "PSNR-Y", "FLOPs", "params")), strict=True
    ):
        path = file(run, files[name])
        network = load_generator(path)
        assert found == pytest.approx(mean_psnr_db(network, run.validation), abs=1e-6)
        costs = trace_costs(network, 128, 128)
        assert (flops, params) == (costs.flops / 1e9, costs.params / 1e6)
        record = checkpoint.read(path).record
        if not name.startswith("ours"):
            assert record["steps"] == 2 + 8 + 4
            assert record["recipe"]["stages"]["teacher"]["weights"] == L1  # type: ignore[index]
            assert (network.scale, network.residual_kind) == (4, "bicubic")
    assert any("Peers: 14 steps each" in note for note in peers.notes)


@pytest.fixture
def diverge_above(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets SRVGGNetCompact diverge at learning rates above a given one."""
    train_alone = comparison._train_alone

    def limit(most: float) -> None:
        def diverge(run: SRRun, name: str, *others: Any) -> None:
            if name.startswith("peer_srvggnetcompact") and run.recipe.stages["teacher"].learning_rate > most:
                raise Diverged("training diverged at step 201")
            train_alone(run, name, *others)

        monkeypatch.setattr(comparison, "_train_alone", diverge)

    return limit


def test_a_peer_that_diverges_learns_at_a_lower_rate(
    run: SRRun,
    peers: ExperimentReport,
    diverge_above: Callable[[float], None],
    caplog: pytest.LogCaptureFixture,
):
    rate = run.recipe.stages["teacher"].learning_rate
    diverge_above(rate / 4)
    found = comparison.compare_peers(run, CHOICES)
    assert set(column(found, "network")) == set(column(peers, "network"))
    path = file(run, f"peer_srvggnetcompact_rate_{rate / 4:g}")
    assert checkpoint.read(path).record["recipe"]["stages"]["teacher"]["learning_rate"] == rate / 4  # type: ignore[index]
    note = f"SRVGGNetCompact learned at the rate {rate / 4:g}, because it diverged at {rate / 2:g}."
    assert note in found.notes
    for tried in (rate, rate / 2):
        assert f"SRVGGNetCompact at learning rate {tried:g}: training diverged at step 201" in caplog.text
    assert not any("diverged" in one for one in peers.notes)
    path.unlink()  # the folder is other tests' too


def test_a_peer_that_always_diverges_costs_its_own_row_alone(
    run: SRRun, peers: ExperimentReport, diverge_above: Callable[[float], None]
):
    rate = run.recipe.stages["teacher"].learning_rate
    diverge_above(0)
    found = comparison.compare_peers(run, CHOICES)
    assert set(column(found, "network")) == set(column(peers, "network")) - {"SRVGGNetCompact"}
    note = f"SRVGGNetCompact diverged at every learning rate from {rate:g} to {rate / 8:g}: without a row."
    assert note in found.notes


@pytest.mark.parametrize("name", comparison.COMPARED_PEERS)
def test_details_reach_the_last_convolution_of_an_untrained_peer(name: str):
    """However deep it is; otherwise hundreds of steps change nothing, and then it diverges."""
    kind, config = comparison.COMPARED_PEERS[name]
    torch.manual_seed(0)
    network = build(kind, config | {"residual": "bicubic"})
    seen: list[torch.Tensor] = []
    last = network.get_submodule("fusion.reconstruct" if kind == "mfanet" else PEERS[kind].LAST)
    last.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        network(read_pairs("embedded")[0].lr[None, :, :32, :32])
    assert seen[0].std((2, 3)).mean() > 0.01


def test_how_the_latencies_were_measured_is_told(peers: ExperimentReport):
    n = torch.get_num_threads()
    how = rf"PyTorch \S+ on .*, {n} thread{'s' if n > 1 else ''}, 16x16 px, median of 7 rounds in turn\."
    assert re.fullmatch(f"Latency of the whole network: {how}", peers.notes[1])


def test_who_dominates_whom_follows_from_the_figures(peers: ExperimentReport):
    shown = {
        name: (psnr, latency)
        for name, psnr, latency in zip(
            *(column(peers, one) for one in ("network", "PSNR-Y", "latency")), strict=True
        )
    }
    assert all(latency > 0 for _, latency in shown.values())
    latencies = [latency for _, latency in shown.values()]
    assert latencies == sorted(latencies)
    beaten = []
    for name, found in zip(shown, column(peers, "dominated by (of the other side)"), strict=True):
        psnr, latency = shown[name]
        others = {one for one in shown if one.startswith("ours") != name.startswith("ours")}
        expected = sorted(one for one in others if shown[one][0] > psnr and shown[one][1] < latency)
        assert found == ("; ".join(expected) or "none")
        if expected and name.startswith("ours"):
            beaten.append(name)
    verdict = f"dominated: {'; '.join(beaten)}" if beaten else "no peer dominates any of our networks"
    assert peers.notes[0] == f"Aim: not dominated by any peer: {verdict}."


def test_both_tables_share_the_slices_and_train_nothing_twice(
    run: SRRun, slices: ExperimentReport, peers: ExperimentReport
):
    before = {path: path.stat().st_mtime_ns for path in run.options.folder.rglob("*.safetensors")}
    assert len([path for path in before if path.stem.startswith("tuned_")]) == len(CHOICES)
    assert comparison.compare_slices(run, CHOICES) == slices
    again = comparison.compare_peers(run, CHOICES)
    assert dict(zip(column(again, "network"), column(again, "PSNR-Y"), strict=True)) == dict(
        zip(column(peers, "network"), column(peers, "PSNR-Y"), strict=True)
    )
    assert {path: path.stat().st_mtime_ns for path in run.options.folder.rglob("*.safetensors")} == before
