"""Slices that are grey levels: the picture of width w in case c is (w + c) / 10 everywhere."""

from collections.abc import Iterator, Sequence

import pytest
import torch
from torch import Tensor

from mfagan.coronetgan.network import ResnetTranslator
from mfagan.study.slices.description import describe_slices
from mfagan.study.slices.front_quality import measure_quality
from mfagan.study.slices.scenes import ScenePainter
from mfagan.study.slices.scorer import SliceScorer, as_rgb, choose_threads
from search.description import Box, Drawing, Scene
from search.problem import Point

SIDE = 8


def grey(level: float) -> Tensor:
    return torch.full((3, SIDE, SIDE), level)


def draw(width: int) -> Drawing:
    return Drawing([Box("width", str(width), 0, 0, width, 1)])


class GreyScorer(SliceScorer[int]):
    ORIGINAL, CASE = "black", "level"

    def run(self, case: int, choices: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
        for i in sorted(range(len(choices)), key=choices.__getitem__):
            yield i, grey((choices[i] + case) / 10)


def scorer(targets: Sequence[Tensor] | None = None) -> GreyScorer:
    return GreyScorer([grey(0.0), grey(0.1), grey(0.2)], targets)


def test_each_slice_is_scored_on_each_case_in_the_order_asked_for():
    told: list[tuple[int, int | None]] = []
    scores = scorer().score([3, 1], lambda done, total, _: told.append((done, total)))
    assert [one.qualities for one in scores] == [
        pytest.approx((0.3, 0.3, 0.3)),
        pytest.approx((0.1, 0.1, 0.1)),
    ]
    assert all(one.lpips == () and one.kernel is None for one in scores)
    assert told == [(done, 6) for done in range(1, 7)]
    (some,) = GreyScorer([grey(0.0), grey(0.0), grey(0.0)]).score([1], cases=[2, 0])
    assert some.qualities == pytest.approx((0.3, 0.1))


def test_originals_are_the_references_where_there_are_no_targets():
    targets = [grey(1.0)] * 3
    alone = scorer()
    assert alone.references is alone.originals
    assert scorer(targets=targets).references is targets


def test_figures_of_a_front_name_what_they_are_measured_to():
    figures, titles = measure_quality(scorer(), [1, 2])
    assert [one["psnr_to_original_db"] for one in figures] == pytest.approx([20.0, 13.979], abs=1e-3)
    assert titles == {
        "psnr_to_original_db": "PSNR to black (dB), 3 levels",
        "mean_lpips": "LPIPS to black, 3 levels",
    }
    one_case = GreyScorer([grey(0.0)], targets=[grey(0.5)])
    assert measure_quality(one_case, [1])[1]["mean_lpips"] == "LPIPS to targets, 1 level"


def test_a_page_has_each_slices_pictures_parts_and_drawing():
    painter = ScenePainter(["first", "second"], scorer().run)
    painter.scenes = [Scene("first", {}), Scene("second", {})]
    points = [Point(number, {"width": width}, (0.0, 0.0)) for number, width in ((4, 1), (7, 3))]
    found = describe_slices(points, [1, 3], draw, {"width": "Width"}, painter, lambda width: [("all", width)])
    assert [scene.name for scene in found.scenes] == ["first", "second"]
    assert found.points.keys() == {4, 7}
    assert list(found.points[7].pictures) == ["first", "second"]
    assert found.points[4].pictures["first"] != found.points[7].pictures["first"]
    assert found.points[7].parts == {"latency_ms": [("all", 3)]}
    assert (found.points[7].drawing, found.titles) == (draw(3), {"width": "Width"})
    bare = describe_slices(points, [1, 3], draw, {})
    assert (bare.scenes, bare.points[4].pictures, bare.points[4].parts) == ((), {}, {})


def test_small_networks_run_on_one_thread_and_the_others_as_before():
    before = torch.get_num_threads()
    with choose_threads([])():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with choose_threads(ResnetTranslator.full(64, 2).blocks(256, 256))():
        assert torch.get_num_threads() == before


def test_pictures_come_into_the_range_that_people_see():
    assert as_rgb(torch.tensor([-3.0, 0.0, 1.0]).view(1, 3, 1, 1)).flatten().tolist() == [0, 0.5, 1]
