"""From a student to a pick by the commands: lut build, search, front, pick, history, tabulate."""

import json
from pathlib import Path

import pytest

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.mobilestylegan.study.picked import read_picked
from mfagan.mobilestylegan.study.scoring.scorer import Latents
from search.latency import LatencyTable
from search.study import run as search_all
from tests.command import Run
from tests.inception_file import write_inception
from tests.mobilestylegan.study.small import CHANNELS, build_problem, build_student, write_table
from tests.mobilestylegan.training.small import build_teacher, write_teacher

GROUP = "mobilestylegan"


def search(files: dict[str, Path], storage: Path, *more: object) -> list[object]:
    given = [word for name in ("lut", "student", "teacher") for word in (f"--{name}", files[name])]
    return [
        *(GROUP, "search", *given, "--latents", 6, "--storage", storage, "--study", "s", "--device", "cpu"),
        *more,
    ]


@pytest.fixture(scope="module")
def searched(student_files, tmp_path_factory) -> Path:
    """What `search --sampler exhaustive` makes, once for all tests."""
    storage = tmp_path_factory.mktemp("study") / "study.db"
    search_all(
        build_problem(student_files, latents=Latents(6)), str(storage), "s", None, sampler="exhaustive"
    )
    return storage


def test_a_table_of_every_block_is_measured(run: Run, student_files, tmp_path: Path):
    out = tmp_path / "lut.json"
    words = ("--student", student_files["student"], "--threads", 1, "--rounds", 1, "--out", out)
    done = run(GROUP, "lut", "build", *words)
    assert done.status == 0, done.err
    table, invented = LatencyTable.read(out), LatencyTable.read(student_files["lut"])
    assert set(table.entries) == set(invented.entries)
    assert (table.input_size, table.runtime, table.passes) == ((32, 32), "litert", ("wavelets",))
    assert table.command.startswith(f"mfagan mobilestylegan lut build --student {student_files['student']}")
    assert f"mobilestylegan search --lut {out}" in done.out


def test_every_slice_is_searched(run: Run, student_files, searched: Path):
    done = run(*search(student_files, searched, "--sampler", "exhaustive", "--json"))
    answer = json.loads(done.answer)
    assert (answer["n_trials"], answer["n_unique_trials"]) == (18, 18)
    assert answer["next"][:2] == ["mfagan", "front"]


def test_a_race_ends_with_the_exact_front(run: Run, student_files, searched: Path, tmp_path: Path):
    raced = tmp_path / "raced.db"
    assert run(*search(student_files, raced, "--sampler", "exhaustive", "--race", 0.05)).status == 0
    fronts = []
    for storage in (searched, raced):
        done = run(
            GROUP, "pick", "--storage", storage, "--study", "s", "--knee", "--out", tmp_path / "p.json"
        )
        assert done.status == 0, done.err
        fronts.append(read_picked(tmp_path / "p.json").choice)
    assert fronts[0] == fronts[1]


def test_a_study_by_kernel_distance_has_a_page_without_inception(run: Run, student_files, tmp_path: Path):
    weights = write_inception(tmp_path / "random.pth")
    storage = tmp_path / "s.db"
    command = search(student_files, storage, "--latents", 2, "--trials", 2, "--objective", "kid")
    assert "--race with --objective kid: KID is of all latents" in run(*command, "--race", 0.05).message
    assert "--objective kid: Inception's weights are missing: put pt_inception" in run(*command).message
    assert not storage.exists()
    done = run(*command, "--inception", weights)
    assert done.status == 0, done.err
    assert "random.pth is not the published file" in done.err
    weights.unlink()
    page = ("front", "--storage", storage, "--study", "s", "--out", tmp_path / "f.html", "--scenes", 1)
    done = run(*page)
    assert done.status == 0, done.err
    assert "left out: " not in done.err.replace("LPIPS is left out: ", "")
    text = (tmp_path / "f.html").read_text()
    assert "Kernel distance to the teacher, not KID" in text
    assert "sha256 of Inception" in text


def test_the_front_page_has_pictures_beside_the_teachers(run: Run, searched: Path, tmp_path: Path):
    done = run("front", "--storage", searched, "--study", "s", "--out", tmp_path / "f.html", "--scenes", 2)
    assert done.status == 0, done.err
    page = (tmp_path / "f.html").read_text()
    for shown in (
        "teacher",
        "full width",
        "seed 1",
        "Distance to the teacher",
        "Width at 16 px",
        "PSNR to the teacher",
    ):
        assert shown in page
    assert "mfagan mobilestylegan pick --storage" in page
    assert "seed 2" not in page


