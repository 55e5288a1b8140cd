"""What the slices of networks that make pictures may be scored by besides their main quality."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from mfagan.devices import CPU
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures
from mfagan.pretrained import Lpips
from search.problem import Objective

__all__ = ["PictureScoring"]


@dataclass(frozen=True, kw_only=True)
class PictureScoring:
    """Where slices are scored, and an extra objective; a system's own has its main quality too.

    device: where the networks run.
    extra_objective: None, or a key of `EXTRAS`: memory traffic, LPIPS measured by `lpips`, or KID by `inception`.
    lpips: the network that measures LPIPS; read if that is the extra objective.
    inception: the network whose features KID compares; read if that is the extra objective.

    InputError: an unknown objective, or LPIPS or KID without its network.
    """

    EXTRAS: ClassVar[Mapping[str, Objective]]
    """The system's objectives by the names that a user gives: memory, lpips, kid."""
    NOT_KID: ClassVar[Objective]
    """What stands for KID where Inception's weights are not the published ones."""

    device: torch.device = CPU
    extra_objective: str | None = None
    lpips: Lpips | None = None
    inception: InceptionFeatures | None = None

    def __post_init__(self) -> None:
        extra = self.extra_objective
        if extra is not None and extra not in self.EXTRAS:
            raise InputError(f"extra objective {extra!r}: give one of {', '.join(self.EXTRAS)}")
        if extra == "lpips" and self.lpips is None:
            raise InputError(
                "extra objective lpips: it is not measured without AlexNet's weights; give --weights"
            )
        if extra == "kid" and self.inception is None:
            raise InputError(
                "extra objective kid: it is not measured without Inception's weights; give --inception"
            )

    @property
    def objective(self) -> Objective | None:
        """The extra objective; `NOT_KID` for KID where Inception's weights are not the published ones."""
        if self.extra_objective is None:
            return None
        if self.extra_objective == "kid" and self.inception is not None and not self.inception.is_published:
            return self.NOT_KID
        return self.EXTRAS[self.extra_objective]
