"""`mfagan front --watch`: the page on this machine, made again whenever the study has new trials."""

import logging
import time

from mfagan.cli.study.front_page_maker import FrontPageMaker
from search.errors import SearchError
from search.report.live_page import LivePage, serve

__all__ = ["watch_front"]

logger = logging.getLogger(__name__)

REFRESH_S = 2.0
_FIRST_POINTS = 4
"""After how many described points the page is made again for the first time."""
_SHARE_READING = 0.2
"""At most this share of the time goes into reading the storage, which may be large or far away."""


def watch_front(maker: FrontPageMaker, port: int) -> None:
    """Serve the page until Ctrl-C; pictures of new points on the front appear when they are made.

    Args:
        maker: Makes the page.
        port: Where to listen on 127.0.0.1; 0 for any free port.

    Raises:
        SearchError: The port is taken.
    """
    live = LivePage(maker.make_quickly(REFRESH_S))
    with serve(live, port) as url:
        print(f"browse it: {url} (Ctrl-C ends it)", flush=True)
        try:
            while True:
                n_points = _FIRST_POINTS
                while maker.describe_some(n_points):
                    live.publish(maker.make_quickly(REFRESH_S))
                    n_points *= 2  # a page takes long to lay out for a large study
                if _has_changed(maker):
                    live.publish(maker.make_quickly(REFRESH_S))
        except KeyboardInterrupt:
            print(f"{url} is served no more")


def _has_changed(maker: FrontPageMaker) -> bool:
    """Wait, then read the studies again; a storage that does not answer is asked again later."""
    time.sleep(REFRESH_S)
    start = time.monotonic()
    try:
        changed = maker.reload()
    except SearchError as error:
        logger.warning("%s", error)
        changed = False
    time.sleep((time.monotonic() - start) * (1 / _SHARE_READING - 1))
    return changed
