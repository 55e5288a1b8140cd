"""The operators and weights of any generator, which exported files are made of."""

from torch import Tensor, nn

from mfagan.graph.operators import Operator
from mfagan.graph.recording.lowering import lower_network
from mfagan.sr.network.mfanet import MFANet, operators

__all__ = ["lower"]


def lower(network: nn.Module, height: int, width: int) -> tuple[list[Operator], dict[str, Tensor]]:
    """List a generator's operators and the weights that they name.

    An MFANet has its own list, by module paths; of any other network what it computes is recorded.

    Args:
        network: one of ours or another author's, in evaluation mode.
        height: of the LR image in px.
        width: likewise.

    Returns:
        The operators in the order they run, and the weights, as `mfagan.deploy.tflite.converter.convert` takes them.

    Raises:
        InputError: the network computes something that cannot be exported.
    """
    if not isinstance(network, MFANet):
        return lower_network(network, height, width)
    weights = dict(network.state_dict())
    if network.residual is not None:
        weights["residual.filters"] = network.residual.filters
    return operators(network.widths, height, width, network.scale, network.residual_kind), weights
