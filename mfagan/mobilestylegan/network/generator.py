"""Generators: a mapping network, a synthesis network and the mean style; what checkpoints hold and users call."""

import copy
from abc import abstractmethod
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.noise import Noise
from mfagan.mobilestylegan.network.layers.styles import truncate
from mfagan.mobilestylegan.network.student.slices import extract
from mfagan.mobilestylegan.network.student.student import Student
from mfagan.mobilestylegan.network.teacher.mapping import Mapping
from mfagan.mobilestylegan.network.teacher.synthesis import Synthesis
from mfagan.networks.saved_module import SavedModule

__all__ = ["Generator", "MobileStyleGAN", "StyleGAN2", "require_pair"]


class Generator(SavedModule):
    """Latents -> images.

    Args:
        mapping: z -> w.
        synthesis: w -> images.
        w_mean: Mean style (features,), for truncation; zeros if it is set later.

    InputError if the styles of the two have different numbers of features.
    """

    w_mean: Tensor

    def __init__(
        self, mapping: Mapping, synthesis: Synthesis | Student, w_mean: Tensor | None = None
    ) -> None:
        super().__init__()
        if mapping.features != synthesis.style_dim:
            raise InputError(
                f"{self.KIND}: the mapping network makes styles of {mapping.features} features, the synthesis network "
                f"reads {synthesis.style_dim}"
            )
        self.mapping = mapping
        self.synthesis = synthesis
        mean = torch.zeros(mapping.features) if w_mean is None else w_mean.detach().clone()
        self.register_buffer("w_mean", mean)

    @property
    def size(self) -> int:
        """Side of the images in px."""
        return self.synthesis.size

    @property
    def style_dim(self) -> int:
        """Numbers of a latent and of a style."""
        return self.mapping.features

    @property
    def n_rows(self) -> int:
        """Rows of W+, of which files of projected styles hold as many."""
        of = self.synthesis
        return of.n_rows if isinstance(of, Synthesis) else of.allowed_rows[0]

    def styles(self, z: Tensor, psi: float = 1.0) -> Tensor:
        """Compute styles, drawn towards their mean.

        Args:
            z: Latents (N, style_dim).
            psi: As in `truncate`.

        Returns:
            w, (N, style_dim).

        Raises:
            InputError: Latents of another shape, or psi is not finite.
        """
        return truncate(self.mapping(z), self.w_mean, psi)

    def forward(self, z: Tensor, psi: float = 1.0, noise: Noise = "const") -> Tensor:
        """Make images.

        Args:
            z: Latents (N, style_dim) of N(0, 1).
            psi: As in `truncate`.
            noise: A mode, or the maps themselves.

        Returns:
            (N, 3, size, size) in [-1, 1], which they may exceed a little.

        Raises:
            InputError: As `styles`, or noise of another shape.
        """
        return self.synthesis(self.styles(z, psi), noise)

    def set_mean(self, count: int = 4096, seed: int = 0) -> None:
        """Estimate the mean style again.

        Args:
            count: How many styles are averaged.
            seed: Of their latents.
        """
        self.w_mean.copy_(self.mapping.mean_style(count, seed))

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        mapping = {
            "features": self.mapping.features,
            "n_layers": len(self.mapping.layers),
            "lr_mul": self.mapping.lr_mul,
        }
        return {"mapping": mapping, "synthesis": self.synthesis.config()}

    @classmethod
    def from_config(cls, config: MappingType[str, Any]) -> Self:
        """An untrained network from the arguments that `config()` gives.

        Args:
            config: Its `mapping` and `synthesis`, the arguments of both networks.

        Raises:
            InputError: Arguments are missing, unknown or have values that the networks do not take.
        """
        try:
            if set(config) != {"mapping", "synthesis"}:
                raise TypeError("give mapping and synthesis")
            return cls(Mapping(**config["mapping"]), cls._synthesis(**config["synthesis"]))
        except TypeError as error:
            raise InputError(f"{cls.KIND} cannot be built from {dict(config)!r:.120}: {error}") from None

    @classmethod
    @abstractmethod
    def _synthesis(cls, **config: Any) -> Synthesis | Student: ...

    def to_checkpoint(self, role: str, record: MappingType[str, object] | None = None) -> Checkpoint:
        """What a file holds of it; `mfagan.checkpoint.save` writes it.

        Args:
            role: What it is in the pipeline: "teacher", "student".
            record: How it was made.
        """
        return Checkpoint(self.KIND, role, self.config(), self.state_dict(), record or {})


class StyleGAN2(Generator):
    """The teacher. Arguments as in `Generator`."""

    KIND: ClassVar[str] = "stylegan2"

    synthesis: Synthesis

    @classmethod
    def _synthesis(cls, **config: Any) -> Synthesis:
        return Synthesis(**config)


class MobileStyleGAN(Generator):
    """The student, with its teacher's mapping network. Arguments as in `Generator`."""

    KIND: ClassVar[str] = "mobilestylegan"

    synthesis: Student

    @classmethod
    def _synthesis(cls, **config: Any) -> Student:
        return Student(**config)

    @classmethod
    def for_teacher(cls, teacher: StyleGAN2, **options: Any) -> Self:
        """An untrained student of a teacher, with a copy of its mapping network.

        Args:
            teacher: Its channels without the last are the student's.
            **options: Other arguments of `Student`.

        Raises:
            InputError: The teacher's channels are no multiples of 4, or options that a student does not take.
        """
        student = cls.from_config(
            {
                "mapping": teacher.config()["mapping"],
                "synthesis": {
                    "channels": teacher.synthesis.channels[:-1],
                    "style_dim": teacher.style_dim,
                    **options,
                },
            }
        )
        student.mapping.load_state_dict(teacher.mapping.state_dict())
        student.w_mean.copy_(teacher.w_mean)
        return student

    def extract(self, channels: Sequence[int]) -> Self:
        """A slice as a generator of its own, with the same mapping network, in evaluation mode.

        Args:
            channels: The slice's at 4, 8, ..., size / 2 px.

        Raises:
            InputError: Channels that are no slice of the student's.
        """
        return type(self)(self.mapping, extract(self.synthesis, channels), self.w_mean).eval()

    def inference_form(self) -> Self:
        """A copy whose student has the last head alone, which is what is deployed."""
        form = type(self)(copy.deepcopy(self.mapping), self.synthesis.inference_form(), self.w_mean)
        return form.train(self.training)


def require_pair(teacher: Generator, student: Generator) -> tuple[StyleGAN2, MobileStyleGAN]:
    """Check that a student makes images of its teacher's size from its teacher's styles.

    Args:
        teacher: Whose images are learned.
        student: What learns them.

    Returns:
        Both.

    Raises:
        InputError: They are networks of other kinds, or their sizes or styles differ.
    """
    if not isinstance(teacher, StyleGAN2) or not isinstance(student, MobileStyleGAN):
        raise InputError(
            f"teacher: it is a {teacher.KIND}, and the student a {student.KIND}; give a {StyleGAN2.KIND} and a "
            f"{MobileStyleGAN.KIND} that was distilled from it"
        )
    for name, of_teacher, of_student in (
        ("size", teacher.size, student.size),
        ("style_dim", teacher.style_dim, student.style_dim),
    ):
        if of_teacher != of_student:
            raise InputError(
                f"teacher: its {name} is {of_teacher}, the student's is {of_student}; give the teacher "
                "that the student was made for"
            )
    return teacher, student
