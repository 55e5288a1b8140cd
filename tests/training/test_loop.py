"""The loop on a problem small enough to know the answer: a line fitted to points."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mfagan.errors import InputError
from mfagan.progress import no_progress
from mfagan.training.fabric import make_fabric
from mfagan.training.learner import Learner
from mfagan.training.loop import Diverged, Loop, LoopConfig, Validation
from mfagan.training.snapshot import Stateful
from mfagan.training.time_limit import Stopped, TimeLimit
from tests.training.kills import Killed, report_until


class Line(Learner):
    watched = "loss"

    def __init__(
        self, poison_at: int | None = None, factor: float = float("nan"), ruin_at: int | None = None
    ) -> None:
        """Step `poison_at` shows a loss `factor` times too large; step `ruin_at` leaves such weights unseen."""
        torch.manual_seed(0)
        self.network = self.line = nn.Linear(1, 1)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.05)
        self.poison_at = poison_at
        self.factor = factor
        self.ruin_at = ruin_at

    def parts(self) -> Mapping[str, Stateful]:
        return {"network": self.network, "optimizer": self.optimizer}

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        (x,) = batch
        loss = (self.network(x) - (2 * x + 1)).square().mean()
        if number == self.poison_at:
            loss = loss * self.factor
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if number == self.ruin_at:
            with torch.no_grad():
                self.line.weight.mul_(self.factor)
        return {"loss": loss.detach()}


class Points:
    waited_s = 0.0

    def __init__(self, start: int, stop: int) -> None:
        self.numbers = range(start, stop)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for number in self.numbers:
            yield (torch.rand(8, 1, generator=torch.Generator().manual_seed(number)),)


@contextmanager
def points(start: int, stop: int) -> Iterator[Points]:
    yield Points(start, stop)


def score(network: nn.Module) -> float:
    x = torch.linspace(0, 1, 16)[:, None]
    return -(network(x) - (2 * x + 1)).square().mean().item()


def loop(folder: Path, learner: Learner, identity: str = "a", **config: Any) -> Loop:
    settings = dataclasses.replace(LoopConfig(steps=60, checkpoint_every=20), **config)
    fabric = make_fabric("cpu", "fp32")
    return Loop(learner, settings, fabric, folder / "line.state", {"name": identity}, score)


def run(loop: Loop):
    with no_progress("") as report:
        return loop.run(points, report)


def test_a_line_is_found(tmp_path: Path):
    learner = Line()
    outcome = run(loop(tmp_path, learner, steps=300))
    assert outcome.score_after == score(learner.network)
    assert outcome.score_after > -1e-2
    assert not learner.network.training


@pytest.mark.parametrize("step", [1, 20, 21, 59])
@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_a_resumed_run_ends_as_the_uninterrupted_one(tmp_path: Path, step: int, decay: float):
    whole = Line()
    run(loop(tmp_path / "whole", whole, ema_decay=decay))
    with pytest.raises(Killed):
        loop(tmp_path, Line(), ema_decay=decay).run(points, report_until(step))
    resumed, seen = Line(), []
    loop(tmp_path, resumed, ema_decay=decay).run(points, lambda done, total, note: seen.append(done))
    assert torch.equal(whole.line.weight, resumed.line.weight)
    assert torch.equal(whole.line.bias, resumed.line.bias)
    assert seen[0] == 20 * ((step - 1) // 20) + 1  # a checkpoint is written after its step was reported


def test_the_average_is_what_is_kept(tmp_path: Path):
    last, averaged = Line(), Line()
    run(loop(tmp_path / "last", last, steps=40))
    run(loop(tmp_path / "averaged", averaged, steps=40, ema_decay=0.99))
    assert not torch.equal(last.line.weight, averaged.line.weight)
    expected = Line()
    mean = expected.line.weight.detach().clone()
    for n, (x,) in enumerate(Points(0, 40), start=1):
        expected.step(n - 1, x)
        kept = min(0.99, n / (9 + n))
        mean = kept * mean + (1 - kept) * expected.line.weight.detach()
    assert averaged.line.weight.item() == pytest.approx(mean.item(), rel=1e-5)


def test_the_best_validation_is_kept_the_start_included(tmp_path: Path):
    harmed = Line()
    harmed.optimizer = torch.optim.Adam(harmed.network.parameters(), maximize=True)
    before = harmed.line.weight.detach().clone()
    outcome = run(loop(tmp_path, harmed, steps=40, keep_best=True, validate_every=5))
    assert outcome.kept_step == 0
    assert outcome.score_after == outcome.score_before
    assert torch.equal(harmed.line.weight, before)
    helped = Line()
    outcome = run(loop(tmp_path / "helped", helped, steps=40, keep_best=True, validate_every=5))
    assert outcome.kept_step > 0
    assert outcome.score_before is not None
    assert outcome.score_after > outcome.score_before
    assert score(helped.network) == outcome.score_after


def test_the_best_survives_an_interruption(tmp_path: Path):
    whole = Line()
    config = {"keep_best": True, "validate_every": 7, "steps": 60}
    expected = run(loop(tmp_path / "whole", whole, **config))
    with pytest.raises(Killed):
        loop(tmp_path, Line(), **config).run(points, report_until(45))
    resumed = Line()
    outcome = run(loop(tmp_path, resumed, **config))
    assert dataclasses.replace(outcome, waiting_share=0) == dataclasses.replace(expected, waiting_share=0)
    assert torch.equal(whole.line.weight, resumed.line.weight)


def test_weights_that_must_not_be_kept_are_not_and_other_figures_are_returned(tmp_path: Path):
    def within(network: nn.Module) -> Validation:
        """The score, unless the line is too steep."""
        assert isinstance(network, nn.Linear)
        steep = network.weight.item()
        return Validation(score(network) if steep < 1.0 else -math.inf, {"steepness": steep})

    config: dict[str, Any] = {"keep_best": True, "validate_every": 5, "steps": 60}
    free = run(loop(tmp_path / "free", Line(), **config))
    whole = run(dataclasses.replace(loop(tmp_path / "whole", Line(), **config), validate=within))
    assert free.figures == {}
    assert list(whole.figures) == [0, *range(5, 61, 5)]
    allowed = [step for step, figures in whole.figures.items() if figures["steepness"] < 1.0]
    assert 0 < len(allowed) < len(whole.figures)
    assert whole.kept_step == max(allowed) < free.kept_step
    killed = dataclasses.replace(loop(tmp_path, Line(), **config), validate=within)
    with pytest.raises(Killed):
        killed.run(points, report_until(45))
    resumed = run(dataclasses.replace(loop(tmp_path, Line(), **config), validate=within))
    assert dataclasses.replace(resumed, waiting_share=0) == dataclasses.replace(whole, waiting_share=0)


def test_nan_stops_the_run_and_names_step_terms_and_checkpoint(tmp_path: Path):
    with pytest.raises(Diverged, match=r"step 47 \(not finite: loss nan\).*line\.state at step 40"):
        run(loop(tmp_path, Line(poison_at=47)))
    with pytest.raises(Diverged, match="no good checkpoint has been written"):
        run(loop(tmp_path / "early", Line(poison_at=3)))


def test_an_exploding_loss_stops_the_run(tmp_path: Path):
    with pytest.raises(Diverged, match=r"step 57 \(exploding: loss .*line\.state at step 40"):
        run(loop(tmp_path, Line(poison_at=57, factor=1e6)))


def test_after_divergence_the_checkpoint_is_good(tmp_path: Path):
    with pytest.raises(Diverged):
        run(loop(tmp_path, Line(poison_at=47)))
    whole, resumed = Line(), Line()
    run(loop(tmp_path / "whole", whole))
    run(loop(tmp_path, resumed))
    assert torch.equal(whole.line.weight, resumed.line.weight)


@pytest.mark.parametrize(
    ("every", "ruin_at", "factor", "message"),
    [
        (20, 39, float("nan"), r"step 40 \(not finite: .*; the last good checkpoint is .* at step 20;"),
        (29, 57, 1e6, r"step 58 \(exploding: .*; the last good checkpoint is .* at step 29;"),
        (40, 39, float("nan"), r"step 40 \(not finite: .*; no good checkpoint has been written;"),
    ],
)
def test_weights_ruined_right_before_a_snapshot_are_not_kept(
    tmp_path: Path, every: int, ruin_at: int, factor: float, message: str
):
    """Their own step looks well; only the next shows it, when the snapshot has been taken already."""
    with pytest.raises(Diverged, match=message):
        run(loop(tmp_path, Line(factor=factor, ruin_at=ruin_at), checkpoint_every=every))
    whole, resumed = Line(), Line()
    run(loop(tmp_path / "whole", whole, checkpoint_every=every))
    run(loop(tmp_path, resumed, checkpoint_every=every))
    assert torch.equal(whole.line.weight, resumed.line.weight)


class Interrupted(Points):
    """The process is interrupted while step 40 waits for its batch."""

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        yield from Points(self.numbers.start, 40)
        raise Killed


def interrupt(loop: Loop) -> None:
    with pytest.raises(Killed), no_progress("") as report:
        loop.run(lambda start, stop: nullcontext(Interrupted(start, stop)), report)


def test_an_interruption_right_after_a_snapshot_keeps_it(tmp_path: Path):
    interrupt(loop(tmp_path, Line()))
    whole, resumed, seen = Line(), Line(), []
    run(loop(tmp_path / "whole", whole))
    loop(tmp_path, resumed).run(points, lambda done, total, note: seen.append(done))
    assert seen[0] == 41
    assert torch.equal(whole.line.weight, resumed.line.weight)


def test_a_snapshot_that_shows_its_ruin_when_resumed_is_not_called_good(tmp_path: Path):
    interrupt(loop(tmp_path, Line(ruin_at=39)))
    with pytest.raises(Diverged, match=r"step 40 \(not finite: .*; no good checkpoint has been written;"):
        run(loop(tmp_path, Line()))


def test_a_snapshot_of_another_training_is_refused(tmp_path: Path):
    with pytest.raises(Killed):
        loop(tmp_path, Line()).run(points, report_until(30))
    with pytest.raises(
        InputError, match=r"line\.state was made with other settings \(name was 'a', now 'b'\)"
    ):
        run(loop(tmp_path, Line(), identity="b"))


def test_a_damaged_snapshot_is_refused(tmp_path: Path):
    (tmp_path / "line.state").write_bytes(b"PK not a snapshot")
    with pytest.raises(InputError, match=r"snapshot .*line\.state: not readable"):
        run(loop(tmp_path, Line()))


# Time limits


class Steps(TimeLimit):
    """A limit that is over after so many steps."""

    def __init__(self, n: int) -> None:
        super().__init__(1.0)
        self.n = n

    def is_over(self) -> bool:
        self.n -= 1
        return self.n <= 0


def stop(loop: Loop, after: int) -> Stopped:
    limited = dataclasses.replace(loop, limit=Steps(after), name="fit")
    with pytest.raises(Stopped) as stopped, no_progress("") as report:
        limited.run(points, report)
    return stopped.value


@pytest.mark.parametrize("stops", [[1], [20], [21, 1, 7], [58], [1] * 59])
def test_a_run_that_is_stopped_and_continued_ends_as_the_whole_one(tmp_path: Path, stops: list[int]):
    config = {"keep_best": True, "validate_every": 7, "ema_decay": 0.9}
    whole, resumed = Line(), Line()
    expected = run(loop(tmp_path / "whole", whole, **config))
    done = 0
    for after in stops:
        stopped = stop(loop(tmp_path, Line(), **config), after)
        done += after
        assert (stopped.stage, stopped.step, stopped.steps) == ("fit", done, 60)
    outcome = run(loop(tmp_path, resumed, **config))
    assert dataclasses.replace(outcome, waiting_share=0) == dataclasses.replace(expected, waiting_share=0)
    assert torch.equal(whole.line.weight, resumed.line.weight)


def test_the_time_of_a_run_counts_that_of_those_it_continues(tmp_path: Path):
    stop(loop(tmp_path, Line()), 20)
    (path,) = tmp_path.glob("*.state")
    before = torch.load(path, weights_only=True)["parts"]["progress"]["seconds"]
    assert run(loop(tmp_path, Line())).seconds > before > 0


def test_the_last_step_ends_a_run_whose_time_is_over(tmp_path: Path):
    learner = Line()
    limited = dataclasses.replace(loop(tmp_path, learner), limit=Steps(60))
    assert run(limited).steps == 60


def test_weights_ruined_right_before_the_stop_are_not_kept(tmp_path: Path):
    limited = dataclasses.replace(loop(tmp_path, Line(ruin_at=30)), limit=Steps(31))
    with pytest.raises(Diverged, match=r"step 31 .*; the last good checkpoint is .* at step 20;"):
        run(limited)


# What is reported


def test_progress_and_log_show_the_last_validation(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", "mfagan")
    notes: list[str] = []
    fit = dataclasses.replace(
        loop(tmp_path, Line(), steps=25, validate_every=10), name="fit", format_score="{:.2f} points".format
    )
    outcome = fit.run(points, lambda done, total, note: notes.append(note))
    (first, second, _) = (f"{score:.2f} points" for _, score in outcome.curve)
    assert all("validation" not in note for note in notes[:10])
    assert all(note.endswith(f", validation {first}") for note in notes[10:20])
    assert all(note.endswith(f", validation {second}") for note in notes[20:])
    assert all(note.startswith("loss ") for note in notes)
    assert caplog.messages == [
        f"fit: step {step}, validation {score:.2f} points" for step, score in outcome.curve
    ]


def test_a_resumed_run_shows_the_validation_before_it(tmp_path: Path):
    config: dict[str, Any] = {"validate_every": 10, "steps": 60}
    stop(loop(tmp_path, Line(), **config), 15)
    notes: list[str] = []
    loop(tmp_path, Line(), **config).run(points, lambda done, total, note: notes.append(note))
    assert ", validation -" in notes[0]
