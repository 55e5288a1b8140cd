"""The pictures of an evaluation as files: every enlarged image, and a sheet that compares them."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from mfagan.data.images import write_image
from mfagan.data.splits import Pair
from mfagan.evaluation.contact_sheet import comparison_row, stack
from mfagan.evaluation.scores import Scores

__all__ = ["SHEET", "Gallery"]

SHEET = "sheet.png"
"""Name of the picture that compares all images of a set."""


class Gallery:
    """Writes the pictures of one set: METHOD/IMAGE.png and, at the end, `SHEET`.

    Args:
        folder: where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: list[Tensor] = []

    def show(self, pair: Pair, pictures: Mapping[str, Tensor], scores: Mapping[str, Scores]) -> None:
        """Write one image of every method, and keep its row of the sheet.

        Args:
            pair: the LR and the HR image.
            pictures: method -> enlarged image (3, H, W), not clamped.
            scores: method -> figures of that image.
        """
        captioned = [
            (f"{name}\n{scores[name].psnr_db:.2f} dB", picture.clamp(0, 1))
            for name, picture in pictures.items()
        ]
        self._rows.append(comparison_row(pair.hr, [*captioned, (f"original\n{pair.name}", pair.hr)]))
        for name, picture in pictures.items():
            write_image(self.folder / name / f"{pair.name}.png", picture)

    def write_sheet(self) -> Path:
        """Write the sheet of all images shown (at least one), a row each.

        Returns:
            The file.
        """
        path = self.folder / SHEET
        write_image(path, stack(self._rows))
        return path
