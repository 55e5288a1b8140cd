"""Enlarges video files with a model, frame by frame, in bounded memory."""

import logging
from time import perf_counter

import numpy as np

from mfagan.deploy.upscaling.clip_files import (
    ENCODED_FRAMES,
    ClipReader,
    ClipWriter,
    refusing,
    require_clip_format,
)
from mfagan.deploy.upscaling.pictures import Job, UpscaleOptions, claim_target, enlarge_levels, fit_tiling
from mfagan.enlarging.enlarger import Upscaler
from mfagan.errors import InputError
from mfagan.files import replacing
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["upscale_clip"]

logger = logging.getLogger(__name__)


def upscale_clip(
    model: Upscaler, job: Job, options: UpscaleOptions, report: ProgressCallback = ignore_progress
) -> str:
    """Enlarge the frames of a video file; sound and subtitles are copied.

    What is done when Ctrl-C is pressed, or up to where a damaged file can be read, is kept as a whole clip.

    Args:
        model: the network.
        job: what is read and written.
        options: how; a frame is enlarged as a picture is.
        report: called after every frame, with the frames per second.

    Returns:
        What was written: its size and how many frames.

    Raises:
        InputError: the source is no video, or nothing of it can be read; its frames have too many pixels; the file
            exists, is the source, has an ending that is not known, or cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed, after the file is written; its text says what the file holds.
    """
    kind = require_clip_format(job.target)
    target = claim_target(job, options.overwrite)
    with ClipReader(job.source) as clip, replacing(target) as temporary:
        height, width = (model.scale * side for side in clip.size)
        megapixels = height * width / model.scale**2 / 1e6
        if megapixels > options.max_megapixels:
            raise InputError(
                f"video {job.source} has frames of {megapixels:,.1f} megapixels, over {options.max_megapixels:g}: if "
                f"that is right, allow it with --max-megapixels {-(-megapixels // 1):.0f}"
            )
        tiling = fit_tiling(model, round(height * width * (3 + 3 + 1.5 * ENCODED_FRAMES)), options)
        large = np.empty((height, width, 3), np.uint8)

        def put(rows: slice, columns: slice, levels: np.ndarray) -> None:
            large[rows, columns] = levels

        interrupted = False
        start_s = perf_counter()
        with (
            refusing(f"cannot write {target}", "choose a place that can be written and has room"),
            ClipWriter(temporary, kind, clip, model.scale) as writer,
        ):
            try:
                for one in clip.read():
                    if clip.is_frame(one):
                        enlarge_levels(model, clip.to_rgb(one), put, tiling)
                        writer.put_frame(large, one)
                        rate = writer.n_frames / (perf_counter() - start_s)
                        report(writer.n_frames, max(writer.n_frames, clip.n_frames), f"{rate:.2f} frames/s")
                    else:
                        writer.put_packet(one)
            except KeyboardInterrupt:
                if not writer.n_frames:
                    raise
                interrupted = True
            writer.finish()
    if interrupted:
        raise KeyboardInterrupt(f"{target} holds the first {writer.n_frames} frames")
    if str(clip.damage):
        logger.warning("%s is damaged: %s", job.source, clip.damage)
    return f"{width}x{height} px, {writer.n_frames} frames"
