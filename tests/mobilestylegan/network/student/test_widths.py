import pytest

from mfagan.mobilestylegan.network.student.widths import narrowest_slice, width_options


@pytest.mark.parametrize(
    ("full", "options"), [(512, (512, 384, 256)), (64, (64, 48, 32)), (8, (8, 4)), (4, (4,))]
)
def test_options_are_whole_groups_of_channels(full: int, options: tuple[int, ...]):
    assert width_options(full) == options


def test_the_narrowest_slice_is_half_of_everything():
    assert narrowest_slice((64, 64, 64)) == (32, 32, 32)
