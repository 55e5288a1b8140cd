"""A run of a system that is no super-resolution: a curve fitted by a network that is pruned while it is searched.

The stage `search` ends when few enough of the network's units are left, and leaves a smaller network, which the stage
`refine` reads and trains.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.progress import no_progress
from mfagan.training.descent import Descent
from mfagan.training.fabric import make_fabric
from mfagan.training.learner import Learner
from mfagan.training.recipe import BaseRecipe, StageSettings
from mfagan.training.run import RunOptions, StageFiles, TrainingRun
from mfagan.training.snapshot import Stateful
from mfagan.training.stage import Source, StageSpec, StageWork
from mfagan.training.time_limit import Stopped, TimeLimit
from tests.training.kills import Killed, bars_until

N_KEPT = 3


class Curve(nn.Module):
    """One hidden layer: (N, 1) -> (N, 1)."""

    KIND = "curve"

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.hidden = nn.Linear(1, width)
        self.out = nn.Linear(width, 1)

    def config(self) -> dict[str, object]:
        return {"width": self.width}

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.hidden(x)))


class Fit(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"loss": (self.network(x) - x.sin()).square().mean()}


class Refiner(Learner):
    watched = "loss"

    def __init__(self, run: TrainingRun, stage: str, network: Curve) -> None:
        self.stage = run.settings(stage)
        self.network = self.curve = network
        self.descent = Descent(run.fabric, Fit(network), run.recipe)

    def parts(self) -> Mapping[str, Stateful]:
        return self.descent.parts("fit")

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        terms = self.descent.objective(*batch)
        self.descent.descend(terms, {"loss": 1.0}, self.stage.learning_rate_at(number))
        return {name: term.detach() for name, term in terms.items()}


class Searcher(Refiner):
    """Shrinks the units' outgoing weights after each step, as a proximal step on latent vectors does."""

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        figures = super().step(number, *batch)
        with torch.no_grad():
            weight = self.curve.out.weight
            weight.copy_(weight.sign() * (weight.abs() - 0.009).clamp(min=0))
        return figures

    def kept(self) -> Tensor:
        return self.curve.out.weight[0].nonzero().flatten()

    def done(self) -> bool:
        return len(self.kept()) <= N_KEPT

    def results(self) -> Sequence[nn.Module]:
        kept = self.kept()
        small = Curve(len(kept))
        small.hidden.weight.data = self.curve.hidden.weight.data[kept]
        small.hidden.bias.data = self.curve.hidden.bias.data[kept]
        small.out.weight.data = self.curve.out.weight.data[:, kept]
        small.out.bias.data = self.curve.out.bias.data
        return (small,)


class Points:
    waited_s = 0.0

    def __init__(self, start: int, stop: int) -> None:
        self.numbers = range(start, stop)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for number in self.numbers:
            yield (4 * torch.rand(8, 1, generator=torch.Generator().manual_seed(number)) - 2,)


def work(learner: Learner) -> StageWork:
    x = torch.linspace(-2, 2, 16)[:, None]

    def score(network: nn.Module) -> float:
        with torch.no_grad():
            return -(network(x) - x.sin()).square().mean().item()

    return StageWork(learner, lambda start, stop: nullcontext(Points(start, stop)), score)


def build_search(run: TrainingRun, sources: Mapping[str, Source]) -> StageWork:
    torch.manual_seed(run.options.seed)
    return work(Searcher(run, "search", Curve(12)))


def build_refine(run: TrainingRun, sources: Mapping[str, Source]) -> StageWork:
    return work(Refiner(run, "refine", read_curve(sources["found"].path)))


def read_curve(path: Path) -> Curve:
    found = checkpoint.read(path)
    width = found.config["width"]
    assert isinstance(width, int)
    return checkpoint.load_weights(Curve(width), found, path)


SEARCH = StageSpec("search", writes={"found": "found.safetensors"}, build=build_search)
REFINE = StageSpec(
    "refine", reads=SEARCH.writes, writes={"refined": "refined.safetensors"}, build=build_refine
)


def prepare(folder: Path, bars: Callable[[str], Any] = no_progress, **options: Any) -> TrainingRun:
    stage = StageSettings(steps=400, learning_rate=0.01, validate_every=10)
    recipe = BaseRecipe(
        name="toy",
        stages={"search": stage, "refine": dataclasses.replace(stage, steps=30)},
        ema_decay=0.0,
        checkpoint_every=12,
    )
    return TrainingRun(recipe, RunOptions(folder, "cpu", **options), make_fabric("cpu", "fp32"), bars)


def train(run: TrainingRun) -> dict[str, checkpoint.Checkpoint]:
    paths = [*run.train(SEARCH), *run.train(REFINE)]
    return {path.stem: checkpoint.read(path) for path in paths}


