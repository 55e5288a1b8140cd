"""From a weight-shared translator to a pick by the commands: lut build, search, front, pick, history, tabulate."""

import json
from pathlib import Path

import pytest
from PIL import Image

from mfagan import checkpoint
from mfagan.coronetgan.network.slices import extract
from mfagan.coronetgan.study.networks import load_supernet
from mfagan.coronetgan.study.picked import read_picked
from mfagan.errors import InputError
from search.latency import LatencyTable
from search.study import load
from search.study import run as search_all
from tests.command import Run
from tests.coronetgan.study.small import (
    build_problem,
    build_resnet,
    build_unet,
    write_study,
    write_table,
    write_translator,
)

GROUP = "coronetgan"


def search(files: dict[str, Path], storage: Path, *more: object) -> list[object]:
    given = [word for name in ("lut", "supernet", "data") for word in (f"--{name}", files[name])]
    return [*(GROUP, "search", *given, "--storage", storage, "--study", "s", "--device", "cpu"), *more]


@pytest.fixture(scope="module")
def unet_files(tmp_path_factory) -> dict[str, Path]:
    return write_study(tmp_path_factory.mktemp("unet"), build_unet(n_levels=2), n_pictures=6)


@pytest.fixture(scope="module")
def searched(unet_files, tmp_path_factory) -> Path:
    """What `search --sampler exhaustive` makes, once for all tests."""
    storage = tmp_path_factory.mktemp("study") / "study.db"
    search_all(build_problem(unet_files), str(storage), "s", None, sampler="exhaustive")
    return storage


def test_a_table_of_every_block_is_measured(run: Run, unet_files, tmp_path: Path):
    out = tmp_path / "lut.json"
    words = ("--supernet", unet_files["supernet"], "--size", 32, "--runtime", "torch", "--threads", 1)
    done = run(GROUP, "lut", "build", *words, "--rounds", 1, "--out", out)
    assert done.status == 0, done.err
    table, invented = LatencyTable.read(out), LatencyTable.read(unet_files["lut"])
    assert set(table.entries) == set(invented.entries)
    assert (table.input_size, table.runtime) == ((32, 32), "torch")
    assert table.command.startswith(
        f"mfagan coronetgan lut build --supernet {unet_files['supernet']} --size 32 --runtime torch"
    )
    assert f"coronetgan search --lut {out}" in done.out


def test_every_slice_is_searched(run: Run, unet_files, searched: Path):
    done = run(*search(unet_files, searched, "--sampler", "exhaustive", "--json"))
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    assert (answer["n_trials"], answer["n_unique_trials"]) == (9, 9)
    assert answer["next"][:2] == ["mfagan", "front"]


def test_a_race_ends_with_the_exact_front(run: Run, unet_files, searched: Path, tmp_path: Path):
    raced = tmp_path / "raced.db"
    assert run(*search(unet_files, raced, "--sampler", "exhaustive", "--race", 0.05)).status == 0
    picks = []
    for storage in (searched, raced):
        out = tmp_path / "p.json"
        done = run(GROUP, "pick", "--storage", storage, "--study", "s", "--knee", "--out", out)
        assert done.status == 0, done.err
        picks.append(read_picked(out).choice)
    assert picks[0] == picks[1]


def test_the_front_page_has_pictures_beside_the_unpruned_ones(run: Run, searched: Path, tmp_path: Path):
    done = run("front", "--storage", searched, "--study", "s", "--out", tmp_path / "f.html", "--scenes", 2)
    assert done.status == 0, done.err
    page = (tmp_path / "f.html").read_text()
    for shown in (
        '"unpruned"',
        '"target"',
        "PSNR (dB)",
        "Width of level 2",
        "PSNR to unpruned (dB), 2 pictures",
        "of 6 pictures, a slice",
        "mfagan coronetgan pick --storage",
    ):
        assert shown in page, shown


def test_a_page_without_its_sources_says_what_to_give(run: Run, slice_files, tmp_path: Path):
    files = {name: tmp_path / slice_files[name].name for name in ("supernet", "lut")}
    for name, path in files.items():
        path.write_bytes(slice_files[name].read_bytes())
    dense = write_translator(tmp_path / "dense.safetensors", build_resnet(seed=2), "dense")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGB", (32, 32), (9, 99, 199)).save(pictures / "1.png")
    files["data"] = pictures
    storage = tmp_path / "s.db"
    done = run(*search(files, storage, "--trials", 2, "--unpruned", dense))
    assert done.status == 0, done.err
    page = ["front", "--storage", storage, "--study", "s", "--out", tmp_path / "f.html"]
    assert "left out: " not in run(*page).err.replace("LPIPS is left out", "")
    moved = dense.rename(tmp_path / "moved.safetensors")
    assert "no such file; give it with --unpruned" in run(*page).err
    assert "no such file" not in run(*page, "--unpruned", moved).err
    Image.new("RGB", (32, 32), (9, 99, 198)).save(pictures / "1.png")
    assert "give the original with --images" in run(*page, "--unpruned", moved).err
    files["supernet"].unlink()
    assert "Pictures and parts of the latency are left out: supernet" in run(*page).err
    assert "left out: supernet" not in run(*page, "--supernet", slice_files["supernet"]).err


