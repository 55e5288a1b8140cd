"""What comes with the package: a trained SuperGenerator, its exact scores, its discriminator, a latency table's name.

`mfagan info` tells how the weights were made. The exact scores of all choices on the held-out photos are remade by

    mfagan search --lut litert-epyc-2-threads --sampler exhaustive --storage exact.db --study exact
    mfagan tabulate --storage exact.db --study exact --out mfagan/sr/weights/exact.json
"""

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
SUPERGENERATOR = WEIGHTS / "supergenerator.safetensors"
DISCRIMINATOR = WEIGHTS / "discriminator.safetensors"
EXACT = WEIGHTS / "exact.json"
"""For `search.benchmarks.tabular.TabularProblem`."""
LATENCY_TABLE = "litert-epyc-2-threads"
"""The name of the shipped latency table, for `mfagan.latency.find_table`."""
