"""What comes with the package: a trained SuperGenerator, its distilled discriminator, a latency table's name.

`mfagan info` tells how the weights were made.
"""

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
SUPERGENERATOR = WEIGHTS / "supergenerator.safetensors"
DISCRIMINATOR = WEIGHTS / "discriminator.safetensors"
LATENCY_TABLE = "litert-epyc-2-threads"
"""For `mfagan.latency.find_table`."""
