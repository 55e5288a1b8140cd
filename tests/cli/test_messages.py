"""The package's log on standard error."""

import logging
import subprocess
import sys

import pytest

from mfagan.cli.messages import show_log


@pytest.fixture(autouse=True)
def restored():
    """The package's logger as it was."""
    logger = logging.getLogger("mfagan")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield
    logger.propagate = propagate
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_message_is_one_line_and_is_not_repeated(capsys: pytest.CaptureFixture[str]):
    show_log()
    logger = logging.getLogger("mfagan.training.run")
    logger.info("%s is finished already", "teacher")
    logger.warning("two\nlines")
    logger.info("teacher is finished already")
    logger.debug("not for people")
    assert capsys.readouterr().err == "mfagan: teacher is finished already\nmfagan: warning: two lines\n"


def test_it_is_set_up_once_however_often_it_is_called(capsys: pytest.CaptureFixture[str]):
    show_log()
    show_log()
    logging.getLogger("mfagan").info("once")
    assert capsys.readouterr().err == "mfagan: once\n"


def test_other_packages_are_not_shown(capsys: pytest.CaptureFixture[str]):
    show_log()
    logging.getLogger("tensorboardX").error("not ours")
    assert "mfagan" not in capsys.readouterr().err


def test_a_library_that_sets_up_logging_shows_no_line_again():
    code = "import logging\nfrom mfagan.cli.messages import show_log\nshow_log()\n"
    code += "logging.basicConfig(level=logging.INFO)\n"
    code += "logging.getLogger('mfagan.training').info('once')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "mfagan: once\n"
