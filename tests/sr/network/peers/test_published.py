"""Files of other authors: conversions against a forward pass in the authors' names, and known figures."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.registry import load_network
from mfagan.sr.kinds import load_foreign
from mfagan.sr.network.peers.distillation import RFDN
from mfagan.sr.network.peers.published_files import read_weights
from mfagan.sr.network.peers.span import SPAN, SPANV2
from tests.command import Run

State = dict[str, Tensor]
DIV2K_MEAN = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)


def image(height: int = 18, width: int = 20) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def draw(**shapes: tuple[int, ...]) -> State:
    """Random weights and biases; `__` in a name stands for a dot."""
    made: State = {}
    for name, (rows, *rest) in shapes.items():
        path = name.replace("__", ".")
        made[f"{path}.weight"] = torch.randn(rows, *rest) / (2 * torch.tensor(rest).prod()) ** 0.5
        made[f"{path}.bias"] = 0.1 * torch.randn(rows)
    return made


def rfdn_state(features: int = 16, n_blocks: int = 2, scale: int = 4) -> State:
    torch.manual_seed(0)
    f, kept, hidden = features, features // 2, features // 4
    state = draw(
        fea_conv=(f, 3, 3, 3),
        c__0=(f, n_blocks * f, 1, 1),
        LR_conv=(f, f, 3, 3),
        upsampler__0=(3 * scale**2, f, 3, 3),
    )
    for b in range(1, n_blocks + 1):
        block = draw(c4=(kept, f, 3, 3), c5=(f, 4 * kept, 1, 1), esa__conv1=(hidden, f, 1, 1))
        block |= draw(esa__conv_f=(hidden, hidden, 1, 1), esa__conv4=(f, hidden, 1, 1))
        for name in ("conv_max", "conv2", "conv3", "conv3_"):
            block |= draw(**{f"esa__{name}": (hidden, hidden, 3, 3)})
        for i in (1, 2, 3):
            block |= draw(**{f"c{i}_d": (kept, f, 1, 1), f"c{i}_r": (f, f, 3, 3)})
        state |= {f"B{b}.{name}": weight for name, weight in block.items()}
    return state


def conv(state: Mapping[str, Tensor], path: str, x: Tensor, **options: int) -> Tensor:
    weight = state[f"{path}.weight"]
    return F.conv2d(x, weight, state.get(f"{path}.bias"), **{"padding": weight.shape[-1] // 2, **options})


def rfdn_forward(state: State, x: Tensor) -> Tensor:
    """RFDN in its authors' names, on 0..255."""
    head = y = conv(state, "fea_conv", x)
    outputs = []
    for b in range(1, sum(name.endswith(".c5.weight") for name in state) + 1):
        kept, block = [], f"B{b}."
        for i in (1, 2, 3):
            kept.append(F.leaky_relu(conv(state, f"{block}c{i}_d", y), 0.05))
            y = F.leaky_relu(conv(state, f"{block}c{i}_r", y) + y, 0.05)
        kept.append(F.leaky_relu(conv(state, f"{block}c4", y), 0.05))
        y = conv(state, f"{block}c5", torch.cat(kept, 1))
        narrow = conv(state, f"{block}esa.conv1", y)
        wide = F.max_pool2d(conv(state, f"{block}esa.conv2", narrow, stride=2, padding=0), 7, 3)
        wide = F.relu(conv(state, f"{block}esa.conv_max", wide))
        wide = conv(state, f"{block}esa.conv3_", F.relu(conv(state, f"{block}esa.conv3", wide)))
        wide = F.interpolate(wide, y.shape[2:], mode="bilinear", align_corners=False)
        gate = conv(state, f"{block}esa.conv4", wide + conv(state, f"{block}esa.conv_f", narrow))
        y = y * gate.sigmoid()
        outputs.append(y)
    y = conv(state, "LR_conv", F.leaky_relu(conv(state, "c.0", torch.cat(outputs, 1)), 0.05)) + head
    return conv(state, "upsampler.0", y)


@pytest.mark.parametrize("scale", [2, 4])
def test_rfdn_is_converted_from_its_authors_range_to_ours(scale: int, tmp_path: Path):
    state = rfdn_state(scale=scale)
    torch.save(state, tmp_path / "rfdn.pth")
    network = load_foreign(tmp_path / "rfdn.pth")
    assert isinstance(network, RFDN)
    assert (network.scale, network.n_blocks, network.features) == (scale, 2, 16)
    assert not network.training
    expected = F.pixel_shuffle(rfdn_forward(state, 255 * image()), scale) / 255
    torch.testing.assert_close(network(image()), expected, rtol=1e-4, atol=1e-5)


