from pathlib import Path

import numpy as np
import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.importing import read_styles, write_styles


def test_a_projectors_pt_file(tmp_path: Path):
    rows, one = torch.randn(8, 4), torch.randn(4)
    noise = [torch.randn(1, 1, side, side) for side in (4, 8, 8)]
    path = tmp_path / "projected.pt"
    picture = torch.zeros(3, 32, 32)
    torch.save({"a.png": {"img": picture, "latent": rows, "noise": noise}, "b.png": {"latent": one}}, path)
    first, second = read_styles(path, 32, 4)
    assert (first.name, second.name) == ("a.png", "b.png")
    assert torch.equal(first.w, rows)
    assert torch.equal(second.w, one)
    assert len(first.noise) == 3
    assert torch.equal(first.noise[2], noise[2])
    assert second.noise == ()


def test_a_projectors_npz_file(tmp_path: Path):
    w = torch.randn(2, 8, 4)
    path = tmp_path / "projected.npz"
    write_styles(path, w)
    assert np.load(path)["w"].shape == (2, 8, 4)
    found = read_styles(path, 32, 4)
    assert [one.name for one in found] == ["0", "1"]
    assert torch.equal(torch.stack([one.w for one in found]), w)


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        (
            (1, 14, 512),
            1024,
            r"W\+ has 14 rows, as of a generator of 256 px; a generator of 1024 px needs 18",
        ),
        ((1, 18, 512), 256, r"W\+ has 18 rows, as of a generator of 1024 px; a generator of 256 px needs 14"),
        ((1, 23, 512), 1024, r"W\+ has 23 rows; a generator of 1024 px needs 18"),
        ((1, 18, 64), 1024, r"the shape \(18, 64\); \(18, 512\) or \(512,\) is needed"),
    ],
)
def test_styles_of_another_generator(shape: tuple[int, ...], size: int, message: str, tmp_path: Path):
    path = tmp_path / "w.npz"
    np.savez(path, w=np.zeros(shape, np.float32))
    with pytest.raises(InputError, match=message):
        read_styles(path, size)


def test_files_that_hold_no_styles(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        read_styles(tmp_path / "absent.npz", 32)
    npz, objects, text, pt = (tmp_path / name for name in ("a.npz", "b.npz", "c.npz", "d.pt"))
    np.savez(npz, z=np.zeros(3))
    np.savez(objects, w=np.array([{"a": 1}], dtype=object))
    text.write_text("no archive")
    for path in (npz, objects, text):
        with pytest.raises(InputError, match="no array w can be read") as caught:
            read_styles(path, 32)
        assert "\n" not in str(caught.value)
    torch.save({"a.png": {"img": torch.zeros(3)}}, pt)
    with pytest.raises(InputError, match=r"a\.png has no latent"):
        read_styles(pt, 32)
    torch.save([1], pt)
    with pytest.raises(InputError, match="holds list"):
        read_styles(pt, 32)
    np.savez(npz, w=np.full((1, 8, 4), np.nan, np.float32))
    with pytest.raises(InputError, match="not finite"):
        read_styles(npz, 32, 4)
