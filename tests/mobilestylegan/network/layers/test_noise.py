import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.noise import constant_noise, draw_noise, resolve_noise

SIDES = (4, 8, 8)


def test_constant_noise_is_the_same_in_the_teacher_and_its_student():
    teacher = constant_noise((*SIDES, 16, 16))
    for one, other in zip(constant_noise(SIDES), teacher, strict=False):
        assert torch.equal(one, other)
    assert not torch.equal(teacher[1], teacher[2])


def test_modes():
    styles = torch.zeros(2, 5, dtype=torch.float64)
    assert resolve_noise("zero", SIDES, styles) == [None] * 3
    const = resolve_noise("const", SIDES, styles)
    assert [tuple(one.shape) for one in const if one is not None] == [(1, 1, side, side) for side in SIDES]
    torch.manual_seed(0)
    first, second = (resolve_noise("random", SIDES, styles) for _ in range(2))
    assert first[0] is not None
    assert second[0] is not None
    assert first[0].shape == (2, 1, 4, 4)
    assert first[0].dtype == torch.float64
    assert not torch.equal(first[0], second[0])


def test_drawn_noise_follows_its_generator():
    first = draw_noise(SIDES, 2, torch.Generator().manual_seed(3))
    second = draw_noise(SIDES, 2, torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_student_takes_the_first_of_its_teachers_maps():
    maps = draw_noise((*SIDES, 16, 16), 2, torch.Generator())
    assert resolve_noise(maps, SIDES, torch.zeros(2, 5)) == maps[:3]


@pytest.mark.parametrize(
    ("sides", "batch", "message"),
    [
        ((4, 8), 2, r"2 maps given, 3 needed \(sides 4, 8, 8\)"),
        ((4, 8, 16), 2, r"map 2 has the shape \(2, 1, 16, 16\), \(2 or 1, 1, 8, 8\) is needed"),
        (SIDES, 3, r"map 0 has the shape \(3, 1, 4, 4\)"),
    ],
)
def test_maps_of_another_generator(sides: tuple[int, ...], batch: int, message: str):
    with pytest.raises(InputError, match=message):
        resolve_noise(draw_noise(sides, batch, torch.Generator()), SIDES, torch.zeros(2, 5))


def test_an_unknown_mode():
    with pytest.raises(InputError, match="noise 'constant': give const, zero, random or the maps"):
        resolve_noise("constant", SIDES, torch.zeros(2, 5))  # pyright: ignore[reportArgumentType]
