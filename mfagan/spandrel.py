"""Our generators as an architecture of spandrel, the library by which chaiNNer and other programs load networks.

    import mfagan.spandrel
    from spandrel import ModelLoader

    mfagan.spandrel.install()
    network = ModelLoader().load_from_file("small.safetensors")

It needs spandrel (`pip install mfagan[peers]`).
"""

from mfagan.packages import refuse_import
from mfagan.pretrained import import_torchvision
from mfagan.sr.kinds import min_side_px
from mfagan.sr.network.bare_weights import infer_mfanet, is_mfanet
from mfagan.sr.network.layers import N_COLOURS
from mfagan.sr.network.mfanet import MFANet

try:
    import_torchvision()  # spandrel imports it
    from spandrel import (
        MAIN_REGISTRY,
        Architecture,
        ArchSupport,
        ImageModelDescriptor,
        ModelTiling,
        SizeRequirements,
        StateDict,
    )
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("'mfagan[peers]'", error) from None

__all__ = ["MFANetArchitecture", "install"]


class MFANetArchitecture(Architecture[MFANet]):
    """MFANet and the SuperGenerator at any widths, found by the names and the shapes of their weights.

    For a registry of one's own: `registry.add(ArchSupport.from_architecture(MFANetArchitecture()))`.
    """

    def __init__(self) -> None:
        super().__init__(id="MFANet", detect=is_mfanet)

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[MFANet]:
        """Rebuild the network that weights belong to.

        Args:
            state_dict: name -> weight, of an MFANet.

        Returns:
            The network as spandrel calls it: (1, 3, H, W) in [0, 1] -> (1, 3, scale H, scale W), clamped. Tiles are
            discouraged, because channel attention sees the whole picture.

        Raises:
            InputError: as `infer_mfanet`.
        """
        network = infer_mfanet(state_dict)
        return ImageModelDescriptor(
            network,
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[str(network.widths)],
            supports_half=True,
            supports_bfloat16=False,  # it rounds to steps larger than a grey level
            scale=network.scale,
            input_channels=N_COLOURS,
            output_channels=N_COLOURS,
            size_requirements=SizeRequirements(minimum=min_side_px(network)),
            tiling=ModelTiling.DISCOURAGED,
        )


def install() -> None:
    """Make all of spandrel's loaders in this process know our generators; a second call changes nothing."""
    MAIN_REGISTRY.add(ArchSupport.from_architecture(MFANetArchitecture()), ignore_duplicates=True)
