"""Working through many pictures with a progress bar: what fails is listed, and stops nothing."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.deploy.upscaling.pictures import Job
    from mfagan.progress import ProgressCallback

__all__ = ["describe_jobs", "run_jobs"]

logger = logging.getLogger(__name__)


def run_jobs(
    label: str,
    jobs: "Sequence[Job]",
    overwrite: bool,
    work: "Callable[[Job, ProgressCallback], str]",
    done_to: str,
) -> Result:
    """Work through files; a file that exists already is left, and one that fails does not stop the others.

    Args:
        label: what stands before the progress bar.
        jobs: what is read and written.
        overwrite: whether files that exist are written again.
        work: writes the file of a job, reporting what is done of it, and returns its size as text.
        done_to: what is done to the files, such as "enlarged".

    Returns:
        What the command answers; its status is 1 if a file failed.

    Raises:
        KeyboardInterrupt: the user stopped; its text says what is done.
    """
    from mfagan.progress import show_bar

    done: list[tuple[Job, str]] = []
    failed: list[str] = []
    waiting = [job for job in jobs if overwrite or not job.target.exists()]
    try:
        with show_bar(label) as report:
            for number, job in enumerate(waiting):

                def show(part: int, parts: int, note: str, job: "Job" = job, number: int = number) -> None:
                    report(number, len(waiting), f"{job.source.name} {part}/{parts} {note}")

                report(number, len(waiting), job.source.name)
                try:
                    done.append((job, work(job, show)))
                except InputError as error:
                    failed.append(str(error))
            report(len(waiting), len(waiting), "")
    except KeyboardInterrupt as stop:
        kept = f"{len(done)} of {len(waiting)} files are written, and the same command continues"
        raise KeyboardInterrupt(f"{kept}; {stop}" if str(stop) else kept) from None
    left = len(jobs) - len(waiting)
    if left:
        logger.warning(
            "%d of %d files exist already and are left; --overwrite replaces them", left, len(jobs)
        )
    for line in failed:
        logger.warning("%s", line)
    if failed:
        logger.warning("%d of %d files could not be %s", len(failed), len(jobs), done_to)
    return describe_jobs(done, done_to, failed, left)


def describe_jobs(
    done: "Sequence[tuple[Job, str]]", done_to: str, failed: Sequence[str] = (), left: int = 0
) -> Result:
    """Say which files were written.

    Args:
        done: jobs, and the sizes of their files as text.
        done_to: as for `run_jobs`.
        failed: why others were not written.
        left: how many existed already.

    Returns:
        What the command answers.
    """
    lines = [f"{job.target}: {size}" for job, size in done]
    written = [{"source": job.source, "file": job.target, "size": size} for job, size in done]
    facts = {done_to: written, "failed": list(failed), "n_left": left}
    return Result(facts, lines, [job.target for job, _ in done], status=1 if failed else 0)
