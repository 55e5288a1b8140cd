from collections.abc import Callable
from typing import Protocol

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.graph.costs import sum_costs
from mfagan.graph.trace import trace_operators
from mfagan.sr.kinds import PEERS
from mfagan.sr.network.peers import (
    EDSR,
    IMDN,
    RFDN,
    SPAN,
    SPANV2,
    QuickSRNet,
    RRDBNet,
    SRResNet,
    SRVGGNetCompact,
)
from mfagan.sr.network.peers.plain import CompactActivation

ALL = pytest.mark.parametrize("peer", PEERS.values())


class Peer(Protocol):
    def __call__(self, scale: int = 4, n_blocks: int = ..., features: int = ...) -> nn.Module: ...


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return build()


def n_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def image(height: int, width: int) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("peer", "params"),
    [
        (RRDBNet, 16_697_987),
        (SRResNet, 1_517_571),
        (IMDN, 715_176),
        (RFDN, 433_448),
        (SPAN, 426_288),
        (EDSR, 1_517_571),
        (SRVGGNetCompact, 1_213_296),
        (QuickSRNet, 435_888),
        (SPANV2, 139_104),
    ],
)
def test_parameter_counts(peer: Peer, params: int):
    assert n_parameters(on_meta(peer)) == params


@pytest.mark.parametrize(("scale", "thousands"), [(2, 481), (4, 498)])
def test_span_of_52_features_has_the_papers_counts(scale: int, thousands: int):
    assert round(n_parameters(on_meta(lambda: SPAN(scale, features=52))) / 1000) == thousands


def test_esrgan_costs_what_the_spec_says():
    costs = sum_costs(trace_operators(on_meta(RRDBNet), 128, 128))
    assert costs.params == 16_697_987
    assert round(costs.flops / 1e9, 2) == 293.97


def test_imdn_costs_what_its_paper_says():
    # 40.9 G multiply-adds for a 1280 x 720 image (IMDN, Table 1), the attention's 1x1 convolutions left out.
    assert round(sum_costs(trace_operators(on_meta(IMDN), 180, 320)).macs / 1e9, 1) == 40.9


def test_edsr_baseline_costs_what_imdns_paper_says_of_it():
    # 114.2 G multiply-adds for a 1280 x 720 image (IMDN, Table 1).
    assert round(sum_costs(trace_operators(on_meta(EDSR), 180, 320)).macs / 1e9, 1) == 114.2


def test_span_of_28_features_and_spanv2_cost_what_ntire_2026_says():
    """At 256x256; the authors of SPANV2 print 9.11 G, the challenge's table 1.59 G: what its counter sees."""
    small = sum_costs(trace_operators(on_meta(lambda: SPAN(features=28)), 256, 256))
    assert (round(small.params / 1e6, 3), round(small.macs / 1e9, 2)) == (0.151, 9.83)
    network = on_meta(SPANV2)
    operators = trace_operators(network, 256, 256)
    assert round(sum_costs(operators).macs / 1e9, 2) == 9.11
    convs = [one for one in operators if one.kind == "conv"]
    gated = convs[4:-2]  # all but the nearest pixels, the first block and the end
    assert len(gated) == 4 * 4
    assert round((sum(one.macs for one in convs) - sum(one.macs for one in gated)) / 1e9, 2) == 1.59


@pytest.mark.parametrize(("n_blocks", "params"), [(16, 621_424), (32, 1_213_296)])
def test_forms_of_the_compact_network(n_blocks: int, params: int):
    assert n_parameters(on_meta(lambda: SRVGGNetCompact(n_blocks=n_blocks))) == params


@pytest.mark.parametrize(("activation", "params"), [("prelu", 3 * 8), ("relu", 0), ("leakyrelu", 0)])
def test_activations_of_the_compact_network(activation: CompactActivation, params: int):
    torch.manual_seed(0)
    network = SRVGGNetCompact(3, n_blocks=2, features=8, activation=activation)
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert n_parameters(network) - sum(map(n_parameters, convs)) == params
    slopes = {"prelu": 0.25, "relu": 0.0, "leakyrelu": 0.1}
    y = image(6, 7)
    for conv in convs[:-1]:
        y = F.leaky_relu(conv(y), slopes[activation])
    expected = F.pixel_shuffle(convs[-1](y), 3) + image(6, 7).repeat_interleave(3, 2).repeat_interleave(3, 3)
    torch.testing.assert_close(network(image(6, 7)), expected)


