"""`mfagan mobilestylegan sample`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import mfagan
from mfagan import checkpoint
from mfagan.mobilestylegan.importing import read_styles
from mfagan.mobilestylegan.kinds import load_generator
from tests.command import Run
from tests.mobilestylegan.saved import write_pair
from tests.mobilestylegan.training.small import build_teacher

SAMPLE = ("mobilestylegan", "sample")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("generators")
    write_pair(folder, build_teacher((16, 16, 8, 8)), "large-")
    write_pair(folder, build_teacher(style_dim=12), "other-")
    write_pair(folder, build_teacher(seed=5), "strange-")
    write_pair(folder, name="authors-", rows="authors")
    return write_pair(folder)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture)


def test_a_folder_gets_a_file_for_each_seed(run: Run, files: tuple[Path, Path], tmp_path: Path):
    out = tmp_path / "pictures"
    done = run(*SAMPLE, files[1], "--seeds", "3,7-8", "--psi", 0.7, "--out", out, "--json", "--device", "cpu")
    assert done.status == 0, done.err
    answer = json.loads(done.out)
    assert (answer["psi"], answer["pictures"]) == (0.7, ["seed 3", "seed 7", "seed 8"])
    names = ["seed0003.png", "seed0007.png", "seed0008.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    expected = mfagan.load(files[1], device="cpu")([3, 7, 8], psi=0.7)
    for name, one in zip(names, expected, strict=True):
        np.testing.assert_array_equal(pixels(out / name), one)


def test_a_sheet_shows_teacher_above_student_and_says_psi(run: Run, files: tuple[Path, Path], tmp_path: Path):
    teacher, student = files
    out = tmp_path / "sheet.png"
    command = [
        *SAMPLE,
        student,
        "--seeds",
        "0-8",
        "--psi",
        0.5,
        "--noise",
        "zero",
        "--beside-teacher",
        teacher,
    ]
    done = run(*command, "--out", out)
    assert done.status == 0, done.err
    assert (
        done.answer
        == f"{out}: 9 pictures of student.safetensors, psi 0.5, noise zero; teacher above, student below\n"
    )
    assert done.out.splitlines()[-1] == f"next: mfagan mobilestylegan evaluate {student} --teacher {teacher}"
    sheet = pixels(out)
    assert sheet.shape == (28 + 2 * (2 * 96 + 28), 8 * 96 + 7 * 8, 3)
    for top, file in ((28, teacher), (28 + 96, student)):
        expected = mfagan.load(file, device="cpu")([1], psi=0.5, noise="zero")[0]
        shown = sheet[top : top + 96 : 6, 104 : 104 + 96 : 6].astype(int)
        assert abs(shown - expected).max() <= 1
    run(*command, "--out", tmp_path / "both")
    assert (tmp_path / "both" / "seed0008-teacher.png").is_file()
    assert len(list((tmp_path / "both").iterdir())) == 18


def test_saved_styles_make_the_same_pictures(run: Run, files: tuple[Path, Path], tmp_path: Path):
    w, first, again = tmp_path / "w.npz", tmp_path / "first", tmp_path / "again"
    assert run(*SAMPLE, files[0], "--seeds", "2,5", "--psi", 0.6, "--out", first, "--save-w", w).status == 0
    assert [one.w.shape for one in read_styles(w, 16, 8)] == [(6, 8), (6, 8)]
    done = run(*SAMPLE, files[0], "--w", w, "--out", again)
    assert done.status == 0, done.err
    for one, other in (("seed0002", "0000-0"), ("seed0005", "0001-1")):
        np.testing.assert_array_equal(pixels(first / f"{one}.png"), pixels(again / f"{other}.png"))


def test_a_projectors_file_gives_styles_and_noise(run: Run, files: tuple[Path, Path], tmp_path: Path):
    torch.manual_seed(0)
    maps = [torch.randn(1, 1, side, side) for side in (4, 8, 8, 16, 16)]
    latents = {"faces/a b.png": torch.randn(8), "c.png": torch.randn(6, 8)}
    torch.save({name: {"latent": w, "noise": maps} for name, w in latents.items()}, tmp_path / "w.pt")
    done = run(*SAMPLE, files[0], "--w", tmp_path / "w.pt", "--noise", "file", "--out", tmp_path / "out")
    assert done.status == 0, done.err
    teacher = mfagan.load(files[0], device="cpu")
    for name, w in (("0000-a-b", latents["faces/a b.png"][None]), ("0001-c", latents["c.png"][None])):
        found = pixels(tmp_path / "out" / f"{name}.png")
        assert abs(found.astype(int) - teacher(w=w, noise=maps)[0]).max() <= 1
    done = run(*SAMPLE, files[0], "--noise", "file", "--out", tmp_path / "out")
    assert "there are no noise maps of seed 0; give const, zero or random" in done.message


def test_styles_are_mixed_by_rows(run: Run, files: tuple[Path, Path], tmp_path: Path):
    w = tmp_path / "w.npz"
    done = run(
        *SAMPLE, files[1], "--seeds", 0, "--mix", "5,6", "--from-row", "2,4", "--out", tmp_path / "s.png", "--json",
        "--save-w", w,
    )  # fmt: skip
    assert done.status == 0, done.err
    assert json.loads(done.out)["pictures"] == ["seed 0, seed 5 from 2, seed 6 from 4"]
    model = mfagan.load(files[1], device="cpu")
    own = model.styles([0, 5, 6])
    mixed = read_styles(w, 16, 8)[0].w.numpy()
    np.testing.assert_allclose(mixed, np.concatenate([own[0, :2], own[1, 2:4], own[2, 4:]]), atol=1e-6)
    run(*SAMPLE, files[1], "--seeds", 0, "--mix", "5,6", "--out", tmp_path / "s.png", "--save-w", w)
    np.testing.assert_array_equal(read_styles(w, 16, 8)[0].w.numpy(), mixed)  # evenly spaced


def test_a_teacher_of_another_student_is_pointed_out(run: Run, files: tuple[Path, Path], tmp_path: Path):
    strange = files[0].with_name("strange-teacher.safetensors")
    done = run(*SAMPLE, files[1], "--seeds", 0, "--beside-teacher", strange, "--out", tmp_path / "s.png")
    assert done.status == 0, done.err
    assert "another mapping network than" in done.err


REFUSED = {
    "psi nan": (["--psi", "nan"], "psi nan: give a finite number, such as 0.7"),
    "psi inf": (["--psi", "inf"], "psi inf: give a finite number, such as 0.7"),
    "rows of a generator of 1024 px": (
        ["--w", "{tmp}/18.npz"],
        "18.npz: W+ has 18 rows, as of a generator of 1024 px; a generator of 16 px needs 6",
    ),
    "rows of no generator": (["--w", "{tmp}/7.npz"], "7.npz: W+ has 7 rows; a generator of 16 px needs 6"),
    "more styles than rows": (
        ["--mix", "1-6", "--from-row", "1,2,3,4,5,6"],
        "styles: 7 given for the 6 rows of W+; give at least 1 and at most 6",
    ),
    "more styles than rows, evenly": (["--mix", "1-6"], "styles: 7 given for the 6 rows of W+"),
    "rows past the end": (["--mix", "1", "--from-row", "6"], "crossovers 6: give 1 rising rows from 1 to 5"),
    "teacher of another size": (
        ["--beside-teacher", "{large}"],
        "teacher: its size is 32, the student's is 16; give the teacher that the student was made for",
    ),
    "teacher of other styles": (
        ["--beside-teacher", "{other}"],
        "teacher: its style_dim is 12, the student's is 8; give the teacher",
    ),
    "a student as teacher": (["--beside-teacher", "{student}"], "give a stylegan2 and a mobilestylegan"),
    "a pickle": (["--w", "{tmp}/w.pkl"], "NVIDIA's pickles run code that is in them"),
    "no list": (["--seeds", "3-1"], "--seeds '3-1': give whole numbers and rising ranges"),
    "too many": (["--seeds", "0-999999999"], "give at most 100,000 numbers"),
    "both": (["--seeds", "0", "--w", "{tmp}/7.npz"], "give --seeds or --w, not both"),
    "rows of nothing": (["--from-row", "3"], "--from-row 3: it is of --mix"),
    "another format": (["--out", "{tmp}/s.gif"], "s.gif: give X.png for a sheet, or a folder"),
    "styles in another format": (["--save-w", "{tmp}/w.pt"], "w.pt: give a name that ends in .npz"),
    "the input": (["--w", "{tmp}/6.npz", "--save-w", "{tmp}/6.npz"], "is the input"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_input_is_refused_in_one_line(run: Run, files: tuple[Path, Path], tmp_path: Path, case: str):
    for rows in (6, 7, 18):
        np.savez(tmp_path / f"{rows}.npz", w=np.zeros((1, rows, 8), np.float32))
    (tmp_path / "w.pkl").write_bytes(b"\x80\x04.")
    options, message = REFUSED[case]
    names = {"tmp": tmp_path, "student": files[1]}
    names |= {name: files[0].with_name(f"{name}-teacher.safetensors") for name in ("large", "other")}
    given = [one.format(**names) for one in options]
    done = run(*SAMPLE, files[1], *([] if "--out" in given else ["--out", tmp_path / "out"]), *given)
    assert message in done.message
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_the_rows_of_the_authors(run: Run, files: tuple[Path, Path], tmp_path: Path):
    student, teacher = (files[0].with_name(f"authors-{name}.safetensors") for name in ("student", "teacher"))
    rows = load_generator(student).n_rows
    assert rows == 5
    np.savez(tmp_path / "5.npz", w=np.zeros((1, rows, 8), np.float32))
    command = [*SAMPLE, student, "--out", tmp_path / "s.png"]
    assert run(*command, "--w", tmp_path / "5.npz").status == 0
    assert run(*command, "--seeds", 0, "--beside-teacher", teacher).status == 0
    message = run(*command, "--w", tmp_path / "5.npz", "--beside-teacher", teacher).message
    assert "W+ has 5 rows in" in message
    assert "import the student without --authors-rows" in message


def test_only_generators_are_sampled(run: Run, files: tuple[Path, Path], trained: Path, tmp_path: Path):
    message = run(*SAMPLE, trained / "student.safetensors", "--out", tmp_path / "s.png").message
    assert "its network is 'mfanet', a generator of images from latents is needed here" in message
    message = run(*SAMPLE, tmp_path / "stylegan2.pt", "--out", tmp_path / "s.png").message
    assert (
        f"convert it first: `mfagan mobilestylegan import {tmp_path}/stylegan2.pt --out stylegan2" in message
    )
    broken = checkpoint.read(files[0])
    state = dict(broken.state) | {"w_mean": torch.full((8,), torch.nan)}
    checkpoint.save(
        tmp_path / "nan.safetensors", checkpoint.Checkpoint(broken.network, broken.role, broken.config, state)
    )
    message = run(*SAMPLE, tmp_path / "nan.safetensors", "--out", tmp_path / "s.png").message
    assert "weights w_mean hold values that are not finite" in message
