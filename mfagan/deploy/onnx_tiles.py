"""What an ONNX file for tiles computes: a network with the statistics of a whole picture as inputs and outputs.

| Input | Default | |
| :--- | :--- | :--- |
| `image` | | (1, h, w, 3), RGB in [0, 1] |
| `core` | all of `image` | (4,), int64: first row and column of the tile in `image`, and those after its last ones |
| `statistics` | zeros | (1, 1, 1, n): means and mean squares of each gate's channels over the whole picture |
| `own` | 1 | (1,): 1 to compute with the statistics of `image`, 0 with `statistics` |

| Output | |
| :--- | :--- |
| `enlarged` | (1, scale h, scale w, 3) |
| `moments` | (1, 1, 1, n): what `statistics` takes, of sums over the tile, divided by h w |

With `image` alone it is a file without tiles.
"""

import copy
from functools import partial

import torch
from torch import Tensor, nn

from mfagan.errors import InputError
from mfagan.networks.channel_gate import ChannelGate

__all__ = ["INPUTS", "MOMENTS", "TiledPictures"]

INPUTS = ("image", "core", "statistics", "own")
MOMENTS = "moments"
_NO_END = 2**31 - 1
_PROBE_PX = 16


class TiledPictures(nn.Module):
    """A network with the inputs and outputs that tiles need.

    Args:
        network: (1, 3, h, w) -> (1, 3, scale h, scale w); it is not changed.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)  # its gates are replaced
        self._gates = [one for one in self.network.modules() if isinstance(one, ChannelGate)]
        self._moments: list[Tensor] = []
        self._given = self._own = self._mask = torch.empty(0)
        self.n_statistics = self._count_statistics()
        for gate in self._gates:
            vars(gate)["forward"] = partial(self._scale, gate)

    def defaults(self) -> dict[str, Tensor]:
        """Name of each input but the picture -> its value for a whole picture."""
        return {
            "core": torch.tensor([0, 0, _NO_END, _NO_END]),
            "statistics": torch.zeros(1, 1, 1, self.n_statistics),
            "own": torch.ones(1),
        }

    def forward(self, image: Tensor, core: Tensor, statistics: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Enlarge a tile, and take the statistics of its core.

        Args:
            image: as the table of the file lists it.
            core: likewise.
            statistics: likewise.
            own: likewise.

        Returns:
            `enlarged` and `moments`.
        """
        _, height, width, _ = image.shape
        rows, columns = torch.arange(height)[:, None], torch.arange(width)
        inside = (rows >= core[0]) & (rows < core[2]) & (columns >= core[1]) & (columns < core[3])
        self._mask = inside.float()  # (h, w)
        self._given, self._own, self._moments = statistics.flatten(), own, []
        enlarged = self.network(image.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return enlarged, torch.cat(self._moments).view(1, 1, 1, -1)

    def _scale(self, gate: ChannelGate, x: Tensor) -> Tensor:
        """A gate with the statistics that are given."""
        if x.shape[2:] != self._mask.shape:
            raise InputError(
                f"tiles: a layer with channel gates sees {x.shape[3]}x{x.shape[2]} px of a picture of "
                f"{self._mask.shape[1]}x{self._mask.shape[0]}; leave --tiles out"
            )
        first = sum(one.numel() for one in self._moments)
        squared = x.square()
        self._moments += [(one * self._mask).mean((0, 2, 3)) for one in (x, squared)]
        n = x.shape[1]
        found = [one.mean((0, 2, 3)) for one in (x, squared)]
        given = self._given[first : first + n], self._given[first + n : first + 2 * n]
        mean, mean_square = (
            (self._own * a + (1 - self._own) * b).view(1, n, 1, 1) for a, b in zip(found, given, strict=True)
        )
        variance = (mean_square - mean.square()).clamp_min(0)
        return x * gate.gate(mean, variance)

    def _count_statistics(self) -> int:
        counts: list[int] = []
        hooks = [
            gate.register_forward_pre_hook(lambda _, inputs: counts.append(2 * inputs[0].shape[1]))
            for gate in self._gates
        ]
        with torch.no_grad():
            self.network(torch.zeros(1, 3, _PROBE_PX, _PROBE_PX))
        for hook in hooks:
            hook.remove()
        return sum(counts)
