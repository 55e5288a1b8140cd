"""Video files in and out through PyAV: frames decoded and encoded one at a time, sound and subtitles copied.

The only file that imports av.
"""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mfagan.errors import InputError
from mfagan.packages import refuse_import

try:
    import av
    from av.error import FFmpegError
    from av.video.frame import VideoFrame
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("av", error) from None

__all__ = ["ENCODED_FRAMES", "ClipReader", "ClipWriter", "Damage", "refusing", "require_clip_format"]

logger = logging.getLogger(__name__)

ENCODED_FRAMES = 16
"""How many enlarged frames the encoder holds at the most, with 1.5 bytes a px."""
_ENCODER = {"crf": "17", "preset": "medium", "rc-lookahead": "8"}
"""x264's settings: no loss that is seen, and few frames held."""
_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Endings of the files that are written -> FFmpeg's name of the container."""
_OF_CONTAINER = ("major_brand", "minor_version", "compatible_brands", "encoder")
"""Metadata that tell of the source's container and not of the clip."""
_COPIED = ("audio", "subtitle")
_BT709, _BT470BG, _SMPTE170M = 1, 5, 6
"""Numbers of matrices from YUV to RGB (ITU-T H.273); the last two are one matrix."""
_MATRICES = (_BT709, 4, _BT470BG, _SMPTE170M, 7, 9)
"""Those that FFmpeg's scaler computes."""
_FULL_RANGE, _STUDIO_RANGE = 2, 1
_LARGEST_SD_PX = (1279, 576)
"""(width, height) up to which players take a clip that names no matrix for BT.601; larger ones for BT.709."""


@dataclass
class Damage:
    """What could not be read of a clip."""

    n_packets: int = 0
    """Packets that could not be decoded."""
    reason: str = ""
    """Why reading stopped before the end; empty if it did not."""

    def __str__(self) -> str:
        """One line; empty if there is no damage."""
        parts = [f"{self.n_packets} damaged parts are left out"] if self.n_packets else []
        return "; ".join([*parts, *([f"it ends early ({self.reason})"] if self.reason else [])])


class ClipReader:
    """An open video file.

    Args:
        path: the file.

    Raises:
        InputError: no such file, no regular file, not a video, or nothing of it can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage = Damage()
        if path.exists() and not path.is_file():
            raise InputError(f"cannot read video {path}: it is not a file; give a video's file")
        self.container, self.video = self._open()
        with self.container:
            first = next(filter(self.is_frame, self.read()), None)
        if first is None:
            raise InputError(
                f"cannot read video {path}: none of its frames can be decoded; give a whole clip"
            )
        self.first = first
        self.damage = Damage()
        self.container, self.video = self._open()  # again, because not all formats can be wound back

    def __enter__(self) -> "ClipReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the first frame in px."""
        return self.first.height, self.first.width

    @property
    def n_frames(self) -> int:
        """How many frames the file says that it has, or an estimate by its duration; 0 if it says neither."""
        if self.video.frames:
            return self.video.frames
        length_s = (self.container.duration or 0) / av.time_base
        return round(length_s * float(self.video.average_rate or 0))

    def read(self) -> Iterator[Any]:
        """Read what is to be written, in the order of the file: packets to copy, and decoded frames.

        Parts that cannot be decoded are left out, and counted in `damage`.
        """
        streams = [self.video, *(one for one in self.container.streams if one.type in _COPIED)]
        packets = self.container.demux(streams)
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError) as error:
                self.damage.reason = _reason(error)
                packet = None
            if packet is None:
                break
            if packet.stream.index != self.video.index:
                if packet.dts is not None:
                    yield packet
                continue
            try:
                yield from packet.decode()
            except FFmpegError:
                self.damage.n_packets += 1
        if self.damage.reason:
            with contextlib.suppress(FFmpegError):
                yield from self.video.codec_context.decode(None)

    @staticmethod
    def is_frame(one: Any) -> bool:
        """Whether what `read` gives is a frame.

        Args:
            one: a frame or a packet.
        """
        return isinstance(one, VideoFrame)

    def to_rgb(self, frame: VideoFrame) -> np.ndarray:
        """(H, W, 3) uint8, of the first frame's size."""
        height, width = self.size
        rgb = frame.reformat(
            width,
            height,
            "rgb24",
            src_colorspace=_scaler_matrix(self.matrix),
            src_color_range=self.range,
            dst_color_range=_FULL_RANGE,
        )
        return rgb.to_ndarray()

    @property
    def matrix(self) -> int:
        """Number of the matrix from YUV to RGB; what players take if the file does not name one."""
        if self.first.colorspace in _MATRICES:
            return self.first.colorspace
        height, width = self.size
        return _SMPTE170M if width <= _LARGEST_SD_PX[0] and height <= _LARGEST_SD_PX[1] else _BT709

    @property
    def range(self) -> int:
        """Number of the range of YUV; the studio's if the file does not name one."""
        return _FULL_RANGE if self.first.color_range == _FULL_RANGE else _STUDIO_RANGE

    def _open(self) -> tuple[Any, Any]:
        with refusing(f"cannot read video {self.path}", "give a whole, readable clip"):
            container = av.open(str(self.path))
        video: Any = container.streams.best("video")
        kind = container.format.name
        if video is None or kind.endswith("_pipe") or "image2" in kind:
            container.close()
            what = "it has no video stream" if video is None else "it is a picture"
            raise InputError(
                f"cannot read video {self.path}: {what}; give a clip, and pictures the ending of one"
            )
        video.thread_type = "SLICE"  # other threads hold frames
        return container, video


