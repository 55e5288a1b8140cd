"""Pictures for the pages of studies."""

import io

from PIL import Image
from torch import Tensor

from mfagan.data.images import to_uint8
from search.description import Picture

__all__ = ["encode_webp"]

_WEBP_QUALITY = 90


def encode_webp(image: Tensor) -> Picture:
    """Encode an image for a page.

    Args:
        image: (3, H, W), RGB in [0, 1]; clamped and rounded to 8 bits.

    Returns:
        A WebP picture, lossy at a quality at which the networks still differ.
    """
    buffer = io.BytesIO()
    pixels = to_uint8(image).permute(1, 2, 0).contiguous().numpy()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=_WEBP_QUALITY, method=6)
    return Picture("image/webp", buffer.getvalue())
