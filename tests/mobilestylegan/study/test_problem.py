"""The search problem of MobileStyleGAN's students."""

import itertools
import json
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures, kernel_distance
from mfagan.graph.costs import sum_costs
from mfagan.mobilestylegan.network import MobileStyleGAN, Student, draw_latents, extract, standard_channels
from mfagan.mobilestylegan.network.teacher.mapping import Mapping
from mfagan.mobilestylegan.study.block_lists import BlockLists
from mfagan.mobilestylegan.study.problem import Scoring, StudentProblem
from mfagan.mobilestylegan.study.scoring.choices import as_choice
from mfagan.mobilestylegan.study.scoring.scorer import Latents, LatentScorer
from mfagan.pretrained import load_lpips
from search.errors import SearchError
from search.latency import LatencyTable
from search.problem import Point
from search.racing.settings import Race
from search.running.settings import SearchSettings
from search.study import run_search
from search.testing import ProblemContract
from tests import tiny
from tests.inception_file import write_inception
from tests.mobilestylegan.study.small import CHANNELS, build_problem, build_student, write_table
from tests.mobilestylegan.training.small import build_teacher, write_teacher

MIXED = (12, 16, 4)


class TestStudents(ProblemContract):
    @pytest.fixture
    def problem(self, student_files) -> StudentProblem:
        return build_problem(student_files)


def full_network() -> MobileStyleGAN:
    """The published network, without memory for its weights."""
    with torch.device("meta"):
        return MobileStyleGAN(Mapping(512), Student(standard_channels(1024)[:-1]))


def test_the_published_student_has_69_blocks_and_the_mapping_network():
    keys = list(BlockLists(full_network()).every_block())
    kinds = [key.split(" ")[0] for key in keys]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "mapping": 1,
        "first": 3,
        "block": 63,
        "head": 3,
    }
    assert {"first c=512 4px", "block in=512 out=384 8px", "head in=64 512px"} <= set(keys)


