"""A recipe of the smallest translators as a file, trained within a second."""

from pathlib import Path

TINY = """
name = "tiny"
model = "{model}"
base = {base}
blocks = 1
discriminator_base = 4
discriminator_layers = 1
load_px = {side}
crop_px = {side}
mirror = false
held_out = 3
gamma = 20.0
batch = 2
precision = "fp32"
betas = [0.5, 0.999]

[stages.dense]
steps = {steps}
learning_rate = 1e-2
fall_over = 0.5
"""


def write_recipe(path: Path, model: str = "pix2pix", steps: int = 8, base: int = 8, side: int = 16) -> Path:
    path.write_text(TINY.format(model=model, steps=steps, base=base, side=side))
    return path