def test_a_pick_names_what_fine_tuning_needs(run: Run, unet_files, searched: Path, tmp_path: Path):
    where = ("--storage", searched, "--study", "s")
    out = tmp_path / "picked.json"
    done = run("pick", *where, "--min-psnr-db", 1, "--out", out)  # the same command without the group's name
    assert done.status == 0, done.err
    assert f"next: mfagan coronetgan finetune {out}" in done.out
    picked = read_picked(out)
    assert picked.choice == {"level1": 2, "level2": 4}  # the lowest latency
    assert picked.quality == "psnr_db"
    network = load_supernet(picked.find_supernet())
    assert extract(network, picked.widths(network)).widths == {"down1": 2, "down2": 4, "up1": 2}
    history = run("history", *where)
    assert str(out) in history.out
    assert "ms by the table" in history.out


def test_a_pick_of_another_translator_is_refused(run: Run, searched: Path, tmp_path: Path):
    run(GROUP, "pick", "--storage", searched, "--study", "s", "--knee", "--out", tmp_path / "p.json")
    picked = read_picked(tmp_path / "p.json")
    other = write_translator(tmp_path / "other.safetensors", build_unet(n_levels=2, seed=5))
    with pytest.raises(InputError, match="give the original with --supernet"):
        picked.find_supernet(other)
    with pytest.raises(InputError, match="no such file; give it with --supernet"):
        picked.find_supernet(tmp_path / "none.safetensors")


def test_a_study_by_distance_is_limited_by_it(run: Run, unet_files, tmp_path: Path):
    storage = tmp_path / "s.db"
    done = run(*search(unet_files, storage, "--sampler", "exhaustive", "--quality", "distance"))
    assert done.status == 0, done.err
    record = load(str(storage), "s")
    assert [one.name for one in record.objectives] == ["distance", "latency_ms"]
    out = tmp_path / "p.json"
    done = run(GROUP, "pick", "--storage", storage, "--study", "s", "--max-distance", 0, "--out", out)
    assert done.status == 0, done.err
    assert read_picked(out).choice == {"level1": 4, "level2": 8}  # the full width alone
    assert "distance 0.0000" in run("history", "--storage", storage, "--study", "s").out


def test_all_slices_are_a_table_for_samplers(run: Run, searched: Path, tmp_path: Path):
    done = run("tabulate", "--storage", searched, "--study", "s", "--out", tmp_path / "exact.json")
    assert done.status == 0, done.err
    table = json.loads((tmp_path / "exact.json").read_text())
    assert list(table["choices"]) == ["level1", "level2"]
    assert table["command"].startswith("mfagan coronetgan search --sampler exhaustive")


def test_a_study_of_translators_is_not_priced_again(run: Run, unet_files, searched: Path):
    done = run("reprice", "--lut", unet_files["lut"], "--storage", searched, "--study", "s")
    assert "search with the other table: mfagan coronetgan search --lut" in done.message


def test_the_second_translator_of_two_runs_the_other_way(run: Run, slice_files, tmp_path: Path):
    second = write_translator(tmp_path / "b.safetensors", build_resnet(), "supernet_b")
    storage = tmp_path / "s.db"
    done = run(*search(slice_files | {"supernet": second}, storage, "--trials", 1))
    assert done.status == 0, done.err
    assert load(str(storage), "s").sources["direction"] == "BtoA"


def test_files_that_do_not_fit_are_refused_in_one_line(run: Run, slice_files, tmp_path: Path):
    storage = tmp_path / "s.db"

    def refused(*more: object, **changed: Path) -> str:
        return run(*search(slice_files | changed, storage, "--trials", 2, *more)).message

    odd = write_table(tmp_path / "odd.json", build_resnet())
    odd.write_text(odd.read_text().replace("[32, 32]", "[32, 64]"))
    assert "pictures of 32x64 px, and a search translates squares" in refused(lut=odd)
    plain = write_translator(tmp_path / "dense.safetensors", build_resnet(), "dense")
    assert "its slices were not trained; train one with: mfagan coronetgan train" in refused(supernet=plain)
    missing = refused(lut=tmp_path / "none.json")
    assert "no such file; build it with: mfagan coronetgan lut build" in missing
    assert "--size 256" in missing
    assert "--race with --objective kid: KID is of all pictures" in refused(
        "--race", 0.05, "--objective", "kid"
    )
    assert "--objective kid: Inception's weights are missing" in refused("--objective", "kid")
    other = checkpoint.Checkpoint("x", "supernet", {}, {})
    checkpoint.save(tmp_path / "x.safetensors", other)
    assert "its network is 'x'" in refused(supernet=tmp_path / "x.safetensors")
    assert not storage.exists()
