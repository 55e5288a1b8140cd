from search.problem import Case, Objective, Point
from search.report.text.summary import count_front
from search.study import StudyRecord

OBJECTIVES = (Objective("quality", "maximize", "dB"), Objective("cost", "minimize", "ms"))
CASES = tuple(Case(f"photo {i}") for i in range(8))
EASE = (20.0, 22.0, 25.0, 28.0, 30.0, 33.0, 35.0, 39.0)


def study(*gains: tuple[float, ...], scored: bool = True) -> StudyRecord:
    """A study whose points gain so much on every photo in turn, each more expensive than the one before."""
    points = []
    for number, gain in enumerate(gains):
        scores = [ease + gain[i % len(gain)] for i, ease in enumerate(EASE)]
        kept = {"quality": tuple(scores)} if scored else {}
        points.append(Point(number, {"a": number}, (sum(scores) / 8, float(number)), scores=kept))
    return StudyRecord("s", OBJECTIVES, {"a": tuple(range(9))}, {}, tuple(points), cases=CASES)


def test_ties_are_counted():
    gains = [
        (0.0,),
        (0.5, -0.49),
        (1.0,),
    ]  # the second gains on one half of the photos and loses on the other
    assert count_front(study(*gains)) == "3 on the front, 2 of them distinguishable"


def test_without_scores_nothing_is_said_about_ties():
    assert count_front(study((0.0,), (1.0,), scored=False)) == "2 on the front"


def test_a_single_point_has_nothing_to_be_told_from():
    assert count_front(study((0.0,))) == "1 on the front"
    assert count_front(study()) == "0 on the front"
