"""Pictures that show what SubGenerators differ in: the same small crops of the photos, enlarged by each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from mfagan.data.images import luma
from mfagan.data.pairs import Pair, distinct_names
from mfagan.evaluation.scores import enlarge_bicubic
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.scoring.prefix_walk import PrefixWalk
from mfagan.study.pictures import encode_webp
from mfagan.study.slices.scenes import ScenePainter
from search.description import Scene

__all__ = ["N_SCENES", "CropPainter"]

N_SCENES = 3
SIDE_PX = 128
"""Side of a scene, in HR px."""
_CONTEXT_PX = 16
"""LR px around a scene that the networks see, too."""
_CANDIDATES = 3
"""How many crops the full width tries for each scene."""


@dataclass(frozen=True)
class _Crop:
    """A part of a pair, where the scene lies in it in HR px, and the mean squared error there of bicubic's luma."""

    name: str
    pair: Pair
    rows: slice
    columns: slice
    bicubic_error: float

    def cut(self, image: Tensor) -> Tensor:
        return image[:, self.rows, self.columns]


class CropPainter(ScenePainter[Widths]):
    """Paints scenes by slices of a SuperGenerator, whose weights must not change meanwhile.

    Of each photo it takes the square in which bicubic enlargement is most wrong, and of the worst of these the ones in
    which the full width gains most: there the SubGenerators differ.

    Attributes:
        scenes: What there are pictures of, with the references `original`, `bicubic` and `full width`.
    """

    def __init__(self, network: SuperGenerator, pairs: Sequence[Pair], n_scenes: int = N_SCENES) -> None:
        """Choose the scenes and paint their references.

        Args:
            network: The SuperGenerator; it stays on its device.
            pairs: The photos; at most one scene is taken of each, however many crops of it are given.
            n_scenes: How many scenes there shall be, if there are as many photos.
        """
        self._walk = PrefixWalk(network)
        self._device = next(network.parameters()).device
        full = network.widths
        names = distinct_names(pairs)
        hardest = [_hardest_crop(name, pair) for name, pair in zip(names, pairs, strict=True)]
        hardest.sort(key=lambda crop: -crop.bicubic_error)  # stable: of equal ones the first photo
        of_photo = {crop.pair.image or crop.name: crop for crop in reversed(hardest)}
        candidates = [crop for crop in hardest if of_photo[crop.pair.image or crop.name] is crop]
        found: list[tuple[float, _Crop, Tensor]] = []
        for crop in candidates[: _CANDIDATES * n_scenes]:
            ((_, enlarged),) = self._enlarge(crop, [full])
            found.append((crop.bicubic_error - _error(enlarged, crop), crop, enlarged))
        found.sort(key=lambda one: -one[0])
        crops = [crop for _, crop, _ in found[:n_scenes]]
        super().__init__(
            [crop.name for crop in crops], lambda scene, choices: self._enlarge(crops[scene], choices)
        )
        self.scenes = [
            Scene(
                crop.name,
                {
                    "original": encode_webp(crop.cut(crop.pair.hr)),
                    "bicubic": encode_webp(crop.cut(enlarge_bicubic(crop.pair))),
                    "full width": encode_webp(enlarged),
                },
            )
            for _, crop, enlarged in found[:n_scenes]
        ]

    def _enlarge(self, crop: _Crop, choices: Sequence[Widths]) -> Iterator[tuple[int, Tensor]]:
        x = crop.pair.lr[None].to(self._device).contiguous(memory_format=torch.channels_last)
        for i, output in self._walk.run(x, choices):
            yield i, crop.cut(output[0]).cpu()


def _hardest_crop(name: str, pair: Pair) -> _Crop:
    """The square of a photo in which bicubic enlargement is most wrong, with what surrounds it."""
    scale = pair.scale
    height, width = pair.lr_levels.shape[-2:]
    rows, columns = (min(SIDE_PX // scale, side) for side in (height, width))
    error = (luma(enlarge_bicubic(pair)) - luma(pair.hr)).square()[None]
    of_lr_pixel = F.avg_pool2d(error, scale)
    means = F.avg_pool2d(of_lr_pixel, (rows, columns), stride=4)[0]
    top, left = (4 * int(one) for one in divmod(int(means.argmax()), means.shape[1]))
    first = (max(0, top - _CONTEXT_PX), max(0, left - _CONTEXT_PX))
    last = (min(height, top + rows + _CONTEXT_PX), min(width, left + columns + _CONTEXT_PX))
    part = replace(
        pair,
        lr_levels=pair.lr_levels[:, first[0] : last[0], first[1] : last[1]].copy(),
        hr_levels=pair.hr_levels[
            :, scale * first[0] : scale * last[0], scale * first[1] : scale * last[1]
        ].copy(),
    )
    inside = (scale * (top - first[0]), scale * (left - first[1]))
    return _Crop(
        name,
        part,
        slice(inside[0], inside[0] + scale * rows),
        slice(inside[1], inside[1] + scale * columns),
        float(means.max()),
    )


def _error(enlarged: Tensor, crop: _Crop) -> float:
    """The mean squared error of the luma of a scene."""
    return float((luma(enlarged.clamp(0, 1)) - luma(crop.cut(crop.pair.hr))).square().mean())
