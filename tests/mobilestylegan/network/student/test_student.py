import pytest
import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.mobilestylegan.network import Student, Synthesis, inverse_haar
from mfagan.mobilestylegan.network.layers.modulation import demodulate
from mfagan.mobilestylegan.network.layers.noise import constant_noise
from mfagan.mobilestylegan.network.student.layers import SeparableConv


@torch.no_grad()
def convolution_of_ones(style: list[float]) -> Tensor:
    """Output channel 0 of a separable convolution whose weights are 1 on 5x5 ones, before noise and bias."""
    conv = SeparableConv(4, 2, 1, "style")
    conv.depthwise.fill_(1)
    conv.pointwise.fill_(1)
    conv.affine.weight.zero_()
    conv.affine.bias.copy_(torch.tensor(style))
    return conv(torch.ones(1, 4, 5, 5), torch.zeros(1, 1), None)[0, 0]


def test_a_modulated_convolution_of_ones():
    energy = torch.full((2, 4), 9 / 36)
    for style in ([1.0, 1, 1, 1], [2.0, 0, 0, 0]):
        assert demodulate(torch.tensor([style]), energy).flatten().tolist() == pytest.approx([1, 1])
    y = convolution_of_ones([1, 1, 1, 1])
    assert y[2, 2] == pytest.approx(6)
    assert y[0, 2] == pytest.approx(4)
    assert y[0, 0] == pytest.approx(8 / 3)
    assert convolution_of_ones([2, 0, 0, 0])[2, 2] == pytest.approx(3)


@pytest.mark.parametrize("demodulation", ["style", "fixed"])
def test_the_spread_of_a_convolution_at_the_start(demodulation: str):
    """1 if what scales the inputs divides the outputs, about 1 if a constant vector of that size does."""
    torch.manual_seed(0)
    squares = []
    for _ in range(20):
        conv = SeparableConv(64, 64, 32, demodulation).requires_grad_(False)  # pyright: ignore[reportArgumentType]
        conv.activation = _Through()  # pyright: ignore[reportAttributeAccessIssue]
        y = conv(torch.randn(8, 64, 16, 16), torch.randn(8, 32), None)[..., 1:-1, 1:-1]
        squares.append(y.square().mean())
    spread = torch.stack(squares).mean().sqrt().item()
    assert spread == pytest.approx(1, rel=0.02 if demodulation == "style" else 0.3)


class _Through(torch.nn.Module):
    def forward(self, x: Tensor, noise: Tensor | None) -> Tensor:
        return x


@pytest.mark.parametrize("demodulation", ["style", "fixed"])
def test_the_form_of_activations_is_the_dense_convolution_of_each_sample(demodulation: str):
    torch.manual_seed(0)
    conv = SeparableConv(8, 6, 5, demodulation).double()  # pyright: ignore[reportArgumentType]
    conv.activation = _Through()  # pyright: ignore[reportAttributeAccessIssue]
    x, w = torch.randn(3, 8, 6, 7, dtype=torch.float64), torch.randn(3, 5, dtype=torch.float64)
    style = conv.affine(w)
    scale = 1 / (9 * 8) ** 0.5
    dense = conv.depthwise[:, 0] * conv.pointwise  # (6, 8, 3, 3)
    expected = []
    for i in range(3):
        q = style[i] if conv.fixed_style is None else conv.fixed_style
        d = ((scale * q[:, None, None] * dense).square().sum((1, 2, 3)) + 1e-8).rsqrt()
        kernel = scale * dense * style[i][:, None, None] * d[:, None, None, None]
        expected.append(torch.nn.functional.conv2d(x[i : i + 1], kernel, padding=1))
    assert (conv(x, w, None) - torch.cat(expected)).abs().max() < 1e-13


def build(**options) -> Student:
    torch.manual_seed(0)
    student = Student((16, 16, 8), 8, **options)
    for name, one in student.named_parameters():
        if name.endswith(("strength", "activation.bias", "heads.16.bias")):
            torch.nn.init.normal_(one)
    return student.eval().requires_grad_(False)


def test_shapes():
    student = build()
    w = torch.randn(2, 8)
    assert student.size == 32
    assert student(w).shape == (2, 3, 32, 32)
    bands = student.forward_heads(w)
    assert [tuple(one.shape) for one in bands] == [(2, 12, side, side) for side in (4, 8, 16)]
    assert torch.equal(inverse_haar(bands[-1]), student(w))


def test_the_inference_form_makes_the_same_images():
    student, w = build(), torch.randn(2, 8)
    form = student.inference_form()
    assert list(form.heads) == ["16"]
    assert list(student.heads) == ["4", "8", "16"]
    assert torch.equal(form(w), student(w))
    assert Student(**form.config()).state_dict().keys() == form.state_dict().keys()  # pyright: ignore
    with pytest.raises(InputError, match="it has the last head alone"):
        form.forward_heads(w)


def changed_rows(student: Student, count: int) -> list[int]:
    """The rows of W+ that the images of the heads depend on."""
    w = torch.randn(1, count, student.style_dim)
    before = student.forward_heads(w)
    found = []
    for row in range(count):
        other = w.clone()
        other[:, row] += 1
        if any(not torch.equal(a, b) for a, b in zip(before, student.forward_heads(other), strict=True)):
            found.append(row)
    return found


def test_the_rows_of_w_plus():
    """At 32 px the teacher has 8 rows, of which the student reads the first 6."""
    student = build()
    assert student.allowed_rows == (8, 6)
    assert changed_rows(student, 8) == changed_rows(student, 6) == list(range(6))
    assert [student.rows_of(i) for i in range(2)] == [(1, 2, 3), (3, 4, 5)]
    authors = build(rows="authors")
    assert authors.allowed_rows == (8,)
    assert [authors.rows_of(i) for i in range(2)] == [(1, 2, 3), (4, 5, 6)]
    assert changed_rows(authors, 8) == list(range(7))
    w = torch.randn(2, 8)
    assert torch.equal(authors(w), student(w))


def test_the_rows_at_1024_px():
    with torch.device("meta"):
        channels = (512, 512, 512, 512, 512, 256, 128, 64)
        assert Student(channels).allowed_rows == (18, 16)
        assert Student(channels, rows="authors").allowed_rows == (23,)
        assert Synthesis((*channels, 32)).n_rows == 18
    with pytest.raises(InputError, match=r"student of 32 px: W\+ has 14 rows, 8 or 6 are needed"):
        build()(torch.zeros(1, 14, 8))


def test_noise():
    student, w = build(), torch.randn(2, 8)
    maps = constant_noise((*student.noise_sides, 32, 32))
    assert len(student.noise_sides) == 5
    assert torch.equal(student(w), student(w, maps))
    assert not torch.equal(student(w), student(w, "zero"))
    assert not torch.equal(student(w, "random"), student(w, "random"))


def test_options_that_it_does_not_take():
    for option, message in (
        ({"demodulation": "weights"}, "demodulation 'weights': give style or fixed"),
        ({"rows": "theirs"}, "rows 'theirs': give ours or authors"),
        ({"heads": "first"}, "heads 'first': give all or last"),
        ({"full_channels": (16, 8, 8)}, "channels 16, 16, 8 are no slice of 16, 8, 8"),
        ({"full_channels": (16, 16)}, "channels 16, 16, 8 are no slice of 16, 16"),
    ):
        with pytest.raises(InputError, match=message):
            Student((16, 16, 8), 8, **option)  # pyright: ignore[reportArgumentType]
