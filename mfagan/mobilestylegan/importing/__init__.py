"""Reads other authors' files: StyleGAN2 in PyTorch, MobileStyleGAN's published student, projected styles (W+)."""

from mfagan.mobilestylegan.importing.checkpoint_file import import_file
from mfagan.mobilestylegan.importing.styles_file import ProjectedStyles, read_styles, write_styles

__all__ = ["ProjectedStyles", "import_file", "read_styles", "write_styles"]
