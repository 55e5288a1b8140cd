"""The package's log on standard error."""

import logging

import pytest

from mfagan.cli.messages import show_log


@pytest.fixture(autouse=True)
def restored():
    """The package's logger as it was."""
    logger = logging.getLogger("mfagan")
    handlers, level = list(logger.handlers), logger.level
    yield
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