def test_a_page_without_its_networks_says_what_to_give(run: Run, student_files, tmp_path: Path):
    files = {name: tmp_path / path.name for name, path in student_files.items()}
    for name, path in student_files.items():
        files[name].write_bytes(path.read_bytes())
    assert run(*search(files, tmp_path / "s.db", "--trials", 3)).status == 0
    files["teacher"].unlink()
    page = ["front", "--storage", tmp_path / "s.db", "--study", "s", "--out", tmp_path / "f.html"]
    assert "no such file; give it with --teacher" in run(*page).err
    moved = run(*page, "--teacher", student_files["teacher"])
    assert "left out: teacher" not in moved.err
    files["student"].write_bytes(student_files["teacher"].read_bytes())
    assert "Pictures and parts of the latency are left out: student" in run(*page).err


def test_a_pick_names_what_fine_tuning_needs(run: Run, student_files, searched: Path, tmp_path: Path):
    where = ("--storage", searched, "--study", "s")
    out = tmp_path / "picked.json"
    done = run("pick", *where, "--max-distance", 1, "--out", out)  # the same command without the group's name
    assert done.status == 0, done.err
    assert f"next: mfagan mobilestylegan finetune {out}" in done.out
    picked = read_picked(out)
    assert (picked.student, picked.teacher) == tuple(
        str(student_files[n].resolve()) for n in ("student", "teacher")
    )
    assert picked.choice == {"c4": 8, "c8": 8, "c16": 4}  # the lowest latency
    assert picked.channels == (8, 8, 4)
    assert picked.find_student() == student_files["student"]
    assert picked.find_teacher() == student_files["teacher"]
    history = run("history", *where)
    assert str(out) in history.out
    assert "distance 0." in history.out


def test_a_pick_of_another_student_is_refused(run: Run, student_files, searched: Path, tmp_path: Path):
    run(GROUP, "pick", "--storage", searched, "--study", "s", "--knee", "--out", tmp_path / "p.json")
    picked = read_picked(tmp_path / "p.json")
    checkpoint.save(tmp_path / "other.safetensors", build_student(seed=5).to_checkpoint("supernet"))
    with pytest.raises(InputError, match="give the original with --student"):
        picked.find_student(tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="no such file; give it with --teacher"):
        picked.find_teacher(tmp_path / "none.safetensors")


def test_all_slices_are_a_table_for_samplers(run: Run, searched: Path, tmp_path: Path):
    done = run("tabulate", "--storage", searched, "--study", "s", "--out", tmp_path / "exact.json")
    assert done.status == 0, done.err
    table = json.loads((tmp_path / "exact.json").read_text())
    assert list(table["choices"]) == ["c4", "c8", "c16"]
    assert table["command"].startswith("mfagan mobilestylegan search --sampler exhaustive")


def test_a_study_of_students_is_not_priced_again(run: Run, student_files, searched: Path):
    done = run("reprice", "--lut", student_files["lut"], "--storage", searched, "--study", "s")
    assert "search with the other table: mfagan mobilestylegan search --lut" in done.message


def test_files_that_do_not_fit_are_refused_in_one_line(run: Run, student_files, tmp_path: Path):
    storage = tmp_path / "s.db"

    def refused(**changed: Path) -> str:
        return run(*search(student_files | changed, storage, "--trials", 2)).message

    other = write_teacher(tmp_path / "teacher.safetensors", build_teacher((16, 16, 8)))
    assert "teacher: its size is 16, the student's is 32" in refused(teacher=other)
    large = write_table(tmp_path / "large.json", build_student(), size=64)
    assert "images of 64x64 px, the student's are 32x32; build one with: mfagan mobilestylegan" in refused(
        lut=large
    )
    plain = tmp_path / "student.safetensors"
    checkpoint.save(plain, build_student(channels=CHANNELS).to_checkpoint("student"))
    assert "its slices were not trained" in refused(student=plain)
    assert "no such file; build it with: mfagan mobilestylegan lut build" in refused(
        lut=tmp_path / "none.json"
    )
    assert not storage.exists()
