"""Small clips of random pixels as files, and what is in a clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE_HZ = 44_100
MS = Fraction(1, 1_000)


def film(
    path: Path,
    times_ms: Sequence[int] = (0, 100, 200),
    size: tuple[int, int] = (32, 24),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    sound: str | None = "aac",
    rotation: int = 0,
    aspect: Fraction | None = None,
    matrix: int = 2,
    spread: int = 1,
    options: dict[str, str] | None = None,
    data: str | None = None,
) -> Path:
    """Writes a clip with a frame of smooth random colours at each time, and a tone."""
    rng = np.random.default_rng(0)
    width, height = size
    with av.open(str(path), "w", options=options or {}) as clip:
        video: Any = clip.add_stream(codec, rate=10)
        video.width, video.height, video.pix_fmt = width, height, pixels
        video.time_base = video.codec_context.time_base = MS if codec != "mpeg4" else Fraction(1, 10)
        video.codec_context.colorspace, video.codec_context.color_range = matrix, spread
        if aspect:
            video.sample_aspect_ratio = aspect
        if rotation:
            video.set_display_rotation(rotation)
        audio: Any = clip.add_stream(sound, rate=RATE_HZ, layout="mono") if sound else None
        if data:
            clip.add_data_stream(data)
        for time_ms in times_ms:
            coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(coarse).reformat(width, height, pixels)
            frame.pts, frame.time_base = time_ms, MS
            clip.mux(video.encode(frame))
        clip.mux(video.encode(None))
        if audio is not None:
            _add_tone(clip, audio, times_ms[-1] + 100)
    return path


def sing(path: Path) -> Path:
    """Writes a file with a tone alone."""
    with av.open(str(path), "w") as clip:
        _add_tone(clip, clip.add_stream("aac", rate=RATE_HZ, layout="mono"), 100)
    return path


def caption(clip: Path, path: Path) -> Path:
    """Writes a clip without sound again, with two subtitles."""
    subtitles = path.with_suffix(".srt")
    subtitles.write_text(
        "1\n00:00:00,000 --> 00:00:00,200\nHello\n\n2\n00:00:00,200 --> 00:00:00,300\nthere\n"
    )
    with av.open(str(clip)) as video, av.open(str(subtitles)) as text, av.open(str(path), "w") as out:
        sources: list[Any] = [video, text]
        copies = [out.add_stream_from_template(one.streams[0]) for one in sources]
        for source, copy in zip(sources, copies, strict=True):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    return path


def _add_tone(clip: Any, audio: Any, length_ms: int) -> None:
    tone = np.sin(np.arange(RATE_HZ * length_ms // 1_000) * 0.06).astype(np.float32) / 3
    for first in range(0, len(tone), 1_024):
        frame = av.AudioFrame.from_ndarray(tone[None, first : first + 1_024], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, first, Fraction(1, RATE_HZ)
        clip.mux(audio.encode(frame))
    clip.mux(audio.encode(None))


@dataclass
class Content:
    """What is in a clip."""

    sizes: set[tuple[int, int]]
    times: list[float]
    packets: list[tuple[float, bytes]]
    rotation: int
    aspect: Fraction | None
    matrix: int
    spread: int
    codec: str
    pixels: list[np.ndarray]


def watch(path: Path) -> Content:
    """Reads a clip whole."""
    with av.open(str(path)) as clip:
        packets = [
            (round(float(packet.pts * packet.time_base), 3), bytes(packet))
            for packet in clip.demux()
            if packet.pts is not None and packet.stream.type != "video"
        ]
    with av.open(str(path)) as clip:
        video = clip.streams.video[0]
        frames = list(clip.decode(video))
        return Content(
            {(frame.width, frame.height) for frame in frames},
            [round(frame.time, 3) for frame in frames],
            packets,
            frames[0].rotation,
            video.sample_aspect_ratio,
            video.colorspace,
            video.color_range,
            video.codec_context.name,
            [frame.to_ndarray(format="rgb24") for frame in frames],
        )
