"""The networks of CoroNetGAN: translators at any widths, and their form with a hypernetwork."""

from mfagan.coronetgan.network.resnet import ResnetTranslator
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.network.unet import UnetTranslator

__all__ = ["TRANSLATORS", "ResnetTranslator", "Translator", "UnetTranslator"]

TRANSLATORS: dict[str, type[Translator]] = {one.KIND: one for one in (ResnetTranslator, UnetTranslator)}
"""Name in checkpoints -> class."""