def span_state(features: int = 8, n_blocks: int = 6, scale: int = 4) -> State:
    torch.manual_seed(0)
    f = features
    state = draw(
        conv_1__eval_conv=(f, 3, 3, 3),
        conv_2__eval_conv=(f, f, 3, 3),
        conv_cat=(f, 4 * f, 1, 1),
        upsampler__0=(3 * scale**2, f, 3, 3),
    )
    for b in range(1, n_blocks + 1):
        for i in (1, 2, 3):
            state |= draw(**{f"block_{b}__c{i}_r__eval_conv": (f, f, 3, 3)})
    return state


def span_forward(state: State, x: Tensor) -> Tensor:
    """SPAN as deployed, in its authors' names."""
    head = y = conv(state, "conv_1.eval_conv", 255 * (x - DIV2K_MEAN))
    outputs, inner = [], y
    for b in range(1, sum(name.endswith(".c3_r.eval_conv.weight") for name in state) + 1):
        inner = F.silu(conv(state, f"block_{b}.c1_r.eval_conv", y))
        out = conv(
            state, f"block_{b}.c3_r.eval_conv", F.silu(conv(state, f"block_{b}.c2_r.eval_conv", inner))
        )
        y = (out + y) * (out.sigmoid() - 0.5)
        outputs.append(y)
    joined = torch.cat((head, conv(state, "conv_2.eval_conv", y), outputs[0], inner), 1)
    return conv(state, "upsampler.0", conv(state, "conv_cat", joined))


@pytest.mark.parametrize("n_blocks", [3, 6])
def test_span_is_converted_as_deployed(n_blocks: int, tmp_path: Path):
    state = span_state(n_blocks=n_blocks, scale=3)
    save_file(state, tmp_path / "span.safetensors")
    network = load_network(tmp_path / "span.safetensors")
    assert isinstance(network, SPAN)
    assert (network.scale, network.n_blocks, network.features) == (3, n_blocks, 8)
    torch.testing.assert_close(network(image()), F.pixel_shuffle(span_forward(state, image()), 3))


def test_the_branches_that_span_is_trained_with_are_folded(tmp_path: Path):
    """What the file holds of the folded weights is stale and must not be used."""
    state = span_state()
    for path in {
        name.removesuffix(".eval_conv.weight") for name in state if name.endswith("eval_conv.weight")
    }:
        rows, columns = state[f"{path}.eval_conv.weight"].shape[:2]
        state |= draw(**{f"{path.replace('.', '__')}__sk": (rows, columns, 1, 1)})
        for i, shape in enumerate(
            [(2 * columns, columns, 1, 1), (2 * rows, 2 * columns, 3, 3), (rows, 2 * rows, 1, 1)]
        ):
            state |= draw(**{f"{path.replace('.', '__')}__conv__{i}": shape})
    torch.save({"params_ema": state}, tmp_path / "span.pth")
    network = load_foreign(tmp_path / "span.pth")
    assert isinstance(network, SPAN)
    x = torch.rand(1, 3, 9, 9)
    padded = F.pad(x, (1, 1, 1, 1))
    chain = padded
    for i in range(3):
        chain = conv(state, f"conv_1.conv.{i}", chain, padding=0)
    expected = chain + conv(state, "conv_1.sk", x)
    # Within the image: at its edge the authors' deployed form differs from the branches, too.
    torch.testing.assert_close(
        network.head(x)[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], rtol=1e-4, atol=1e-5
    )


def spanv2_state(features: int = 8, n_blocks: int = 3, scale: int = 4) -> State:
    torch.manual_seed(0)
    f, pixels = features, 3 * scale**2
    state = draw(
        conv_near=(pixels, 1, 3, 3),
        depthwise_conv=(pixels + f, 1, 3, 3),
        pointwise_conv=(pixels, pixels + f, 1, 1),
    )
    for b in range(1, n_blocks + 1):
        for i in (1, 2, 3):
            state |= draw(**{f"block_{b}__c{i}__conv": (f, 3 if b == i == 1 else f, 3, 3)})
    state = {name: weight for name, weight in state.items() if name.endswith("weight")}
    for b in range(2, n_blocks + 1):
        state |= draw(**{f"block_{b}__guidance_map_conv": (f, f, 1, 1)})
    return state


