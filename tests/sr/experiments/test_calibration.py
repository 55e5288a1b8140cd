import torch
from torch import nn

from mfagan.sr.experiments.calibration import BiasCalibration
from mfagan.sr.network.layers import named_convs
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths


def supernet() -> SuperGenerator:
    torch.manual_seed(0)
    network = SuperGenerator(Widths.uniform(32), 4, "bicubic").eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.08)
    return network


def means(network: nn.Module, lr: torch.Tensor) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}

    def see(name: str):
        def hook(conv: nn.Module, inputs: object, output: torch.Tensor) -> None:
            found[name] = output.mean((0, 2, 3))

        return hook

    for name, conv in named_convs(network):
        conv.register_forward_hook(see(name))
    with torch.inference_mode():
        network(lr)
    return found


def test_a_calibrated_slice_has_the_means_of_the_full_network():
    network, lr = supernet(), torch.rand(3, 3, 12, 12)
    widths = Widths.uniform(24)
    calibrated = BiasCalibration(network, lr).extract(widths)
    full, shifted, plain = (means(one, lr) for one in (network, calibrated, network.extract(widths)))
    front = {name: full[name][: len(mean)] for name, mean in plain.items() if name.endswith("convs.0")}
    assert len(front) == 6
    for name, wanted in front.items():
        assert torch.allclose(shifted[name], wanted, atol=1e-5)
        assert not torch.allclose(plain[name], wanted, atol=1e-3)
    image = "fusion.reconstruct"
    assert torch.allclose(shifted[image], full[image], atol=1e-5)


def test_the_full_width_needs_no_calibration_and_nothing_changes_the_network():
    network, lr = supernet(), torch.rand(2, 3, 8, 8)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    calibrated = BiasCalibration(network, lr).extract(network.widths)
    BiasCalibration(network, lr).extract(Widths.uniform(24))
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, before[name])
        torch.testing.assert_close(calibrated.state_dict()[name], weight, rtol=0, atol=1e-6)
    assert not any(conv._forward_hooks for _, conv in named_convs(network))
