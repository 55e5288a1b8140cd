"""Run many slices of a weight-shared translator on pictures and compute every shared feature map once.

Slices with the same widths in the first steps share all features up to there. Run in the order of their widths, each
continues from where it differs from the one before: a depth-first walk over the steps. The pictures are those of the
extracted networks.

Where batch norm has running statistics, those of the full network belong to no slice: each slice's are those of the
calibration pictures, as one batch of training would leave them, and slices share this work too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from mfagan.coronetgan.network.links import State
from mfagan.coronetgan.network.norm import ImageBatchNorm
from mfagan.coronetgan.network.slices import extract
from mfagan.coronetgan.network.statistics import has_running_statistics, watch
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.study.scoring.choices import Widths
from mfagan.coronetgan.study.scoring.slice_form import SliceForm

__all__ = ["PrefixWalk"]

_Statistics = Mapping[str, tuple[Tensor, Tensor]]
"""Name of a convolution of a step -> mean and variance of the batch norm after it."""


class PrefixWalk:
    """Runs slices of a translator, whose weights must not change meanwhile.

    Attributes:
        form: How the slices are built.
    """

    def __init__(self, translator: Translator, calibration: Tensor | None = None) -> None:
        """Prepare the walk.

        Args:
            translator: The weight-shared network; it stays on its device.
            calibration: Pictures (N, C, H, W) in [-1, 1], at least 2, on that device; read if the slices need them.
        """
        self.form = SliceForm(translator)
        self._translator = translator
        self._calibration: Tensor | None = None
        if has_running_statistics(translator):
            if calibration is None or len(calibration) < 2:
                raise ValueError("slices with running statistics are run: give at least 2 pictures for them")
            self._calibration = calibration
        self._networks: dict[Widths, Translator] = {}
        self._statistics: dict[tuple[int, Widths], _Statistics] = {}

    @torch.inference_mode()
    def run(self, x: Tensor, choices: Sequence[Widths]) -> Iterator[tuple[int, Tensor]]:
        """Run slices on pictures.

        Args:
            x: (N, C, H, W) in [-1, 1].
            choices: The slices' widths.

        Yields:
            For each choice its index and pictures (N, C', H, W) in [-1, 1], in the order of the widths, not of
            `choices`.
        """
        self._calibrate(choices)
        in_order = sorted(range(len(choices)), key=lambda i: choices[i])
        yield from zip(in_order, self._walk(x, sorted(choices), self._advance), strict=True)

    def statistics(self, widths: Widths) -> dict[str, tuple[Tensor, Tensor]]:
        """The running statistics of a slice.

        Args:
            widths: The slice's.

        Returns:
            Name of a convolution -> mean and variance, (C,) each, of the batch norm after it; none where the slices
            need none of their own.
        """
        self._calibrate([widths])
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for number in range(len(self.form.of_step)):
            found |= self._statistics.get(self.form.prefix(widths, number), {})
        return found

    def _walk(
        self, x: Tensor, in_order: Sequence[Widths], advance: Callable[[State, int, Widths], State]
    ) -> Iterator[Tensor]:
        n_steps = len(self.form.of_step)
        trail: list[State] = [(x,)]  # what is kept before step 0, 1, ...
        before: Widths | None = None
        for widths in in_order:
            shared = 0 if before is None else self.form.count_shared(before, widths)
            del trail[1 + shared :]
            before = widths
            for number in range(shared, n_steps):
                trail.append(advance(trail[-1], number, widths))
            yield trail[-1][0]

    @torch.inference_mode()
    def _calibrate(self, choices: Sequence[Widths]) -> None:
        """Find the statistics of slices that lack them."""
        if self._calibration is None:
            return
        last = len(self.form.of_step) - 1
        lacking = {one for one in choices if self.form.prefix(one, last) not in self._statistics}
        for _ in self._walk(self._calibration, sorted(lacking), self._advance_training):
            pass

    def _advance(self, state: State, number: int, widths: Widths) -> State:
        network = self._network(widths, number)
        if self._calibration is not None:
            found = self._statistics[self.form.prefix(widths, number)]
            for name, norm in _norms(network, number).items():
                norm.running_mean, norm.running_var = found[name]
        return network.advance(state, number)

    def _advance_training(self, state: State, number: int, widths: Widths) -> State:
        """Run a step on the calibration pictures by their own statistics, which are kept."""
        network = self._network(widths, number)
        norms = _norms(network, number)
        watch(norms.values())
        state = network.advance(state, number)
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for name, norm in norms.items():
            norm.eval()
            assert norm.running_mean is not None
            assert norm.running_var is not None
            found[name] = norm.running_mean, norm.running_var
        self._statistics[self.form.prefix(widths, number)] = found
        return state

    def _network(self, widths: Widths, number: int) -> Translator:
        """A network that has a step at a slice's widths."""
        key = self.form.alternate(widths, number)
        if key not in self._networks:
            self._networks[key] = extract(self._translator, self.form.latents(key)).eval()
        return self._networks[key]


def _norms(network: Translator, number: int) -> dict[str, ImageBatchNorm]:
    """The batch norms of a step by the names of the convolutions before them."""
    found = {name: network.norms[name] for name in network.steps()[number] if name in network.norms}
    return {name: norm for name, norm in found.items() if isinstance(norm, ImageBatchNorm)}