def test_the_cheapest_of_all_6561_slices_is_found_without_them():
    lists = BlockLists(full_network())
    costs = {
        key: float(sum(one.macs for one in block.operators)) for key, block in lists.every_block().items()
    }
    options = [(full, full * 3 // 4, full // 2) for full in standard_channels(1024)[:-1]]
    prices = {
        one: sum(costs[block.key] for block in lists.blocks(one)) for one in itertools.product(*options)
    }
    assert len(prices) == 6561
    cheapest = lists.find_cheapest(lambda block: costs[block.key])
    assert cheapest == min(prices, key=prices.__getitem__)


def test_the_cheapest_slice_is_found_where_wider_is_cheaper():
    """Times of a real table need not rise with the width."""
    lists = BlockLists(build_student())
    generator = torch.Generator().manual_seed(0)
    costs = {key: torch.rand((), generator=generator).item() for key in lists.every_block()}
    options = itertools.product((16, 12, 8), (16, 12, 8), (8, 4))
    prices = {one: sum(costs[block.key] for block in lists.blocks(one)) for one in options}
    assert lists.find_cheapest(lambda block: costs[block.key]) == min(prices, key=prices.__getitem__)


def test_blocks_are_those_of_the_extracted_network(student_files):
    problem = build_problem(student_files)
    network = problem.network
    small = extract(network.synthesis, MIXED)
    wanted = [block.key for block in (*network.mapping.blocks(), *small.blocks())]
    assert [block.key for block in problem.blocks(MIXED)] == wanted
    operators = [one for block in (*network.mapping.blocks(), *small.blocks()) for one in block.operators]
    costs = sum_costs(operators)
    assert (problem.costs(MIXED).params, problem.costs(MIXED).macs) == (costs.params, costs.macs)
    entries = json.loads(student_files["lut"].read_text())["entries"]
    assert problem.price(MIXED) == pytest.approx(sum(entries[key]["latency_ms"] for key in wanted))


def test_a_batch_scores_exactly_as_one_by_one(student_files):
    problem = build_problem(student_files)
    batch = [
        dict(zip(problem.choices, one, strict=True)) for one in itertools.product(*problem.choices.values())
    ]
    assert len(batch) == 18
    together = problem.evaluate(batch)
    assert [one.values for one in together] == [problem.evaluate([choice])[0].values for choice in batch]
    assert [one.scores for one in together] == [problem.evaluate([choice])[0].scores for choice in batch]


@pytest.mark.parametrize("form", ["style", "fixed"])
def test_scores_are_distances_of_extracted_networks_to_the_teacher(form: str):
    teacher, student = build_teacher(CHANNELS), build_student(demodulation=form)
    scorer = LatentScorer(teacher, student, Latents(2, seed=5))
    slices = [CHANNELS[:-1], MIXED, (8, 8, 4)]
    for slice_, score in zip(slices, scorer.score(slices), strict=True):
        small = MobileStyleGAN(student.mapping, extract(student.synthesis, slice_)).eval()
        for case, seed in enumerate((5, 6)):
            z = draw_latents([seed], 8)
            noise = scorer.noise(case)
            with torch.no_grad():
                images = [((net(z, noise=noise) + 1) / 2).clamp(0, 1) for net in (teacher, small)]
            assert (images[0] - images[1]).abs().mean().item() == pytest.approx(
                score.qualities[case], abs=1e-6
            )


def test_trials_say_what_they_depend_on(student_files):
    problem = build_problem(student_files, latents=Latents(2, seed=3))
    identity = problem.identity()
    assert identity["student_sha256"] == checkpoint.sha256(student_files["student"])
    assert identity["teacher_sha256"] == checkpoint.sha256(student_files["teacher"])
    assert identity["lut_sha256"] == LatencyTable.read(student_files["lut"]).sha256
    assert (identity["latents"], identity["target_size"], identity["form"]) == (
        "2 from seed 3",
        "32x32",
        "style",
    )
    (found,) = problem.evaluate([as_choice(MIXED)])
    assert found.attributes["student"] == str(student_files["student"].resolve())
    assert [case.name for case in problem.cases] == ["seed 3", "seed 4"]
    assert found.values[0] == pytest.approx(sum(found.scores["distance"]) / 2)
    assert problem.known_choices == tuple(map(as_choice, [(16, 16, 8), (12, 12, 4), (8, 8, 4)]))


def test_a_ceiling_is_a_constraint_and_an_impossible_one_is_refused(student_files):
    free = build_problem(student_files)
    cheap, full = free.price((8, 8, 4)), free.price((16, 16, 8))
    problem = build_problem(student_files, {"latency_ms": (cheap + full) / 2})
    found = problem.evaluate([as_choice(one) for one in ((8, 8, 4), (16, 16, 8))])
    assert [one.feasible for one in found] == [True, False]
    with pytest.raises(InputError, match=f"least of all slices is {cheap:.6g} ms"):
        build_problem(student_files, {"latency_ms": cheap / 2})


def test_a_table_of_another_output_size_is_refused(student_files, tmp_path: Path):
    other = write_table(tmp_path / "lut.json", build_student(), size=64)
    with pytest.raises(
        InputError, match="latency table: it is for images of 64x64 px, the student's are 32x32"
    ):
        build_problem(student_files | {"lut": other})


@pytest.mark.parametrize(
    ("channels", "style_dim", "message"),
    [
        ((16, 16, 8), 8, "teacher: its size is 16, the student's is 32"),
        (CHANNELS, 16, "teacher: its style_dim is 16, the student's is 8"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(student_files, tmp_path, channels, style_dim, message):
    other = write_teacher(tmp_path / "t.safetensors", build_teacher(channels, style_dim))
    with pytest.raises(InputError, match=message):
        build_problem(student_files | {"teacher": other})


def test_a_student_without_slices_is_refused(student_files, tmp_path: Path):
    path = tmp_path / "student.safetensors"
    checkpoint.save(path, build_student().to_checkpoint("student"))
    with pytest.raises(InputError, match="its role is 'student', and its slices were not trained"):
        build_problem(student_files | {"student": path})


def test_images_that_are_not_finite_are_refused():
    teacher = build_teacher(CHANNELS)
    with torch.no_grad():
        teacher.w_mean.fill_(0)
        next(iter(teacher.synthesis.parameters())).fill_(3e38)
    with pytest.raises(InputError, match="teacher: its image of seed 0 holds values that are not finite"):
        LatentScorer(teacher, build_student(), Latents(1))


def test_a_table_that_lacks_blocks_names_the_command(student_files, tmp_path: Path):
    table = json.loads(student_files["lut"].read_text())
    del table["entries"]["head in=4 16px"]
    (tmp_path / "lut.json").write_text(json.dumps(table))
    with pytest.raises(SearchError, match="mfagan mobilestylegan lut build"):
        build_problem(student_files | {"lut": tmp_path / "lut.json"})


def test_scoring_on_nothing_is_refused():
    with pytest.raises(InputError, match="0 latents from seed 0: give at least 1"):
        Latents(0)
    with pytest.raises(InputError, match="extra objective 'fid': give one of memory, lpips, kid"):
        Scoring(extra_objective="fid")
    with pytest.raises(InputError, match="give --weights"):
        Scoring(extra_objective="lpips")
    with pytest.raises(InputError, match="give --inception"):
        Scoring(extra_objective="kid")


def test_lpips_is_a_third_objective(student_files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lpips = load_lpips(tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch))
    problem = build_problem(student_files, latents=Latents(2), extra_objective="lpips", lpips=lpips)
    (found,) = problem.evaluate([as_choice(MIXED)])
    assert list(problem.raced) == ["distance", "lpips"]
    assert problem.identity()["lpips_sha256"] == lpips.sha256()
    images = dict(problem.scorer.run(1, [MIXED]))
    wanted = lpips(2 * images[0][None] - 1, 2 * problem.scorer.originals[1][None] - 1).item()
    assert found.scores["lpips"][1] == pytest.approx(wanted)
    assert found.values[2] == pytest.approx(sum(found.scores["lpips"]) / 2)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> InceptionFeatures:
    weights = write_inception(tmp_path_factory.mktemp("inception") / "random.pth")
    return InceptionFeatures(weights, torch.device("cpu"))


def test_the_kernel_distance_is_a_third_objective_of_all_latents(student_files, features):
    problem = build_problem(student_files, latents=Latents(2), extra_objective="kid", inception=features)
    slices = [(16, 16, 8), MIXED]
    batch = [as_choice(one) for one in slices]
    together = problem.evaluate(batch)
    assert [one.values for one in together] == [problem.evaluate([choice])[0].values for choice in batch]
    teacher = features(one[None] for one in problem.scorer.originals)
    itself = kernel_distance(teacher, teacher)
    for slice_, found in zip(slices, together, strict=True):
        images = [dict(problem.scorer.run(case, [slice_]))[0] for case in range(2)]
        assert found.values[2] == pytest.approx(
            kernel_distance(features(one[None] for one in images), teacher)
        )
        assert found.values[2] > itself
        assert list(found.scores) == ["distance"]
    assert problem.identity()["inception_sha256"] == features.sha256


def test_a_slice_that_makes_the_teachers_images_has_the_teachers_distance_to_itself(
    features, monkeypatch: pytest.MonkeyPatch
):
    scorer = LatentScorer(build_teacher(CHANNELS), build_student(), Latents(2), inception=features)
    monkeypatch.setattr(scorer, "run", lambda case, _: iter([(0, scorer.originals[case])]))
    teacher = features(one[None] for one in scorer.originals)
    (score,) = scorer.score([MIXED])
    assert score.kernel == pytest.approx(kernel_distance(teacher, teacher))
    assert score.qualities == (0, 0)


def test_only_distances_of_the_published_features_are_called_kid(
    student_files, features, monkeypatch: pytest.MonkeyPatch
):
    scoring = Scoring(extra_objective="kid", inception=features)
    assert scoring.objective is not None
    assert scoring.objective.label == "Kernel distance to the teacher, not KID"
    monkeypatch.setattr(features, "is_published", True)
    problem = build_problem(student_files, latents=Latents(2), extra_objective="kid", inception=features)
    assert [one.label for one in problem.objectives][2] == "KID to the teacher"
    (found,) = problem.evaluate([as_choice(MIXED)])
    assert len(found.values) == 3


def test_kid_is_of_several_latents_and_not_raced(student_files, features, tmp_path: Path):
    with pytest.raises(InputError, match="1 latent has no distribution; give at least 2 --latents"):
        Scoring(Latents(1), extra_objective="kid", inception=features)
    problem = build_problem(student_files, latents=Latents(2), extra_objective="kid", inception=features)
    with pytest.raises(SearchError, match="cannot be raced"):
        run_search(problem, str(tmp_path / "s.db"), "s", SearchSettings(race=Race(0.05)))


def test_memory_is_a_third_objective(student_files):
    problem = build_problem(student_files, extra_objective="memory")
    (found,) = problem.evaluate([as_choice(MIXED)])
    assert found.values[2] == pytest.approx(problem.costs(MIXED).memory_bytes / 1e9)


def test_points_have_pictures_parts_and_a_drawing(student_files):
    problem = build_problem(student_files)
    described = problem.describe([Point(7, as_choice(MIXED), (0.1, 1.0))])
    assert [scene.name for scene in described.scenes] == ["seed 0", "seed 1", "seed 2"]
    assert set(described.scenes[0].references) == {"teacher", "full width"}
    point = described.points[7]
    assert set(point.pictures) == {"seed 0", "seed 1", "seed 2"}
    parts = point.parts["latency_ms"]
    assert [name for name, _ in parts] == [
        "Mapping network",
        "First convolution",
        "Block 1",
        "Block 2",
        "Head",
    ]
    assert sum(ms for _, ms in parts) == pytest.approx(problem.price(MIXED))
    assert point.drawing is not None
    assert [box.text for box in point.drawing.boxes][:4] == ["12", "16", "4", "RGB"]
    assert described.titles["c16"] == "Width at 16 px"
