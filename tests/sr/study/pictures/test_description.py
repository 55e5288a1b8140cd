"""What people see of SubGenerators: scenes, parts of the latency, drawings, titles."""

import io
import itertools
import math

import numpy as np
import pytest
import torch
from PIL import Image

from mfagan.data.pairs import Pair, make_pair
from mfagan.data.splits import read_pairs
from mfagan.evaluation.psnr_ssim import psnr_db
from mfagan.evaluation.scores import enlarge_bicubic, super_resolve
from mfagan.latency.priced_problem import Target
from mfagan.sr.network.supergenerator import SuperGenerator, load_supernet
from mfagan.sr.network.widths import NAMES, Widths
from mfagan.sr.study.pictures.description import TITLES, describe_points
from mfagan.sr.study.pictures.drawing import draw_network
from mfagan.sr.study.pictures.scenes import CropPainter
from mfagan.sr.study.problem import SubGeneratorProblem
from search.description import Box, Picture
from search.latency import LatencyTable
from search.problem import Point

MIXED = Widths.parse("48,24,24,24,32,48,48,24")
NARROW = Widths.uniform(24)


@pytest.fixture(scope="module")
def network(trained) -> SuperGenerator:
    return load_supernet(trained / "supergenerator.safetensors")


@pytest.fixture(scope="module")
def pairs(trained) -> list[Pair]:
    return read_pairs(trained / "photos", max_images=3)


def problem_of(trained, table, pairs) -> SubGeneratorProblem:
    target = Target(LatencyTable.read(table), (128, 128), "mfagan lut build")
    return SubGeneratorProblem(trained / "supergenerator.safetensors", pairs, target)


def points_of(problem: SubGeneratorProblem, *choices: Widths) -> list[Point]:
    found = problem.evaluate([one.as_choice() for one in choices]) if problem.pairs else []
    values = [one.values for one in found] or [(0.0, problem.price(one)) for one in choices]
    return [
        Point(number, one.as_choice(), some)
        for number, (one, some) in enumerate(zip(choices, values, strict=True), 5)
    ]


def levels(picture: Picture) -> torch.Tensor:
    assert picture.media_type == "image/webp"
    with Image.open(io.BytesIO(picture.data)) as opened:
        assert opened.format == "WEBP"
        return torch.from_numpy(np.array(opened.convert("RGB"), dtype=np.float64)).permute(2, 0, 1)


def test_a_problem_describes_its_points(trained, table, pairs):
    problem = problem_of(trained, table, pairs)
    points = points_of(problem, MIXED, NARROW)
    found = problem.describe(points)
    assert len(found.scenes) == 3
    assert {scene.name for scene in found.scenes} == {"photo_0", "photo_1", "photo_2"}
    assert all(list(scene.references) == ["original", "bicubic", "full width"] for scene in found.scenes)
    assert list(found.points) == [5, 6]
    for point in points:
        one = found.points[point.number]
        assert list(one.pictures) == [scene.name for scene in found.scenes]
        parts = one.parts["latency_ms"]
        assert math.fsum(ms for _, ms in parts) == point.values[1]
        assert one.drawing == draw_network(Widths.from_choice(point.choice))
    assert [name for name, _ in found.points[5].parts["latency_ms"]] == [
        *("Head", "CFAB 1", "CFAB 2", "MFAM tail 1", "CFAB 3", "CFAB 4", "MFAM tail 2"),
        *("CFAB 5", "CFAB 6", "MFAM tail 3", "Fusion", "Bicubic residual"),
    ]
    assert found.points[5].pictures != found.points[6].pictures


def test_parts_are_those_of_a_table_of_rewritten_blocks(trained, tmp_path):
    from mfagan.sr.study.block_lists import every_block
    from tests import tiny

    passes = ["statistics", "parts", "shuffle"]
    blocks = every_block((128, 128), passes=passes)
    entries = {
        key: {"latency_ms": 2.0 + key.endswith("/joined"), "spread_ms": 0.0, "repeats": 1} for key in blocks
    }
    table = tiny.write_table(tmp_path / "rewritten.json", entries=entries, passes=passes)
    problem = problem_of(trained, table, [])
    parts = problem.price_parts(MIXED)
    assert dict(parts) == {name: 2.0 + (name in ("Fusion", "Bicubic residual")) for name, _ in parts}
    assert math.fsum(ms for _, ms in parts) == problem.price(MIXED)


def test_without_images_there_are_no_pictures(trained, table):
    problem = problem_of(trained, table, [])
    found = problem.describe(points_of(problem, MIXED))
    assert found.scenes == ()
    assert found.points[5].pictures == {}
    assert found.points[5].parts["latency_ms"]


def test_pictures_are_what_the_networks_make_of_a_small_photo(network, pairs):
    """All of it is within the crop, so that the network sees the same."""
    pair = pairs[0]
    painter = CropPainter(network, [pair])
    (scene,) = painter.scenes
    (pictures,) = painter.paint([MIXED])
    shown = {**scene.references, "own": pictures["photo_0"]}
    wanted = {
        "original": pair.hr,
        "bicubic": enlarge_bicubic(pair),
        "full width": super_resolve(network, pair.lr),
        "own": super_resolve(network.extract(MIXED), pair.lr),
    }
    for name, picture in shown.items():
        image = 255 * wanted[name].double().clamp(0, 1)
        assert levels(picture).shape == image.shape
        assert psnr_db(levels(picture).mean(0), image.mean(0)) > 35, name


