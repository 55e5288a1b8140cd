"""The contract of problems: sound ones pass it, and each of its tests finds what it is there for."""

import itertools
import random
from collections.abc import Callable, Mapping, Sequence

import pytest

from search.errors import SearchError
from search.problem import Choice, Evaluation, Known, Objective, Problem
from search.testing import ProblemContract
from tests.search.ladder import Ladder
from tests.search.racing.judged import Judged
from tests.search.toy import Lens


class Foresighted(Lens):
    """A lens whose weight, volume and constraint are foreseen; `changes` are attributes to spoil it with."""

    def __init__(self, **changes: object) -> None:
        super().__init__(max_weight_g=100.0)
        vars(self).update(changes)

    def foresee(self, batch: Sequence[Choice]) -> list[Known]:
        scored = [self.score(choice) for choice in batch]
        return [Known({"weight": s.values[1]}, s.attributes, s.constraints) for s in scored]


class Noisy(Foresighted):
    """Measured, with an error of up to a thousandth."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(0)

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        return [
            Evaluation(
                (r.values[0] * self.random.uniform(0.999, 1.001), r.values[1]), r.attributes, r.constraints
            )
            for r in super().evaluate(batch)
        ]


class Drifting(Judged):
    """Every further case of a call is judged more kindly."""

    def score_cases(self, batch, cases):
        scored = super().score_cases(batch, cases)
        return [{"height": [x + 0.1 * i for i, x in enumerate(one["height"])]} for one in scored]


class TestJudged(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Judged()


class TestLens(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Lens()


class TestLimitedLens(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Foresighted()


class TestLadder(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Ladder()


class TestNoisy(ProblemContract):
    tolerance = 0.002

    @pytest.fixture
    def problem(self) -> Problem:
        return Noisy()


class TestOneChoice(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Foresighted(choices={"elements": (2,), "diameter_mm": (10.0,), "glass": ("crown",)})


Results = list[Evaluation]


def evaluating(change: Callable[[list[Choice], Results], object]) -> Problem:
    """A lens whose `evaluate` gives what `change` makes of the batch and the right results."""
    right = Foresighted().evaluate
    return Foresighted(evaluate=lambda batch: change(batch, right(batch)))


def foreseeing(**facts: Mapping) -> Problem:
    return Foresighted(foresee=lambda batch: [Known(**facts)] * len(batch))


def short(batch: list[Choice], results: Results) -> object:
    return results[1:]


def bare(batch: list[Choice], results: Results) -> object:
    return [result.values for result in results]


def one_value(batch: list[Choice], results: Results) -> object:
    return [Evaluation(result.values[:1]) for result in results]


def infinite(batch: list[Choice], results: Results) -> object:
    return [Evaluation((float("inf"), result.values[1])) for result in results]


def no_json(batch: list[Choice], results: Results) -> object:
    for result in results:
        object.__setattr__(result, "attributes", {"shape": {1, 2}})
    return results


def best_is_one(batch: list[Choice], results: Results) -> object:
    best = max(result.values[0] for result in results)
    return [Evaluation((r.values[0] / best, r.values[1]), r.attributes, r.constraints) for r in results]


def best_first(batch: list[Choice], results: Results) -> object:
    return sorted(results, key=lambda result: -result.values[0])


def places(batch: list[Choice], results: Results) -> object:
    return [Evaluation(result.values, {"place": i}) for i, result in enumerate(results)]


def tell_the_batch(batch: list[Choice], results: Results) -> object:
    return [Evaluation(result.values, {"batch": max(2, len(batch))}) for result in results]


def odd_batches_differ(batch: list[Choice], results: Results) -> object:
    return [Evaluation(r.values, {}, {"odd": len(batch) % 2 if len(batch) > 1 else 0}) for r in results]


def elements_become_one(batch: list[Choice]) -> None:
    for choice in batch:
        choice["elements"] = 1


def changes_batch(batch: list[Choice], results: Results) -> object:
    elements_become_one(batch)
    return results


def changes_batch_to_foresee() -> Problem:
    return Foresighted(foresee=lambda batch: elements_become_one(batch) or [Known()] * len(batch))


def drops_a_choice() -> Problem:
    class Dropping(Foresighted):
        def evaluate(self, batch):
            self.known_choices = [KNOWN]
            return super().evaluate(batch)

    return Dropping()


def foresees_places() -> Problem:
    problem = evaluating(places)
    problem.foresee = lambda batch: [Known(attributes={"place": i}) for i in range(len(batch))]
    return problem


def foresees_some() -> Problem:
    """The weight of single elements alone."""
    weight = Foresighted().foresee
    return Foresighted(
        foresee=lambda batch: [
            known if choice["elements"] == 1 else Known()
            for choice, known in zip(batch, weight(batch), strict=True)
        ]
    )


def identified(**texts: Callable[[], object]) -> Problem:
    return Foresighted(identity=lambda: {name: text() for name, text in texts.items()})


KNOWN: Choice = {"elements": 1, "diameter_mm": 10.0, "glass": "crown"}
COUNTER = itertools.count()
SOMETHING = object()
ONE_NAME = (Objective("glass", "minimize"), Objective("weight", "minimize"))
WRONG: list[tuple[str, Callable[[], Problem], str]] = [
    ("it_can_make_a_study", lambda: Foresighted(choices={}), "choices is missing or empty"),
    ("it_can_make_a_study", lambda: Foresighted(objectives=ONE_NAME), "'glass' is used twice"),
    (
        "it_can_make_a_study",
        lambda: Foresighted(known_choices=[KNOWN | {"glass": "tin"}]),
        "one of its values",
    ),
    ("it_can_make_a_study", lambda: Foresighted(known_choices=[KNOWN, KNOWN]), "known_choices repeats"),
    ("it_can_make_a_study", lambda: Foresighted(maker=3), "both must be strings"),
    ("it_evaluates_each_choice", lambda: evaluating(short), "evaluate returned 9 results for 10 choices"),
    ("it_evaluates_each_choice", lambda: evaluating(bare), "return one Evaluation for each"),
    ("it_evaluates_each_choice", lambda: evaluating(one_value), "got 1 values for 2 objectives"),
    ("it_evaluates_each_choice", lambda: evaluating(infinite), "got a number that is not finite"),
    ("it_evaluates_each_choice", lambda: evaluating(no_json), "cannot be written to JSON"),
    ("an_evaluation_depends_on_the_choice_alone", Noisy, "evaluated alone gives"),
    ("an_evaluation_depends_on_the_choice_alone", lambda: evaluating(best_is_one), "evaluated alone gives"),
    ("an_evaluation_depends_on_the_choice_alone", lambda: evaluating(best_first), "evaluated alone gives"),
    (
        "an_evaluation_depends_on_the_choice_alone",
        lambda: evaluating(tell_the_batch),
        "evaluated alone gives",
    ),
    ("an_evaluation_depends_on_the_choice_alone", lambda: evaluating(odd_batches_differ), "with half of the"),
    ("it_leaves_its_input_alone", lambda: evaluating(changes_batch), "evaluate changed its batch"),
    ("it_leaves_its_input_alone", changes_batch_to_foresee, "foresee changed its batch"),
    ("it_leaves_its_input_alone", drops_a_choice, "evaluate changed choices or known_choices"),
    (
        "what_is_foreseen_comes_true",
        lambda: foreseeing(values={"weight": 3.0}),
        "is foreseen as 3.0, evaluated",
    ),
    (
        "what_is_foreseen_comes_true",
        lambda: foreseeing(values={"mass": 3.0}),
        "the value 'mass', evaluate does",
    ),
    (
        "what_is_foreseen_comes_true",
        lambda: foreseeing(constraints={"weight": 3.0}),
        "constraint 'weight' of",
    ),
    ("what_is_foreseen_comes_true", lambda: foreseeing(constraints={"size": 0.0}), "constraint 'size', eval"),
    (
        "what_is_foreseen_comes_true",
        lambda: foreseeing(attributes={"volume_mm3": 1}),
        "attribute 'volume_mm3'",
    ),
    ("what_is_foreseen_comes_true", lambda: foreseeing(attributes={"set": {1}}), "cannot be written to JSON"),
    (
        "what_is_foreseen_comes_true",
        lambda: Foresighted(foresee=lambda batch: []),
        "foresee returned 0 results",
    ),
    (
        "what_is_foreseen_comes_true",
        lambda: Foresighted(foresee=lambda b: [{}] * len(b)),
        "return one Known for each",
    ),
    ("what_is_foreseen_comes_true", foresees_places, "is foreseen otherwise alone"),
    ("it_foresees_the_same_of_every_choice", foresees_some, "foresee tells more of some choices"),
    ("scoring_case_by_case_gives_the_same", Drifting, "scored case by case gives"),
    ("its_identity_is_stable", lambda: identified(run=lambda: str(next(COUNTER))), "changed"),
    ("its_identity_is_stable", lambda: identified(data=lambda: repr(SOMETHING)), "an address in memory"),
    ("its_identity_is_stable", lambda: identified(data=lambda: 3), "both must be strings"),
    ("a_study_runs_and_continues", Noisy, "trial 0 has"),
    ("a_study_runs_and_continues", lambda: identified(run=lambda: str(next(COUNTER))), "another study name"),
]


@pytest.mark.parametrize(("name", "build", "words"), WRONG, ids=[f"{n}-{words}" for n, _, words in WRONG])
def test_what_is_wrong_is_found(tmp_path, name, build, words):
    check = getattr(ProblemContract(), f"test_{name}")
    arguments = (tmp_path,) if name == "a_study_runs_and_continues" else ()
    with pytest.raises((AssertionError, SearchError), match=words):
        check(build(), *arguments)


def test_every_test_of_the_contract_can_fail():
    tests = {name for name in vars(ProblemContract) if name.startswith("test_")}
    assert {f"test_{name}" for name, _, _ in WRONG} == tests