def require_clip_format(path: Path) -> str:
    """Find the container of a file that is to be written.

    Args:
        path: the file.

    Returns:
        FFmpeg's name of it.

    Raises:
        InputError: an unknown ending.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(
            f"cannot write {path}: unknown ending {path.suffix!r} of a video; give one of {', '.join(_FORMATS)}"
        )
    return _FORMATS[path.suffix.lower()]


class ClipWriter:
    """A video file that is written: H.264, 8 bits, with the times, the shape of pixels and the colours of the source.

    Args:
        path: where it is written.
        kind: the container, as `require_clip_format` gives it.
        source: the clip that is enlarged.
        scale: by how much; a side that becomes odd gets one more px, which repeats its edge.
    """

    def __init__(self, path: Path, kind: str, source: ClipReader, scale: int) -> None:
        self._source = source
        self._size = tuple(scale * side + scale * side % 2 for side in source.size)
        self._stack = contextlib.ExitStack()
        self._container = self._stack.enter_context(av.open(str(path), "w", format=kind))
        about = source.container.metadata.items()
        self._container.metadata.update({name: text for name, text in about if name not in _OF_CONTAINER})
        self._video = self._add_video()
        self._copied = self._copy_streams(kind)
        self._last_pts: int | None = None
        self.n_frames = 0
        """Frames that were given."""

    def __enter__(self) -> "ClipWriter":
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)

    def put_frame(self, rgb: np.ndarray, times: VideoFrame) -> None:
        """Encode an enlarged frame.

        Args:
            rgb: (H, W, 3) uint8.
            times: the frame that it was made from, whose time it gets.
        """
        height, width = self._size
        more = ((0, height - rgb.shape[0]), (0, width - rgb.shape[1]), (0, 0))
        rgb = np.pad(rgb, more, "edge") if any(after for _, after in more) else rgb
        source = self._source
        frame = VideoFrame.from_ndarray(rgb).reformat(
            format="yuv420p",
            dst_colorspace=_scaler_matrix(source.matrix),
            src_color_range=_FULL_RANGE,
            dst_color_range=source.range,
        )
        frame.colorspace, frame.color_range = source.matrix, source.range
        frame.pts, frame.time_base = self._next_pts(times), self._video.codec_context.time_base
        frame.duration = times.duration
        self._container.mux(self._video.encode(frame))
        self.n_frames += 1

    def put_packet(self, packet: Any) -> None:
        """Copy a packet of the source's sound or subtitles, if the container holds such a stream.

        Args:
            packet: of one of the source's streams.
        """
        stream = self._copied.get(packet.stream.index)
        if stream is not None:
            packet.stream = stream
            self._container.mux(packet)

    def finish(self) -> None:
        """Encode what the encoder holds; the file is whole when the context ends."""
        self._container.mux(self._video.encode(None))

    def _add_video(self) -> Any:
        source = self._source
        rate = source.video.average_rate or source.video.guessed_rate or Fraction(25)
        video: Any = self._container.add_stream("libx264", rate=rate, options=_ENCODER)
        video.height, video.width = self._size
        video.pix_fmt = "yuv420p"
        video.thread_type = "SLICE"
        video.time_base = video.codec_context.time_base = source.video.time_base
        if source.video.sample_aspect_ratio:
            video.sample_aspect_ratio = source.video.sample_aspect_ratio
        context, first = video.codec_context, source.first
        context.colorspace, context.color_range = source.matrix, source.range
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        if first.rotation:
            video.set_display_rotation(first.rotation)
        return video

    def _copy_streams(self, kind: str) -> dict[int, Any]:
        """Index of a stream of the source -> the stream that it is copied to."""
        copied: dict[int, Any] = {}
        for stream in self._source.container.streams:
            if stream.index == self._source.video.index:
                continue
            codec = stream.codec_context.name if stream.codec_context is not None else "unknown codec"
            what = self._source.path, stream.type, codec
            if stream.type not in _COPIED:
                logger.warning("%s: its %s (%s) is left out, sound and subtitles alone are copied", *what)
                continue
            try:
                copy = self._container.add_stream_from_template(stream)
            except ValueError:
                logger.warning("%s: its %s (%s) is left out, %s cannot hold it", *what, kind)
            else:
                copy.metadata.update(stream.metadata)
                copied[stream.index] = copy
        return copied

    def _next_pts(self, times: VideoFrame) -> int:
        """A frame's time; damaged clips have frames without one, or that go back."""
        found = times.pts
        if self._last_pts is not None and (found is None or found <= self._last_pts):
            step = 1 / (self._video.codec_context.time_base * self._video.codec_context.framerate)
            found = self._last_pts + (1 if times.pts is not None else max(1, round(step)))
        self._last_pts = found or 0
        return self._last_pts


def _scaler_matrix(number: int) -> int:
    """FFmpeg's scaler knows one number of the two of BT.601's matrix."""
    return _BT470BG if number == _SMPTE170M else number


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


@contextlib.contextmanager
def refusing(what: str, remedy: str) -> Iterator[None]:
    """Turn FFmpeg's errors into one line.

    Args:
        what: what could not be done.
        remedy: what to do.

    Returns:
        A context.

    Raises:
        InputError: something failed in FFmpeg.
    """
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise InputError(f"{what}: {_reason(error)}; {remedy}") from None