@ALL
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_shapes(peer: Peer, scale: int):
    network = peer(scale, n_blocks=2, features=16)
    assert network(image(15, 18)).shape == (2, 3, 15 * scale, 18 * scale)


@ALL
@pytest.mark.parametrize("scale", [1, 5])
def test_other_scales_are_refused(peer: Peer, scale: int):
    with pytest.raises(InputError, match=f"scale is {scale}; choose 2, 3 or 4"):
        peer(scale, n_blocks=1, features=16)


@ALL
def test_gradient_reaches_the_image_and_every_weight(peer: Peer):
    torch.manual_seed(0)
    network = peer(
        n_blocks=1, features=64
    )  # narrow ones may be born with every hidden unit of an attention off
    x = image(32, 32).requires_grad_()
    network(x).square().mean().backward()
    for name, tensor in (("image", x), *network.named_parameters()):
        assert tensor.grad is not None, name
        assert tensor.grad.abs().sum() > 0, name


@ALL
def test_images_of_a_batch_do_not_mix(peer: Peer):
    torch.manual_seed(0)
    network, batch = peer(n_blocks=1, features=16), image(16, 16)
    torch.testing.assert_close(network(batch)[1:], network(batch[1:]), rtol=1e-4, atol=1e-4)


def silence(conv: nn.Module) -> None:
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)


def test_srresnet_adds_to_the_bilinear_image():
    network = SRResNet(3, n_blocks=1, features=8)
    silence(network.tail)
    expected = F.interpolate(image(6, 7), scale_factor=3, mode="bilinear")
    assert torch.equal(network(image(6, 7)), expected)


def test_rrdbnets_dense_residuals_weigh_a_fifth():
    residual = RRDBNet(n_blocks=1, features=4, growth=2).body[0]
    x = torch.rand(1, 4, 5, 5)
    for block in residual.children():
        silence(block.get_submodule("fuse"))
    torch.testing.assert_close(residual(x), 1.2 * x)  # x + 0.2 x, the dense blocks being the identity
    last = residual.get_submodule("2.fuse")
    nn.init.ones_(last.get_parameter("bias"))
    torch.testing.assert_close(residual(x), 1.2 * x + 0.2 * 0.2)


def test_imdns_blocks_have_a_skip_and_rfdns_none():
    x = torch.rand(1, 16, 16, 16)
    imdb, rfdb = IMDN(n_blocks=1, features=16).blocks[0], RFDN(n_blocks=1, features=16).blocks[0]
    for block in (imdb, rfdb):
        silence(block.get_submodule("fuse"))
    assert torch.equal(imdb(x), x)
    assert not rfdb(x).any()


def test_rfdns_attention_halves_where_its_gate_is_undecided():
    attention = RFDN(n_blocks=1, features=16).blocks[0].get_submodule("attention")
    silence(attention.get_submodule("excite"))
    x = torch.randn(1, 16, 15, 19)
    assert torch.equal(attention(x), x / 2)


def test_spans_attention_known_value():
    block = SPAN(n_blocks=1, features=4).blocks[0]
    third = block.get_submodule("convs.2")
    silence(third)
    nn.init.constant_(third.get_parameter("bias"), 2.0)
    x = torch.randn(1, 4, 5, 5)
    gated, inner = block(x)
    torch.testing.assert_close(gated, (2 + x) * (torch.tensor(2.0).sigmoid() - 0.5))
    torch.testing.assert_close(inner, F.silu(block.get_submodule("convs.0")(x)))


def test_imdns_block_written_out():
    torch.manual_seed(0)
    block = IMDN(n_blocks=1, features=16).blocks[0]
    conv = block.get_submodule
    x = rest = torch.randn(1, 16, 8, 8)
    kept = []
    for i in range(3):
        part, rest = F.leaky_relu(conv(f"convs.{i}")(rest), 0.05).split([4, 12], 1)
        kept.append(part)
    kept.append(conv("last")(rest))
    expected = conv("fuse")(conv("attention")(torch.cat(kept, 1))) + x
    torch.testing.assert_close(block(x), expected)