def test_a_picture_does_not_depend_on_the_others(network, pairs):
    painter = CropPainter(network, pairs, n_scenes=2)
    calls: list[tuple[int, int, str]] = []
    together = painter.paint([MIXED, NARROW, MIXED], lambda *call: calls.append(call))
    assert together[0] == together[2] == painter.paint([MIXED])[0]
    assert together[1] == painter.paint([NARROW])[0]
    assert [done for done, _, _ in calls] == [1, 2, 3, 4, 5, 6]
    assert {total for _, total, _ in calls} == {6}
    again = CropPainter(network, pairs, n_scenes=2)
    assert again.scenes == painter.scenes


def test_a_scene_is_where_enlarging_is_difficult(network):
    """A flat picture with one square of detail, larger than a scene and its surroundings."""
    rng = np.random.default_rng(0)
    levels_of_all = np.full((3, 480, 640), 128, dtype=np.uint8)
    coarse = rng.integers(60, 200, (20, 20), dtype=np.uint8)
    levels_of_all[:, 320:440, 400:520] = np.kron(coarse, np.ones((6, 6), dtype=np.uint8))
    painter = CropPainter(network, [make_pair("drawn", levels_of_all, 4)])
    shown = levels(painter.scenes[0].references["original"])
    assert shown.shape == (3, 128, 128)
    detailed = (shown.mean(0) - 128).abs() > 12
    whole = np.abs(levels_of_all[0].astype(int) - 128) > 12
    assert detailed.sum() > 0.9 * whole.sum()


def test_photos_of_one_name_and_fewer_photos_than_scenes(network, pairs):
    twice = [pairs[0], Pair("photo_0", pairs[1].lr_levels, pairs[1].hr_levels)]
    painter = CropPainter(network, twice, n_scenes=5)
    assert {scene.name for scene in painter.scenes} == {"photo_0 (1)", "photo_0 (2)"}
    assert painter.paint([]) == []


def test_several_crops_of_one_photo_are_one_scene(network, pairs):
    crops = [*pairs[0].crops(12, 4), *pairs[1].crops(12, 4)]
    painter = CropPainter(network, crops)
    assert len(painter.scenes) == 2
    assert {scene.name.rpartition(" ")[0] for scene in painter.scenes} == {"photo_0", "photo_1"}


def test_a_drawing_is_as_wide_as_the_network():
    drawing, titles = draw_network(MIXED), [TITLES[name] for name in NAMES]
    boxes = {box.name: box for box in drawing.boxes}
    assert [(boxes[title].text, boxes[title].height) for title in titles] == [
        (str(w), float(w)) for w in MIXED
    ]
    pairs = {(drawing.boxes[a].name, drawing.boxes[b].name) for a, b in drawing.lines}
    assert set(itertools.pairwise(titles[:-1])) <= pairs
    taps = [f"Output of MFAM {number}" for number in (1, 2, 3)]
    assert {(tap, "Fusion") for tap in taps} <= pairs
    assert set(zip(("CFAB 2", "CFAB 4", "CFAB 6"), taps, strict=True)) <= pairs
    assert {("Trunk", "Long skip"), ("Long skip", "Sum"), ("Fusion", "Sum")} <= pairs
    assert not (pairs & {("CFAB 6", "Fusion"), ("Trunk", "Fusion")})


@pytest.mark.parametrize("widths", [Widths.uniform(48), NARROW, MIXED])
def test_nothing_in_a_drawing_lies_upon_another_thing(widths: Widths):
    drawing = draw_network(widths)
    for one, other in itertools.combinations(drawing.boxes, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y, (one, other)
    for a, b in drawing.lines:
        start, end = drawing.boxes[a], drawing.boxes[b]
        assert start.x + start.width <= end.x
        for box in drawing.boxes:
            if box not in (start, end):
                assert not crosses(start, end, box), (start.name, end.name, box.name)


def crosses(start: Box, end: Box, box: Box) -> bool:
    """Whether a straight line goes through a box."""
    (x0, y0), (x1, y1) = (
        (start.x + start.width, start.y + start.height / 2),
        (end.x, end.y + end.height / 2),
    )
    xs = np.linspace(x0, x1, 500)
    ys = np.linspace(y0, y1, 500)
    inside = (xs > box.x) & (xs < box.x + box.width) & (ys > box.y) & (ys < box.y + box.height)
    return bool(inside.any())


def test_everything_that_is_shown_has_a_title(trained, table, pairs):
    problem = problem_of(trained, table, pairs[:1])
    (found,) = problem.evaluate([MIXED.as_choice()])
    assert {*problem.choices, *found.attributes, *problem.identity()} <= TITLES.keys()
    assert problem.describe([]).titles == TITLES
    assert TITLES["trunk"] == "Trunk"
    assert TITLES["cfab_1"] == "CFAB 1"
    assert describe_points([], None, None).points == {}
