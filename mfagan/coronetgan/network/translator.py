"""Translators: generators that make a picture of a picture, at any widths, with the links between their layers."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.coronetgan.network.links import INPUT, OUTPUT, Biases, Gates, Link, Norm, State
from mfagan.coronetgan.network.norm import AtInference, ImageBatchNorm
from mfagan.errors import InputError
from mfagan.graph.operators import Activation, Block
from mfagan.graph.recorder import OperatorRecorder
from mfagan.networks.saved_module import SavedModule

__all__ = ["INITIAL_SPREAD", "Translator"]

INITIAL_SPREAD = 0.02
"""Standard deviation of the initial weights in the public code of CycleGAN and pix2pix."""


class Translator(SavedModule):
    """Pictures (N, C, H, W) in [-1, 1] -> pictures (N, C', H, W) in [-1, 1].

    Args:
        widths: Channels of each latent, in the order that `links` first writes them.
        in_channels: Of the pictures that it reads.
        out_channels: Of the pictures that it makes.
        norm: As in `Norm`.
        norm_at_inference: As in `AtInference`; instance norm is always of the image.
        biases: As in `Biases`; None for those of the public code: all with instance norm, the last one with batch norm.
        dropout: Whether training drops features, half of them; evaluation never does.

    InputError if a width or an argument is none that the network takes.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        in_channels: int = 3,
        out_channels: int = 3,
        norm: Norm = "instance",
        norm_at_inference: AtInference | None = None,
        biases: Biases | None = None,
        dropout: bool = False,
    ) -> None:
        super().__init__()
        if norm not in ("instance", "batch"):
            raise InputError(f"{self.KIND}: norm is {norm!r}; give instance or batch")
        at_inference = norm_at_inference or ("image" if norm == "instance" else "running")
        if at_inference not in ("running", "image") or (norm == "instance" and at_inference != "image"):
            raise InputError(
                f"{self.KIND}: norm_at_inference is {at_inference!r} with norm {norm!r}; give image, or running with "
                "batch norm"
            )
        biases = biases or ("all" if norm == "instance" else "last")
        if biases not in ("all", "unnormed", "last"):
            raise InputError(f"{self.KIND}: biases is {biases!r}; give all, unnormed or last")
        names = self._latents(widths)
        if list(widths) != names:
            raise InputError(f"{self.KIND}: widths of {', '.join(widths)}; give those of {', '.join(names)}")
        for name, width in (
            *widths.items(),
            ("in_channels", in_channels),
            ("out_channels", out_channels),
        ):
            if not isinstance(width, int) or width < 1:
                raise InputError(f"{self.KIND}: {name} is {width!r}; give a number of channels, at least 1")
        self.widths: Mapping[str, int] = dict(widths)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.norm: Norm = norm
        self.norm_at_inference: AtInference = at_inference
        self.biases: Biases = biases
        self.dropout = dropout
        self.convs = nn.ModuleDict()
        self.norms = nn.ModuleDict()

    @classmethod
    @abstractmethod
    def _latents(cls, widths: Mapping[str, int]) -> list[str]:
        """The names of the latents that a network of so many has, in order."""

    @property
    @abstractmethod
    def multiple_px(self) -> int:
        """Height and width of a picture are multiples of this."""

    @property
    @abstractmethod
    def min_side_px(self) -> int:
        """The least height and width of a picture."""

    @abstractmethod
    def links(self) -> Sequence[Link]:
        """Its convolutions in the order they run, with the latents of their channels."""

    @abstractmethod
    def steps(self) -> Sequence[tuple[str, ...]]:
        """Its convolutions in the order they run, those of one block a step: the names of `links`."""

    @abstractmethod
    def _advance(self, state: State, convs: tuple[str, ...], layer: Callable[..., Tensor]) -> State: ...

    @abstractmethod
    def write_operators(self, recorder: OperatorRecorder, x: Activation) -> None:
        """Record its operators, in blocks of look-up tables.

        Args:
            recorder: Where they are recorded.
            x: The picture.
        """

    def forward(
        self, x: Tensor, gates: Gates | None = None, weights: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Translate pictures.

        Args:
            x: (N, C, H, W) in [-1, 1].
            gates: Factors of the channels of latents, applied where a layer ends: after the normalisation and the
                activation that belong to it, before anything else reads it. None for 1.
            weights: Name of a convolution -> its weights, instead of those that it has; None for none.

        Returns:
            (N, C', H, W) in [-1, 1].

        Raises:
            InputError: As `require_size`.
        """
        self.require_size(*x.shape[-2:])
        state: State = (x,)
        for number in range(len(self.steps())):
            state = self.advance(state, number, gates, weights)
        return state[0]

    def advance(
        self,
        state: State,
        number: int,
        gates: Gates | None = None,
        weights: Mapping[str, Tensor] | None = None,
    ) -> State:
        """Run one of its steps, so that networks with the same first channels share what they have in common.

        Args:
            state: What the step before left; the pictures alone before the first.
            number: The step's number in `steps`.
            gates: As for `forward`.
            weights: Likewise.

        Returns:
            What the next step reads, after the last step the pictures alone.
        """
        layer = partial(self._layer, gates=gates or {}, weights=weights or {})
        return self._advance(state, self.steps()[number], layer)

    def _layer(
        self,
        name: str,
        x: Tensor,
        *,
        gates: Gates,
        weights: Mapping[str, Tensor],
        activate: bool = False,
        drop: bool = False,
    ) -> Tensor:
        """A convolution, what follows it, and the gate of its channels."""
        conv, link = self.convs[name], self._link_of(name)
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        weight = weights.get(name, conv.weight)
        if isinstance(conv, nn.ConvTranspose2d):
            x = F.conv_transpose2d(
                x, weight, conv.bias, _pair(conv.stride), _pair(conv.padding), _pair(conv.output_padding)
            )
        else:
            x = F.conv2d(x, weight, conv.bias, _pair(conv.stride), _pair(conv.padding))
        if link.repeat > 1:
            x = F.pixel_shuffle(x, round(link.repeat**0.5))
        if link.normed:
            x = self.norms[name](x)
        if activate:
            x = F.relu(x)
        if drop and self.dropout:
            x = F.dropout(x, 0.5, self.training)
        gate = gates.get(link.output)
        return x if gate is None else x * gate[:, None, None]

    def _link_of(self, name: str) -> Link:
        return next(one for one in self.links() if one.name == name)

    def require_size(self, height: int, width: int) -> None:
        """Check the size of a picture.

        Args:
            height: In px.
            width: In px.

        Raises:
            InputError: No multiple of `multiple_px`, or below `min_side_px`.
        """
        least = self.min_side_px
        if height % self.multiple_px or width % self.multiple_px or min(height, width) < least:
            raise InputError(
                f"picture of {width}x{height} px: {self.KIND} takes multiples of {self.multiple_px} px from {least} px "
                "on; crop or resize it"
            )

    def is_biased(self, link: Link) -> bool:
        """Whether a convolution has a bias.

        Args:
            link: The convolution.
        """
        if link.output == OUTPUT or self.biases == "all":
            return True
        return self.biases == "unnormed" and (not link.normed or link.repeat > 1)

    def width_of(self, latent: str) -> int:
        """The channels of a latent.

        Args:
            latent: Its name; `INPUT` and `OUTPUT` are the pictures'.
        """
        if latent == INPUT:
            return self.in_channels
        return self.out_channels if latent == OUTPUT else self.widths[latent]

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return {
            "widths": dict(self.widths),
            "in_channels": self.in_channels,
            "out_channels": self.out_channels,
            "norm": self.norm,
            "norm_at_inference": self.norm_at_inference,
            "biases": self.biases,
            "dropout": self.dropout,
        }

    def with_widths(self, widths: Mapping[str, int], biases: Biases | None = None) -> Self:
        """An untrained network of the same form.

        Args:
            widths: Channels of each latent.
            biases: As in `Biases`, None for those of this network.
        """
        return self.from_config({**self.config(), "widths": widths, "biases": biases or self.biases})

    def blocks(self, height: int, width: int) -> list[Block]:
        """The operators of one picture, in look-up-table blocks.

        Args:
            height: Of the picture in px.
            width: Likewise.

        Raises:
            InputError: As `require_size`.
        """
        self.require_size(height, width)
        recorder = OperatorRecorder()
        self.write_operators(recorder, recorder.value(self.in_channels, height, width))
        return recorder.blocks

    def write_norm(self, recorder: OperatorRecorder, name: str, x: Activation) -> Activation:
        """Record the normalisation after a convolution as it is at inference.

        Args:
            recorder: Where it is recorded.
            name: Of the convolution.
            x: What it normalises.
        """
        kind = "batch_norm" if self.norm_at_inference == "running" else "instance_norm"
        affine = self.norm == "batch"
        return recorder.norm(kind, x, f"norms.{name}" if affine else "", affine)

    def constants(self) -> dict[str, Tensor]:
        """The weights that its operators name: of `convs` weight and bias, of `norms` those and running statistics."""
        return {
            name: tensor.detach()
            for name, tensor in self.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }

    def _add_layers(self, make: Callable[[Link, int, int, bool], nn.Module]) -> None:
        """Make the convolutions and normalisations of all links; `make` takes a link, its channels, whether biased."""
        for link in self.links():
            channels = sum(self.width_of(one) for one in link.inputs)
            width = self.width_of(link.output)
            self.convs[link.name] = make(link, channels, width * link.repeat, self.is_biased(link))
            if link.normed and self.norm == "batch":
                self.norms[link.name] = ImageBatchNorm(width, self.norm_at_inference)
            elif link.normed:
                self.norms[link.name] = nn.InstanceNorm2d(width)
        self._start()

    def _start(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, INITIAL_SPREAD)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, ImageBatchNorm):
                nn.init.normal_(module.weight, 1.0, INITIAL_SPREAD)


def _pair(numbers: Any) -> tuple[int, int]:
    first, second = numbers
    return first, second
