"""Files that are installed with the package: SuperGenerators, their scores and discriminator, a table's name.

`mfagan info` says how the weights were made. The exact scores of all choices on the held-out photos are made by

    mfagan search --lut litert-epyc-2-threads --sampler exhaustive --storage exact.db --study exact
    mfagan tabulate --storage exact.db --study exact --out mfagan/sr/weights/exact.json
"""

from pathlib import Path

__all__ = [
    "DISCRIMINATOR",
    "EXACT",
    "FREE",
    "LATENCY_TABLE",
    "MODELS",
    "PERCEPTUAL",
    "SUPERGENERATOR",
    "WEIGHTS",
]

WEIGHTS = Path(__file__).parent / "weights"
"""The folder of the weights."""
SUPERGENERATOR = WEIGHTS / "supergenerator.safetensors"
"""A SuperGenerator, x4, trained on T91 and BSDS500, which are for research alone: its record has the terms."""
FREE = WEIGHTS / "free.safetensors"
"""A SuperGenerator, x4, trained on Kodak's pictures and CC0 photographs alone, which anybody may use."""
PERCEPTUAL = WEIGHTS / "perceptual.safetensors"
"""A slice of SUPERGENERATOR at the widths of the paper's network, fine-tuned for looks."""
DISCRIMINATOR = WEIGHTS / "discriminator.safetensors"
"""The distilled discriminator that fine-tuning uses."""
EXACT = WEIGHTS / "exact.json"
"""Scores of all choices, for `search.benchmarks.tabular.TabularProblem`."""
LATENCY_TABLE = "litert-epyc-2-threads"
"""Name of a latency table, for `mfagan.latency.tables.find_table`."""
MODELS = {"supergenerator": SUPERGENERATOR, "free": FREE, "perceptual": PERCEPTUAL}
"""Name -> generator, for `mfagan.load`."""