def require_equal(one: checkpoint.Checkpoint, other: checkpoint.Checkpoint) -> None:
    assert one.config == other.config
    assert one.record == other.record
    assert one.state.keys() == other.state.keys()
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)


def test_a_learner_ends_its_loop_and_leaves_another_network(tmp_path: Path):
    files = train(prepare(tmp_path))
    found, refined = files["found"], files["refined"]
    assert found.role == "found"
    assert found.config == refined.config
    assert isinstance(found.config["width"], int)
    assert 0 < found.config["width"] <= N_KEPT
    ended = found.record["ended_after_steps"]
    assert isinstance(ended, int)
    assert 20 < ended < 400
    assert found.record["steps"] == 400  # what the recipe asks for
    curve = found.record["curve"]
    assert isinstance(curve, list)
    assert curve[-1] == [ended, found.record["score"]]  # the end is validated, wherever it is
    assert "ended_after_steps" not in refined.record
    assert refined.record["parents"] == {
        "found.safetensors": checkpoint.sha256(tmp_path / "found.safetensors")
    }
    assert refined.record["score"] > found.record["score"]  # type: ignore[operator]
    assert not list(tmp_path.glob("*.state"))


def test_the_network_left_computes_what_the_pruned_one_did(tmp_path: Path):
    run = prepare(tmp_path)
    (path,) = run.train(SEARCH)
    network = read_curve(path)
    assert work(Refiner(run, "refine", network)).validate(network) == pytest.approx(
        checkpoint.read(path).record["score"], abs=1e-6
    )


@pytest.mark.parametrize(("stage", "step"), [("search", 5), ("search", 17), ("refine", 3), ("refine", 29)])
def test_an_interrupted_stage_goes_on_to_the_same_bits(tmp_path: Path, stage: str, step: int):
    whole = train(prepare(tmp_path / "whole"))
    parts = tmp_path / "parts"
    if stage == "refine":
        prepare(parts).train(SEARCH)
    with pytest.raises(Killed):
        train(prepare(parts, bars_until(step)))
    assert bool(list(parts.glob("*.state"))) == (step > 12)
    resumed = train(prepare(parts))
    for name, one in whole.items():
        require_equal(resumed[name], one)


def test_an_interruption_right_before_the_early_end_goes_on_to_the_same_bits(tmp_path: Path):
    whole = train(prepare(tmp_path / "whole"))
    ended = whole["found"].record["ended_after_steps"]
    assert isinstance(ended, int)
    with pytest.raises(Killed):
        train(prepare(tmp_path / "parts", bars_until(ended)))
    for name, one in train(prepare(tmp_path / "parts")).items():
        require_equal(one, whole[name])


def test_a_finished_stage_is_left_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    train(prepare(tmp_path))
    caplog.set_level("INFO", "mfagan")
    before = {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    train(prepare(tmp_path))
    assert {path: path.read_bytes() for path in before} == before
    assert caplog.messages == [
        f"search is finished already: {tmp_path / 'found.safetensors'}",
        f"refine is finished already: {tmp_path / 'refined.safetensors'}",
    ]
    with pytest.raises(
        InputError, match=r"found\.safetensors was made with other settings \(seed was 0, now 1"
    ):
        prepare(tmp_path, seed=1).train(SEARCH)
    train(prepare(tmp_path, seed=1, restart=True))
    assert checkpoint.read(tmp_path / "found.safetensors").record["seed"] == 1


def test_steps_are_capped(tmp_path: Path):
    files = train(prepare(tmp_path, max_steps=5))
    assert [one.record["steps"] for one in files.values()] == [5, 5]
    width = files["found"].config["width"]
    assert isinstance(width, int)
    assert width > N_KEPT  # it is not done yet
    assert "ended_after_steps" not in files["found"].record


def test_best_weights_of_a_stage_are_kept(tmp_path: Path):
    run = prepare(tmp_path)
    run.train(SEARCH)
    (path,) = run.train(dataclasses.replace(REFINE, keep_best=True))
    record = checkpoint.read(path).record
    curve = record["curve"]
    assert isinstance(curve, list)
    assert record["score"] == max(score for _, score in curve)
    assert [record["kept_step"], record["score"]] in curve


def test_files_of_a_stage_may_be_elsewhere(tmp_path: Path):
    search, refine = prepare(tmp_path / "search"), prepare(tmp_path / "refine")
    (found,) = search.train(SEARCH)
    (one,) = refine.train(REFINE, StageFiles(read_from=found.parent))
    # A file that is given may have any role.
    (other,) = refine.train(
        REFINE, StageFiles(sources={"found": one}, writes={"again": tmp_path / "again.st"})
    )
    assert checkpoint.read(other, role="again").record["parents"] == {one.name: checkpoint.sha256(one)}


@pytest.mark.parametrize("name", ["found.safetensors", "refined.safetensors"])
def test_outputs_are_checked_before_the_work(tmp_path: Path, name: str):
    """`refined.safetensors` is a folder; `found.safetensors` is what it would be made from."""
    run = prepare(tmp_path)
    (found,) = run.train(SEARCH)
    taken = tmp_path / name
    if taken != found:
        taken.mkdir()
    spec = dataclasses.replace(REFINE, build=lambda run, sources: pytest.fail("the work has begun"))
    with pytest.raises(InputError, match=rf"{taken}.*(it is a folder|is the input)"):
        run.train(spec, StageFiles(writes={"refined": taken}))


def test_a_source_that_is_missing_or_has_another_role_is_named(tmp_path: Path):
    run = prepare(tmp_path)
    with pytest.raises(InputError, match=r"checkpoint .*found\.safetensors: no such file"):
        run.train(REFINE)
    (found,) = run.train(SEARCH)
    (refined,) = run.train(REFINE)
    refined.replace(found)
    with pytest.raises(InputError, match="its role is 'refined', 'found' is needed"):
        run.train(REFINE)


@pytest.mark.parametrize(
    ("settings", "phrase"),
    [
        ({"halve_at": (10, 30, 40)}, "halve_at 30, 40 is never reached"),
        ({"warm_up": 31}, "warm_up 31 is not finished"),
        ({"halve_at": (29,), "warm_up": 30}, None),
    ],
)
def test_settings_beyond_the_stages_length_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: dict[str, Any], phrase: str | None
):
    run = prepare(tmp_path)
    run.train(SEARCH)
    run = dataclasses.replace(run, recipe=run.recipe.with_stage("refine", **settings))
    run.train(REFINE)
    if phrase is None:
        assert caplog.messages == []
    else:
        (line,) = caplog.messages
        assert line.startswith(f"recipe toy: stage refine ends at step 30: {phrase}")


