"""Translators whose weights come from hypernetworks: masks, baking, starting from trained weights."""

import pytest
import torch
from torch import nn

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.ratio import land
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.errors import InputError

NETWORKS = {
    "ResNet": lambda: ResnetTranslator.full(8, 2),
    "pixel shuffle": lambda: ResnetTranslator.full(8, 1, upsampling="shuffle"),
    "batch norm": lambda: ResnetTranslator.full(8, 1, norm="batch"),
    "U-Net": lambda: UnetTranslator.full(8, 4),
    "U-Net, instance norm": lambda: UnetTranslator.full(8, 4, norm="instance"),
}


def searched(make: object, ratio: float = 0.5, dtype: torch.dtype = torch.float32) -> HyperTranslator:
    torch.manual_seed(0)
    network = HyperTranslator(NETWORKS[str(make)]()).to(dtype)
    with torch.no_grad():  # as after some training: biases everywhere
        for name, parameter in network.named_parameters():
            if name.endswith(("b0", "b1", "b2", "bias")):
                parameter += (0.1 if name.endswith(("b0", "b1")) else 0.01) * torch.randn_like(parameter)
    network.set_masks(land(network.prunable(), WidthCosts.of(network.translator, 32, 32), ratio))
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 5e-6), (torch.float64, 5e-14)], ids=str)
@torch.no_grad()
def test_baked_network_makes_what_the_masked_one_makes(name: str, dtype: torch.dtype, limit: float):
    network = searched(name, dtype=dtype)
    x = torch.rand(2, 3, 32, 32, dtype=dtype) * 2 - 1
    baked = network.bake()
    assert (network(x) - baked(x)).abs().max() <= limit
    assert (network(x) - network(x, masked=False)).abs().max() > 1e-3  # what is pruned was not zero
    assert sum(baked.widths.values()) < sum(network.translator.widths.values())


def test_bake_drops_biases_that_have_no_effect():
    network = HyperTranslator(ResnetTranslator.full(8, 9))
    baked = network.bake()
    dropped = sum(one.numel() for one in network.translator.parameters()) - sum(
        one.numel() for name, one in baked.named_parameters() if name.endswith("bias")
    )
    assert dropped == 5_248 // 8
    unet = HyperTranslator(UnetTranslator.full(8, 4, norm="instance")).bake()
    assert unet.convs["down1"].bias is not None  # no norm follows it
    assert unet.convs["down2"].bias is None


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_full_bake_has_the_channels_by_their_latents(name: str):
    network = searched(name)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    full = network.bake_full()
    assert full.widths == network.translator.widths
    torch.testing.assert_close(full(x), network(x, masked=False), atol=5e-6, rtol=0)
    first = next(iter(network.translator.widths))
    largest = int(network.latents[first].abs().argmax())
    torch.testing.assert_close(
        full.get_parameter(f"convs.{first}.weight")[0], network.weights()[first][largest]
    )


def test_pixel_shuffle_reads_each_latent_four_times():
    shuffled = nn.functional.pixel_shuffle(torch.arange(8.0)[None, :, None, None], 2)
    assert shuffled[0].tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    network = searched("pixel shuffle")
    kept = int(network.mask("up1").sum())
    assert network.bake().get_parameter("convs.up1.weight").shape[0] == 4 * kept


def test_latents_of_the_pictures_are_never_pruned():
    resnet, unet = ResnetTranslator.full(4, 9), UnetTranslator.full(4, 8)
    assert (len(HyperTranslator(resnet).latents), len(HyperTranslator(resnet).prunable())) == (16, 14)
    with torch.device("meta"):
        network = HyperTranslator(unet)
    assert (len(network.latents), len(network.prunable())) == (17, 15)
    assert not {"input", "output"} & set(network.prunable())


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_search_starts_from_a_trained_network(name: str):
    trained: Translator = NETWORKS[name]().eval()
    network = HyperTranslator(NETWORKS[name]()).eval().match(trained)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    torch.testing.assert_close(network(x), trained(x), atol=1e-6, rtol=1e-5)


def test_search_does_not_start_from_another_network():
    with pytest.raises(InputError, match="give a network of the same form"):
        HyperTranslator(ResnetTranslator.full(8, 1)).match(ResnetTranslator.full(4, 1))


def test_checkpoints_hold_latents_and_masks(tmp_path):
    network = searched("ResNet")
    path = tmp_path / "search.safetensors"
    checkpoint.save(path, Checkpoint(network.KIND, "search", network.config(), network.state_dict(), {}))
    found = HyperTranslator.from_checkpoint(checkpoint.read(path), path)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(found(x), network(x), atol=0, rtol=0)
    with pytest.raises(InputError, match="'hyper_translator', 'resnet_translator' is needed"):
        ResnetTranslator.from_checkpoint(checkpoint.read(path), path)
    with pytest.raises(InputError, match="give translator, and kind"):
        HyperTranslator.from_config({"kind": "mfanet"})
