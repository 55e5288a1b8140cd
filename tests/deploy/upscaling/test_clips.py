"""Clips enlarged by a model: frames, times, sound, and what becomes of damaged ones."""

import logging
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

import mfagan
from mfagan.deploy.upscaling import clips
from mfagan.deploy.upscaling.clips import upscale_clip
from mfagan.deploy.upscaling.pictures import Job, UpscaleOptions
from mfagan.devices import choose_device
from mfagan.errors import InputError
from mfagan.sr.kinds import build
from tests import ROOT
from tests.clips import caption, film, sing, watch
from tests.pictures import draw


@pytest.fixture(scope="module")
def model() -> mfagan.Model:
    return mfagan.load(widths=24, device="cpu")


def enlarge(model: mfagan.Model, source: Path, name: str = "out.mp4") -> Path:
    upscale_clip(model, Job(source, source.parent / name), UpscaleOptions())
    return source.parent / name


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_frames_times_and_sound_are_kept(model: mfagan.Model, tmp_path: Path, name: str):
    source = film(
        tmp_path / "in.mp4", (0, 100, 350, 400), rotation=90, aspect=Fraction(4, 3), matrix=1, spread=2
    )
    seen: list[tuple[int, int, str]] = []
    done = upscale_clip(model, Job(source, tmp_path / name), UpscaleOptions(), lambda *now: seen.append(now))
    before, after = watch(source), watch(tmp_path / name)
    assert done == "128x96 px, 4 frames"
    assert after.sizes == {(128, 96)}
    shift = after.times[0] - before.times[0]  # Matroska has no times before zero, where AAC begins
    assert shift == 0 or name == "out.mkv"
    assert after.times == [pytest.approx(one + shift, abs=1.5e-3) for one in before.times]
    assert [data for _, data in after.packets] == [data for _, data in before.packets]
    assert [at for at, _ in after.packets] == [
        pytest.approx(at + shift, abs=1.5e-3) for at, _ in before.packets
    ]
    assert (after.rotation, after.aspect, after.matrix, after.spread) == (90, Fraction(4, 3), 1, 2)
    assert after.codec == "h264"
    assert [one[:2] for one in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert seen[0][2].endswith(" frames/s")


@pytest.mark.parametrize(("matrix", "spread"), [(1, 1), (6, 1), (1, 2), (2, 1)])
def test_a_frame_becomes_what_the_model_makes_of_it(
    model: mfagan.Model, tmp_path: Path, matrix: int, spread: int
):
    source = film(tmp_path / "in.mp4", (0,), matrix=matrix, spread=spread, sound=None)
    before, after = watch(source), watch(enlarge(model, source))
    expected = model(before.pixels[0]).astype(float)
    assert abs(after.pixels[0] - expected).mean() < 3
    assert abs((after.pixels[0] - expected).mean((0, 1))).max() < 1.5


def test_a_small_clip_that_names_no_matrix_gets_that_of_small_clips(model: mfagan.Model, tmp_path: Path):
    """Players take another one for the large clip."""
    assert watch(enlarge(model, film(tmp_path / "in.mp4", (0,)))).matrix == 6


def test_odd_sizes_of_an_odd_scale_are_extended(tmp_path: Path):
    source = film(tmp_path / "in.mkv", (0, 100), (31, 23), codec="ffv1", pixels="yuv444p", sound=None)
    triple = mfagan.Model(build("quicksrnet", {"scale": 3}).eval(), 3, device=choose_device("cpu"))
    assert watch(enlarge(triple, source)).sizes == {(94, 70)}


def test_other_containers_are_read(model: mfagan.Model, tmp_path: Path):
    source = film(tmp_path / "in.avi", (0, 100, 200), codec="mpeg4", sound=None)
    assert len(watch(enlarge(model, source)).times) == 3


def test_a_frame_in_tiles_has_no_seams(model: mfagan.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = film(tmp_path / "in.mp4", (0,), (160, 96), sound=None)
    whole = watch(enlarge(model, source, "whole.mp4"))
    monkeypatch.setattr(clips, "fit_tiling", lambda *_: mfagan.Tiling(64))
    tiled = watch(enlarge(model, source, "tiled.mp4"))
    assert abs(whole.pixels[0].astype(int) - tiled.pixels[0]).max() <= 6


def test_a_clip_that_ends_early_is_kept_up_to_there(
    model: mfagan.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    source = film(tmp_path / "in.mp4", range(0, 600, 100), options={"movflags": "faststart"}, sound=None)
    content = source.read_bytes()
    source.write_bytes(content[: content.index(b"mdat") + 2 * (len(content) - content.index(b"mdat")) // 3])
    with caplog.at_level(logging.WARNING, "mfagan"):
        found = watch(enlarge(model, source))
    assert 1 <= len(found.times) <= 6
    assert "in.mp4 is damaged: " in caplog.text


def test_a_stream_that_the_container_cannot_hold_is_left_out(
    model: mfagan.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    source = film(tmp_path / "in.mkv", (0, 100), sound="tta")
    with caplog.at_level(logging.WARNING, "mfagan"):
        assert watch(enlarge(model, source)).packets == []
    assert "its audio (tta) is left out, mp4 cannot hold it" in caplog.text


def test_subtitles_are_copied_where_the_container_holds_them(
    model: mfagan.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    source = caption(film(tmp_path / "in.mp4", sound=None), tmp_path / "in.mkv")
    with caplog.at_level(logging.WARNING, "mfagan"):
        assert watch(enlarge(model, source, "out.mkv")).packets == [(0, b"Hello"), (0.2, b"there")]
        assert caplog.text == ""
        assert watch(enlarge(model, source, "out.mp4")).packets == []
    assert "its subtitle (srt) is left out, mp4 cannot hold it" in caplog.text


def test_a_stream_of_data_is_left_out_with_a_line(
    model: mfagan.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    source = film(tmp_path / "in.ts", sound=None, data="klv")
    with caplog.at_level(logging.WARNING, "mfagan"):
        assert watch(enlarge(model, source)).packets == []
    assert "its data (unknown codec) is left out, sound and subtitles alone are copied" in caplog.text


def test_what_is_no_clip_is_refused(model: mfagan.Model, tmp_path: Path):
    clip = film(tmp_path / "clip.mp4")
    draw(tmp_path / "picture.png").tofile(tmp_path / "raw.mp4")
    (tmp_path / "renamed.mp4").write_bytes((tmp_path / "picture.png").read_bytes())
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:1_500])
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "old.mp4").write_bytes(b"old")
    os.mkfifo(tmp_path / "pipe.mp4")
    sing(tmp_path / "sound.m4a")
    before = sorted(tmp_path.rglob("*"))
    for source, out, message in (
        ("none.mp4", "x.mp4", "cannot read video .*none.mp4: No such file"),
        ("empty.mp4", "x.mp4", "cannot read video"),
        ("raw.mp4", "x.mp4", "cannot read video"),
        ("cut.mp4", "x.mp4", "Invalid data found .*; give a whole, readable clip"),
        ("renamed.mp4", "x.mp4", "it is a picture"),
        ("picture.png", "x.mp4", "it is a picture"),
        ("pipe.mp4", "x.mp4", "it is not a file"),
        ("sound.m4a", "x.mp4", "it has no video stream"),
        ("clip.mp4", "x.png", "unknown ending '.png' of a video; give one of .mp4"),
        ("clip.mp4", "x.webm", "unknown ending '.webm' of a video"),
        ("clip.mp4", "clip.mp4", "is the input"),
        ("clip.mp4", "old.mp4", "old.mp4 exists; give another name, or --overwrite"),
    ):
        with pytest.raises(InputError, match=message):
            upscale_clip(model, Job(tmp_path / source, tmp_path / out), UpscaleOptions())
    for options, message in (
        (UpscaleOptions(max_megapixels=0), "allow it with --max-megapixels 1"),
        (UpscaleOptions(memory_mb=50), "give at least --memory-mb"),
    ):
        with pytest.raises(InputError, match=message):
            upscale_clip(model, Job(clip, tmp_path / "x.mp4"), options)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "old.mp4").read_bytes() == b"old"


def test_ctrl_c_keeps_what_is_done(model: mfagan.Model, tmp_path: Path):
    source = film(tmp_path / "in.mp4", range(0, 600, 100))

    def stop(done: int, total: int, note: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    job = Job(source, tmp_path / "out.mp4")
    with pytest.raises(KeyboardInterrupt, match=r"out\.mp4 holds the first 3 frames"):
        upscale_clip(model, job, UpscaleOptions(), stop)
    assert watch(tmp_path / "out.mp4").times == [0.0, 0.1, 0.2]


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_leaves_a_playable_file(tmp_path: Path):
    source = film(tmp_path / "in.mp4", range(0, 60_000, 100), (64, 48))
    command = [sys.executable, "-m", "mfagan", "upscale", source, tmp_path / "out.mp4", "--widths", "24"]
    process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not any(one.stat().st_size for one in tmp_path.glob(".mfagan-*.tmp")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130, said
    n_frames = len(watch(tmp_path / "out.mp4").times)
    assert 0 < n_frames < 600
    assert f"out.mp4 holds the first {n_frames} frames" in said
    assert sorted(os.listdir(tmp_path)) == ["in.mp4", "out.mp4"]