def test_a_cap_makes_no_settings_late(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """--max-steps shortens stages on purpose."""
    run = prepare(tmp_path, max_steps=2)
    run = dataclasses.replace(run, recipe=run.recipe.with_stage("search", halve_at=(100,), warm_up=50))
    run.train(SEARCH)
    assert caplog.messages == []


def test_what_a_stage_does_not_use_tells_no_trainings_apart(tmp_path: Path):
    """In its files, and in its snapshots."""
    spec = dataclasses.replace(SEARCH, unused=lambda settings: {"betas"})
    with pytest.raises(Killed):
        prepare(tmp_path, bars_until(15)).train(SEARCH)
    run = prepare(tmp_path)
    other = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, betas=(0.4, 0.999)))
    with pytest.raises(InputError, match=r"recipe\.betas"):
        other.train(SEARCH)
    other.train(spec)
    content = (tmp_path / "found.safetensors").read_bytes()
    run.train(spec)
    assert (tmp_path / "found.safetensors").read_bytes() == content


def test_halvings_that_a_cosine_ignored_tell_no_trainings_apart(tmp_path: Path):
    """Version 0.1.0 took both and recorded both; the recipe must be corrected, the file need not be trained again."""
    run = prepare(tmp_path)
    run = dataclasses.replace(run, recipe=run.recipe.with_stage("search", cosine=True))
    (path,) = run.train(SEARCH)
    found = checkpoint.read(path)
    record: Any = found.record
    record["recipe"]["stages"]["search"]["halve_at"] = [5]
    checkpoint.save(path, dataclasses.replace(found, record=record))
    content = path.read_bytes()
    run.train(SEARCH)
    assert path.read_bytes() == content


def test_a_time_limit_is_for_all_stages_together_and_for_no_identity(tmp_path: Path):
    """Each command makes at least one step; the same one without a limit ends with the bits of the whole run."""
    whole = train(prepare(tmp_path / "whole", max_steps=3))
    parts, stops = tmp_path / "parts", []
    for _ in range(4):
        with pytest.raises(Stopped) as stopped:
            train(prepare(parts, max_steps=3, limit=TimeLimit(1e-9)))
        stops.append((stopped.value.stage, stopped.value.step, stopped.value.steps))
    assert stops == [("search", 1, 3), ("search", 2, 3), ("refine", 1, 3), ("refine", 2, 3)]
    for name, one in train(prepare(parts, max_steps=3, limit=TimeLimit(60))).items():
        require_equal(one, whole[name])
    assert not list(parts.glob("*.state"))


def test_compiling_tells_no_trainings_apart(tmp_path: Path):
    """A training goes on, compiled or not, and its record has what was asked for last."""
    with pytest.raises(Killed):
        prepare(tmp_path, bars_until(15)).train(SEARCH)
    run = prepare(tmp_path)
    compiled = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, compile=True))
    (path,) = compiled.train(SEARCH)
    record: Any = checkpoint.read(path).record
    assert record["compile"] is True
    assert "compile" not in record["recipe"]
    content = path.read_bytes()
    run.train(SEARCH)
    assert path.read_bytes() == content
