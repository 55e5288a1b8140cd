"""Drawings of faces in closed form: pictures that a small StyleGAN2 can be fitted to within minutes, without any data.

The faces are aligned, as photographs for StyleGAN2 are: what varies is colour, size and expression, never the place.
"""

import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.teacher.mapping import normalise

__all__ = ["N_FACTORS", "draw_faces"]

N_FACTORS = 15
"""Numbers of a latent that a drawing depends on, the first ones."""

_DARK = 0.1
"""Of eyes and mouth, in [0, 1]."""
_EYES_Y, _MOUTH_Y, _LIP = -0.15, 0.3, 0.06
"""In half sides of the picture: heights below its middle, and half the thickness of the mouth."""


def draw_faces(z: Tensor, size: int) -> Tensor:
    """Draw a face for each latent.

    The logistic function of a latent of mean square 1 gives the factors, in (0, 1): the colours of the background above
    and below and of the head (3 numbers each), the head's half axes (width, height), the eyes' distance and radius,
    the mouth's curve and width.

    Args:
        z: latents of N(0, 1), (N, features), of at least `N_FACTORS` features.
        size: side of the pictures in px.

    Returns:
        (N, 3, size, size), RGB in [-1, 1], with edges of one pixel's width.

    Raises:
        InputError: latents with fewer features.
    """
    if z.dim() != 2 or z.shape[1] < N_FACTORS:
        raise InputError(
            f"latents of the shape {tuple(z.shape)}: drawings of faces need (N, at least {N_FACTORS}); raise style_dim"
        )
    factors = normalise(z)[:, :N_FACTORS].sigmoid()[..., None, None]  # (N, 15, 1, 1)
    above, below, head = factors[:, 0:3], factors[:, 3:6], factors[:, 6:9]
    width, height, distance, radius, curve, half_mouth = (one[:, None] for one in factors[:, 9:].unbind(1))
    axis = (torch.arange(size, device=z.device, dtype=z.dtype) + 0.5) * (2 / size) - 1
    y, x = axis.view(-1, 1), axis.view(1, -1)

    def fill(image: Tensor, colour: Tensor | float, inside: Tensor) -> Tensor:
        """Paint where a distance from the edge, in half sides of the picture, is positive."""
        cover = (inside * (size / 2) + 0.5).clamp(0, 1)
        return image + cover * (colour - image)

    def ellipse(x: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return (1 - ((x / a).square() + (y / b).square()).sqrt()) * torch.minimum(a, b)

    share = (y + 1) / 2
    image = above + share * (below - above) + 0 * x
    image = fill(image, head, ellipse(x, y, 0.45 + 0.3 * width, 0.55 + 0.3 * height))
    eye = 0.05 + 0.09 * radius
    image = fill(image, _DARK, ellipse(x.abs() - (0.14 + 0.14 * distance), y - _EYES_Y, eye, eye))
    reach = 0.12 + 0.2 * half_mouth
    middle = _MOUTH_Y + 0.3 * (curve - 0.5) * (1 - (x / reach).square())
    lips = torch.minimum(_LIP - (y - middle).abs(), reach - x.abs())
    return fill(image, _DARK, lips) * 2 - 1
