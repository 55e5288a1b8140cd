"""Layer-wise distillation of the generator and of the discriminator (paper section 3.4).

Teacher and student have different widths and the paper names no adapter: learned 1x1 convolutions lift the
student's features, as FitNets and GAN Compression do; they are dropped after training.
"""

from torch import Tensor, nn

from mfagan.networks.discriminators import PatchGAN
from mfagan.sr.network.mfanet import MFANet
from mfagan.training.losses import Norm, adapters, distillation_loss

__all__ = ["Distillation"]


class Distillation(nn.Module):
    """A frozen teacher pair and the adapters from a student pair to it."""

    def __init__(
        self,
        teacher: MFANet,
        teacher_discriminator: PatchGAN,
        student: MFANet,
        student_discriminator: PatchGAN,
        norm: Norm = "mse",
    ) -> None:
        """Freeze the teachers and make the adapters.

        Args:
            teacher: the wide generator.
            teacher_discriminator: the one that it was trained with.
            student: the narrow generator.
            student_discriminator: the one that it is trained with.
            norm: how features are compared, see `Norm`.
        """
        super().__init__()
        self.teacher = teacher.requires_grad_(False)
        self.teacher_discriminator = teacher_discriminator.requires_grad_(False)
        n_taps = len(student.mfams)
        self.generator_adapters = adapters([student.widths.trunk] * n_taps, [teacher.widths.trunk] * n_taps)
        self.discriminator_adapters = adapters(
            student_discriminator.tap_channels, teacher_discriminator.tap_channels
        )
        self.norm: Norm = norm

    def generator_loss(self, lr: Tensor, student_taps: tuple[Tensor, ...]) -> Tensor:
        """Equation (3) on the outputs of the MFAMs.

        Args:
            lr: images (N, 3, H, W), RGB in [0, 1].
            student_taps: the student's outputs for them.

        Returns:
            A scalar.
        """
        _, teacher_taps = self.teacher.forward_with_taps(lr)
        return distillation_loss(student_taps, teacher_taps, self.generator_adapters, self.norm)

    def discriminator_loss(self, images: Tensor, student_taps: tuple[Tensor, ...]) -> Tensor:
        """Equation (4) on the activated outputs of convolutions 2, 4 and 6.

        Args:
            images: (N, 3, H, W), RGB in [0, 1], at the original's resolution.
            student_taps: the student's outputs for them.

        Returns:
            A scalar.
        """
        _, teacher_taps = self.teacher_discriminator.taps(images)
        return distillation_loss(student_taps, teacher_taps, self.discriminator_adapters, self.norm)
