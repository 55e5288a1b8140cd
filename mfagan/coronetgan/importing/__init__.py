"""Reads and writes generators of the public CycleGAN and pix2pix code, and of compressors that keep its names."""

from mfagan.coronetgan.importing.public_file import import_public, write_public

__all__ = ["import_public", "write_public"]
