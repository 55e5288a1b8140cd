from pathlib import Path

from mfagan.data.inventory import describe_sets
from mfagan.data.layouts import find_pairs
from tests import tiny


def test_sets_are_counted_and_hashed_by_their_contents(tmp_path: Path):
    tiny.write_photos(tmp_path / "Set5" / "HR", n=2, side=32)
    plain = tiny.write_photos(tmp_path / "photos", n=3, side=32)
    files = [*find_pairs(tmp_path / "Set5"), *find_pairs(plain)]
    before = describe_sets(files)
    assert {name: one["n_images"] for name, one in before.items()} == {"Set5": 2, "photos": 3}
    moved = tmp_path / "elsewhere" / "photos"
    moved.parent.mkdir()
    plain.rename(moved)
    after = describe_sets(find_pairs(moved))
    assert after == {"photos": before["photos"]}
    tiny.write_photos(moved, n=3, side=40)
    assert describe_sets(find_pairs(moved))["photos"]["sha256"] != after["photos"]["sha256"]


def test_two_sets_of_one_name_are_told_apart(tmp_path: Path):
    folders = [tiny.write_photos(tmp_path / one / "HR", n=1, side=32) for one in ("a/Set5", "b/Set5")]
    found = describe_sets([pair for folder in folders for pair in find_pairs(folder)])
    assert list(found) == [str(folder.resolve()) for folder in folders]
