"""The networks of MobileStyleGAN: StyleGAN2 as teacher, the student that predicts wavelets, a discriminator."""

from mfagan.mobilestylegan.network.discriminator import ResidualDiscriminator
from mfagan.mobilestylegan.network.generator import Generator, MobileStyleGAN, StyleGAN2, require_pair
from mfagan.mobilestylegan.network.layers.geometry import standard_channels
from mfagan.mobilestylegan.network.layers.haar import forward_haar, inverse_haar
from mfagan.mobilestylegan.network.layers.noise import draw_noise
from mfagan.mobilestylegan.network.layers.parts import macs_by_part
from mfagan.mobilestylegan.network.layers.styles import draw_latents, mix_styles, truncate
from mfagan.mobilestylegan.network.student.slices import extract, forward_slice, forward_slice_heads
from mfagan.mobilestylegan.network.student.student import Student
from mfagan.mobilestylegan.network.teacher.mapping import Mapping
from mfagan.mobilestylegan.network.teacher.synthesis import Synthesis

__all__ = [
    "Generator",
    "Mapping",
    "MobileStyleGAN",
    "ResidualDiscriminator",
    "Student",
    "StyleGAN2",
    "Synthesis",
    "draw_latents",
    "draw_noise",
    "extract",
    "forward_haar",
    "forward_slice",
    "forward_slice_heads",
    "inverse_haar",
    "macs_by_part",
    "mix_styles",
    "require_pair",
    "standard_channels",
    "truncate",
]