def test_rfdns_block_written_out():
    torch.manual_seed(0)
    block = RFDN(n_blocks=1, features=16).blocks[0]
    conv = block.get_submodule
    x = y = torch.randn(1, 16, 15, 15)
    kept = []
    for i in range(3):
        kept.append(F.leaky_relu(conv(f"keep.{i}")(y), 0.05))
        y = F.leaky_relu(conv(f"refine.{i}")(y) + y, 0.05)
    kept.append(F.leaky_relu(conv("last")(y), 0.05))
    torch.testing.assert_close(block(x), conv("attention")(conv("fuse")(torch.cat(kept, 1))))


def test_rrdbnets_dense_block_written_out():
    torch.manual_seed(0)
    block = RRDBNet(n_blocks=1, features=8, growth=4).body[0].get_submodule("0")
    joined = x = torch.randn(1, 8, 6, 6)
    for i in range(4):
        grown = F.leaky_relu(block.get_submodule(f"convs.{i}")(joined), 0.2)
        joined = torch.cat((joined, grown), 1)
    torch.testing.assert_close(block(x), x + 0.2 * block.get_submodule("fuse")(joined))


def test_spans_block_and_joining_written_out():
    torch.manual_seed(0)
    network = SPAN(n_blocks=3, features=8)
    head: Tensor = network.head(255 * (image(8, 8) - network.mean))
    x, outputs, inner = head, [], head
    for block in network.blocks:
        conv = block.get_submodule
        inner = F.silu(conv("convs.0")(x))
        y = conv("convs.2")(F.silu(conv("convs.1")(inner)))
        x = (y + x) * (y.sigmoid() - 0.5)
        outputs.append(x)
    joined = torch.cat((head, network.body_end(x), outputs[0], inner), 1)
    torch.testing.assert_close(network(image(8, 8)), network.enlarge(network.fuse(joined)))


def test_span_centres_its_input_and_keeps_no_buffer_in_its_weights():
    network = SPAN(n_blocks=1, features=8)
    seen: list[Tensor] = []
    network.head.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    network(torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1).expand(1, 3, 4, 4) + 1 / 255)
    torch.testing.assert_close(seen[0], torch.ones(1, 3, 4, 4), rtol=1e-4, atol=0)
    assert set(network.state_dict()) == {name for name, _ in network.named_parameters()}


def test_edsrs_forward_written_out():
    torch.manual_seed(0)
    network = EDSR(2, n_blocks=2, features=8)
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
    head = y = network.head(255 * (image(6, 7) - mean))
    for i in range(2):
        conv = network.body[i].get_submodule
        y = y + conv("conv_2")(F.relu(conv("conv_1")(y)))
    y = F.pixel_shuffle(network.enlarge[0](network.body_end(y) + head), 2)
    torch.testing.assert_close(network(image(6, 7)), network.tail(y) / 255 + mean)


def convs_of(layers: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in layers.children() if isinstance(layer, nn.Conv2d)]


def test_quicksrnet_starts_as_the_nearest_pixels_plus_its_convolutions():
    torch.manual_seed(0)
    network = QuickSRNet(3, n_blocks=2, features=8)
    large = image(6, 7).repeat_interleave(3, 2).repeat_interleave(3, 3)
    (last,) = convs_of(network.enlarge)
    y = image(6, 7)
    for conv in convs_of(network.body):
        y = conv(y).clamp(0, 1)
    torch.testing.assert_close(network(image(6, 7)), large + F.pixel_shuffle(last(y), 3))
    silence(last)
    torch.testing.assert_close(network(image(6, 7)), large)
    for conv in convs_of(network.body):
        near_identity = conv.weight.detach()[:, :, 1, 1] - torch.eye(*conv.weight.shape[:2])
        assert near_identity.abs().max() <= (9 * conv.in_channels) ** -0.5  # PyTorch's own bound


def test_spanv2s_forward_written_out():
    torch.manual_seed(0)
    network = SPANV2(2, n_blocks=3, features=8)
    near, x = network.near(image(6, 7)), image(6, 7)
    torch.testing.assert_close(F.pixel_shuffle(near, 2), F.interpolate(x, scale_factor=2.0, mode="nearest"))
    for conv in convs_of(network.first):
        x = F.relu(conv(x))
    for block in network.blocks:
        first, second, third = convs_of(block.get_submodule("convs"))
        y = third(F.relu(second(F.relu(first(x)))))
        x = (x + y) * block.get_submodule("gate")(y)
    expected = network.enlarge(network.gather(torch.cat((near, x), 1)))
    torch.testing.assert_close(network(image(6, 7)), expected)
