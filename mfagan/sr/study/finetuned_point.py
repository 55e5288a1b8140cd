"""A point of a study as a fine-tuned network."""

from pathlib import Path

from mfagan.files import require_place
from mfagan.sr.shipped import DISCRIMINATOR
from mfagan.sr.study.findings import as_picked
from mfagan.sr.training.finetune import FineTuned
from mfagan.sr.training.finetune import finetune as train
from mfagan.sr.training.run import SRRunOptions, prepare_run
from mfagan.sr.training.stages import read_recipe, recipe_of
from search.problem import Point

__all__ = ["finetune"]


def finetune(
    point: Point,
    out: str | Path,
    images: str | Path = "embedded",
    *,
    study: str = "",
    recipe: str | Path | None = None,
    max_steps: int | None = None,
    device: str = "auto",
) -> FineTuned:
    """Fine-tune the SubGenerator of a study's point, and write the best of its validations, the start included.

    Snapshots of the training lie in the folder of `out`, and the same call continues it.

    Args:
        point: A point of a study of SubGenerators, such as `search.pick` gives.
        out: The checkpoint to write, for `mfagan.load`.
        images: A folder of images to train on, of which a part is held out, or `embedded`: the package's photographs.
        study: The study's name, for the record.
        recipe: A shipped recipe's name or a TOML file; None for that of the SuperGenerator.
        max_steps: The most steps; None for as many as the recipe asks for.
        device: Where it trains, such as "cpu" or "cuda:1"; "auto" for CUDA if there is one and the CPU otherwise.

    Returns:
        PSNR-Y and, where it was measured, LPIPS before and after.

    Raises:
        InputError: The point is not one of SubGenerators, its SuperGenerator has moved, or as `mfagan finetune`.
    """
    picked = as_picked(study, point)
    path = require_place(Path(out), Path(picked.supernet))
    supernet, found = picked.load_supernet()
    settings = recipe_of(found) if recipe is None else read_recipe(recipe)
    options = SRRunOptions(path.parent, device, max_steps=max_steps, images=[str(images)])
    run = prepare_run(settings, options, ["finetune"])
    return train(run, supernet.extract(picked.as_widths()), DISCRIMINATOR, path, picked.as_record())