def test_spanv2_is_converted(tmp_path: Path):
    state = spanv2_state()
    torch.save({"model": {f"module.{name}": weight for name, weight in state.items()}}, tmp_path / "a.pth")
    network = load_foreign(tmp_path / "a.pth")
    assert isinstance(network, SPANV2)
    x, near = image(), conv(state, "conv_near", image(), groups=3)
    for b in (1, 2, 3):
        y = F.relu(conv(state, f"block_{b}.c2.conv", F.relu(conv(state, f"block_{b}.c1.conv", x))))
        y = conv(state, f"block_{b}.c3.conv", y)
        x = F.relu(y) if b == 1 else (x + y) * conv(state, f"block_{b}.guidance_map_conv", y)
    joined = torch.cat((near, x), 1)
    out = conv(state, "pointwise_conv", conv(state, "depthwise_conv", joined, groups=joined.shape[1]))
    torch.testing.assert_close(network(image()), F.pixel_shuffle(out, 4))


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(half: torch.dtype, tmp_path: Path):
    state = {name: weight.to(half) for name, weight in span_state().items()}
    torch.save(state, tmp_path / "half.pth")
    network = load_foreign(tmp_path / "half.pth")
    assert isinstance(network, nn.Module)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert torch.equal(network.state_dict()["head.bias"], state["conv_1.eval_conv.bias"].float())


def test_nothing_loads_loosely(tmp_path: Path):
    def refusal(state: object) -> str:
        torch.save(state, tmp_path / "a.pth")
        with pytest.raises(InputError) as raised:
            load_foreign(tmp_path / "a.pth")
        assert str(raised.value).startswith(f"weights {tmp_path / 'a.pth'}: ")
        return str(raised.value)

    full = rfdn_state()
    missing = {name: weight for name, weight in full.items() if name != "B2.c4.bias"}
    assert "the names are those of RFDN, the weights do not fit" in refusal(missing)
    assert "blocks.1.last.bias" in refusal(missing)
    assert "extra.weight" in refusal(full | {"extra.weight": torch.ones(1)})
    assert "fuse.weight" in refusal(full | {"c.0.weight": torch.ones(16, 16, 1, 1)})
    assert "15 channels" in refusal(full | {"upsampler.0.weight": torch.ones(15, 16, 3, 3)})
    assert "LR_conv.bias holds values that are not finite" in refusal(
        full | {"LR_conv.bias": torch.full((16,), torch.nan)}
    )
    assert "epoch is int, not a weight" in refusal(full | {"epoch": 3})
    assert "holds dict, not named weights" in refusal({})
    assert "holds Tensor, not named weights" in refusal(torch.ones(2))
    # A whole network, pickled, would run code of the file's author.
    assert "cannot be read as weights alone" in refusal(nn.Conv2d(1, 1, 1))
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(InputError, match=r"text\.pth: cannot be read as weights alone"):
        load_foreign(tmp_path / "text.pth")
    with pytest.raises(InputError, match=r"absent\.pth: no such file"):
        load_network(tmp_path / "absent.pth")
    torch.save(full, tmp_path / "a.pth")
    with pytest.raises(InputError, match="have no slices; leave the widths out"):
        load_network(tmp_path / "a.pth", "24")


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "a.pth"


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=40), at=st.integers(0, 900), cut=st.booleans())
def test_any_bytes_are_weights_or_an_input_error(fuzzed: Path, noise: bytes, at: int, cut: bool):
    torch.save({"params": {"weight": torch.ones(2, 3)}}, fuzzed)
    whole = fuzzed.read_bytes()
    fuzzed.write_bytes(whole[:at] + noise + (b"" if cut else whole[at + len(noise) :]))
    with contextlib.suppress(InputError):
        assert read_weights(fuzzed)["weight"].shape == (2, 3)


@pytest.mark.parametrize(
    ("file", "params", "psnr_db"),
    [("RFDN_AIM.pth", 433_448, 32.16), ("team38_span_ch28_slim.pth", 150_688, 31.73)],
)
def test_published_weights_have_their_known_quality(
    run: Run, published_data: Path, file: str, params: int, psnr_db: float
):
    """PSNR-Y on Set5 at x4, by the public command; with the output rounded to 8 bits it is 32.155 and 31.732 dB."""
    found = run(
        "evaluate",
        published_data / "weights" / file,
        "--images",
        published_data / "Set5",
        "--no-latency",
        "--json",
    )
    assert found.status == 0, found.err
    row = json.loads(found.out)["rows"][1]
    assert row["params"] == params
    assert round(row["sets"]["Set5"]["psnr_db"], 2) == psnr_db
