"""`mfagan front`: what the page shows of SubGenerators, what it leaves out, and the page that is served."""

import base64
import http.client
import json
import lzma
import math
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mfagan.sr.shipped import EXACT
from search import pareto
from search.study import load
from tests import tiny
from tests.command import Run, search_command
from tests.front_page import data_in
from tests.test_compatibility import OLD


@pytest.fixture(scope="module")
def searched(trained: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study, made once through the command line; read it only."""
    folder = tmp_path_factory.mktemp("searched")
    command = [sys.executable, "-m", "mfagan", *map(str, search_command(trained, table, folder / "study.db"))]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def front_command(folder: Path, out: Path, *more: object) -> list[object]:
    return ["front", "--storage", folder / "study.db", "--study", "s", "--out", out, *more]


def test_every_point_of_the_front_is_described(run: Run, searched: Path, tmp_path: Path):
    out = tmp_path / "front.html"
    done = run(*front_command(searched, out))
    assert done.status == 0, done.err
    (study,), pictures = data_in(out)["studies"], data_in(out)["pictures"]
    record = load(str(searched / "study.db"), "s")
    best = pareto.front(record.points, record.objectives)
    (scene,) = study["scenes"]
    assert [label for label, _ in scene["references"]] == ["original", "bicubic", "full width"]
    rows = {trial: row for row, trial in enumerate(study["trials"])}
    assert sorted(map(int, study["points"])) == sorted(rows[point.number] for point in best)
    for point in best:
        shown = study["points"][str(rows[point.number])]
        (picture,) = shown["pictures"]
        assert base64.b64decode(pictures[picture].removeprefix("data:image/webp;base64,"))[8:12] == b"WEBP"
        assert math.isclose(sum(ms for _, ms in shown["parts"][1]), point.values[1], rel_tol=1e-5)
        assert len(shown["drawing"]["boxes"]) >= 8
    text = out.read_text()
    assert "SSIM, 1 image" in text
    assert "LPIPS is left out" in done.err
    assert "CFAB 1" in text


def test_the_commands_of_a_point_are_those_of_the_command_line(run: Run, searched: Path, tmp_path: Path):
    shutil.copy(searched / "study.db", tmp_path / "a study.db")
    out = tmp_path / "front.html"
    done = run("front", "--storage", tmp_path / "a study.db", "--study", "s", "--scenes", 0, "--out", out)
    assert done.status == 0, done.err
    (study,) = data_in(out)["studies"]
    row, shown = next(iter(study["points"].items()))
    trial = study["trials"][int(row)]
    assert shown["pictures"] == []
    pick, tune, export = (shlex.split(command) for _, command in shown["commands"])
    assert pick[:2] == ["mfagan", "pick"]
    assert tune == ["mfagan", "finetune", pick[-1], "--out", f"trial-{trial}.safetensors"]
    assert export == ["mfagan", "export", tune[-1], "--out", f"trial-{trial}.tflite"]
    assert run(*pick[1:-1], tmp_path / pick[-1]).status == 0
    assert json.loads((tmp_path / pick[-1]).read_text())["trial"] == trial


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--supernet", "Pictures and parts of the latency are left out: SuperGenerator"),
        ("--lut", "Parts of the latency are left out: latency table"),
        ("--images", "Pictures are left out: images"),
    ],
)
def test_what_is_another_is_left_out(
    run: Run, searched: Path, trained: Path, tmp_path: Path, option: str, message: str
):
    others = {
        "--supernet": trained / "student.safetensors",
        "--lut": tiny.write_table(tmp_path / "other.json", device="another"),
        "--images": tiny.write_photos(tmp_path / "other", side=64),
    }
    out = tmp_path / "front.html"
    done = run(*front_command(searched, out, option, others[option]))
    assert done.status == 0, done.err
    assert (
        len(re.findall(f"{re.escape(message)} {re.escape(str(others[option]))}: its sha256 is", done.err))
        == 1
    )
    (study,) = data_in(out)["studies"]
    assert message in out.read_text()
    assert bool(study["scenes"]) == (option == "--lut")
    for shown in study["points"].values():
        assert bool(shown["parts"][1]) == (option == "--images")
        assert shown["drawing"]["boxes"]
        assert len(shown["commands"]) == 3


def test_sources_that_have_moved(run: Run, trained: Path, table: Path, tmp_path: Path):
    weights, photos, lut = (tmp_path / name for name in ("net.safetensors", "photos", "lut.json"))
    shutil.copy(trained / "supergenerator.safetensors", weights)
    shutil.copytree(trained / "photos", photos)
    shutil.copy(table, lut)
    command = [
        "search",
        "--supernet",
        weights,
        "--lut",
        lut,
        "--images",
        photos,
        "--crop",
        32,
        "--max-images",
        1,
    ]
    where = ["--storage", tmp_path / "study.db", "--study", "s"]
    assert run(*command, "--trials", 3, "--device", "cpu", *where).status == 0
    for path in (weights, photos, lut):
        path.rename(tmp_path / f"moved-{path.name}")
    out = tmp_path / "front.html"
    done = run(*front_command(tmp_path, out))
    assert f"left out: SuperGenerator {weights}: no such file; give it with --supernet" in done.err
    moved = ["--supernet", tmp_path / "moved-net.safetensors", "--images", tmp_path / "moved-photos"]
    done = run(*front_command(tmp_path, out, *moved, "--lut", tmp_path / "moved-lut.json"))
    assert done.status == 0
    assert "left out" not in done.err.replace("LPIPS is left out", "")
    (study,) = data_in(out)["studies"]
    assert all(shown["pictures"] and shown["parts"][1] for shown in study["points"].values())


def test_the_table_of_other_choices_is_no_exact_front(run: Run, searched: Path, tmp_path: Path):
    out = tmp_path / "front.html"
    done = run(*front_command(searched, out, "--exact", EXACT, "--scenes", 0))
    assert done.status == 0, done.err
    assert f"The exact front of {EXACT} is left out: it is of another supernet_sha256" in done.err
    assert "is left out: it is of another" in out.read_text()
    message = run(*front_command(searched, out, "--study", "s", "--exact", EXACT)).message
    assert "there are 2 studies; it is compared with one alone" in message


def test_a_page_or_a_server(run: Run, searched: Path, tmp_path: Path):
    where = ["--storage", searched / "study.db", "--study", "s"]
    for arguments in ([], ["--watch", "--out", tmp_path / "f.html"]):
        assert "give either --out FILE" in run("front", *where, *arguments).message
    assert (
        "'absent'" in run("front", "--storage", searched / "study.db", "--study", "absent", "--watch").message
    )


def test_a_study_of_version_0_1_0_tells_what_to_give(run: Run, tmp_path: Path):
    (tmp_path / "study.db").write_bytes(lzma.decompress((OLD / "study.db.xz").read_bytes()))
    net = tmp_path / "net.safetensors"
    net.write_bytes(lzma.decompress((OLD / "supergenerator.safetensors.xz").read_bytes()))
    out = tmp_path / "front.html"
    done = run(*front_command(tmp_path, out))
    assert done.status == 0, done.err
    assert (
        "SuperGenerator /tmp/v0.1.0/supergenerator.safetensors: no such file; give it with --supernet"
        in done.err
    )
    done = run(*front_command(tmp_path, out, "--supernet", net))
    assert "the study does not know its images; give them with --images" in done.err
    assert "the study does not know its latency table; give it with --lut" in done.err
    done = run(*front_command(tmp_path, out, "--supernet", net, "--lut", OLD / "table.json"))
    assert done.status == 0, done.err
    (study,) = data_in(out)["studies"]
    assert all(shown["parts"][1] for shown in study["points"].values())


@pytest.mark.slow
def test_the_page_is_served_while_a_study_runs(trained: Path, table: Path, tmp_path: Path):
    def call(*arguments: object) -> list[str]:
        return [sys.executable, "-m", "mfagan", *map(str, arguments)]

    subprocess.run(
        call(*search_command(trained, table, tmp_path / "study.db", 3)), check=True, capture_output=True
    )
    where = ["--storage", tmp_path / "study.db", "--study", "s"]
    with subprocess.Popen(
        call("front", *where, "--watch"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            (url,) = re.findall(r"http://\S+", process.stdout.readline())
            seen = wait_for(
                url, "", lambda study: all(shown["pictures"] for shown in study["points"].values())
            )
            assert len(seen["studies"][0]["trials"]) == 3
            subprocess.run(
                call(*search_command(trained, table, tmp_path / "study.db", 6)),
                check=True,
                capture_output=True,
            )
            wait_for(url, "", lambda study: len(study["trials"]) == 6)
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"{url} is served no more" in out
    assert "Traceback" not in err


def wait_for(url: str, tag: str, wanted) -> dict:
    """Ask as the page does until what is wanted is there."""
    for _ in range(600):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("GET", "/data.json", headers={"If-None-Match": tag})
        response = connection.getresponse()
        text, tag = response.read(), response.getheader("ETag", "")
        connection.close()
        if response.status == 200:
            data = json.loads(text)
            if wanted(data["studies"][0]):
                return data
        time.sleep(0.2)
    raise AssertionError(f"{url} never showed it")
