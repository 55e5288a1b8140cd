"""Exported files against PyTorch, through the interpreters that users run."""

import copy

import numpy as np
import onnxruntime
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor, nn

from mfagan.coronetgan import export as door
from mfagan.coronetgan.export import export_translator, require_alike
from mfagan.coronetgan.exporting.lowering import lower
from mfagan.coronetgan.exporting.pictures import fit_picture, read_calibration, read_compared
from mfagan.coronetgan.exporting.target import TranslatorTarget
from mfagan.coronetgan.network import ResnetTranslator, Translator
from mfagan.coronetgan.network.selection import select
from mfagan.deploy.tflite import litert
from mfagan.errors import InputError
from mfagan.graph.module import OperatorModule
from mfagan.graph.norms import EPSILON
from mfagan.graph.operators import Operator
from tests.coronetgan.saved import small_resnet, small_unet

SIZE = 32, 48


def settle(network: Translator) -> Translator:
    """Give batch norms the statistics of pictures."""
    with torch.no_grad():
        for _ in range(30):
            network.train()(2 * torch.rand(4, network.in_channels, *SIZE) - 1)
    return network.eval()


NETWORKS = {
    "ResNet": small_resnet,
    "ResNet of batch norms": lambda: settle(small_resnet(norm="batch")),
    "ResNet of pixel shuffles": lambda: settle(small_resnet(norm="batch", upsampling="shuffle")),
    "pruned ResNet": lambda: select(small_resnet(), {"res": torch.arange(11), "inner1": torch.arange(5)}),
    "grey ResNet": lambda: small_resnet(in_channels=1, out_channels=1),
    "U-Net": lambda: settle(small_unet()),
    "U-Net of the picture's statistics": lambda: small_unet(norm_at_inference="image"),
    "U-Net of instance norms": lambda: small_unet(norm="instance"),
}


def run_tflite(content: bytes, image: Tensor) -> Tensor:
    x = image.permute(0, 2, 3, 1).contiguous().numpy()
    found = Interpreter(model_content=content).get_signature_runner()(image=x)["translated"]
    return torch.from_numpy(found).permute(0, 3, 1, 2)


def run_onnx(content: bytes, image: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(["translated"], {"image": image.permute(0, 2, 3, 1).contiguous().numpy()})
    return torch.from_numpy(np.asarray(found)).permute(0, 3, 1, 2)


def pictures_of(network: Translator) -> list[Tensor]:
    return read_compared(None, network, SIZE)


@pytest.mark.parametrize(("to", "run"), [("tflite", run_tflite), ("onnx", run_onnx)])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_makes_what_pytorch_makes(name: str, to: str, run):
    network = NETWORKS[name]()
    made = export_translator(network, TranslatorTarget(SIZE, to), pictures_of(network))
    x = 2 * torch.rand(1, network.in_channels, *SIZE) - 1
    with torch.inference_mode():
        expected = network(x)
    assert (run(made.content, x) - expected).abs().max() < 1e-4
    assert made.max_abs_difference < 1e-4
    assert made.params == sum(one.numel() for one in network.parameters())
    assert made.costs["output"].macs > made.costs["input"].macs or name == "ResNet of pixel shuffles"


def test_a_tflite_file_is_one_part_for_xnnpack_and_holds_no_norm_of_running_statistics():
    for name in ("ResNet", "U-Net"):
        network = NETWORKS[name]()
        found = export_translator(network, TranslatorTarget(SIZE), pictures_of(network)).inspection
        assert found.partitions == 1
        assert not {"TRANSPOSE", "CUSTOM", "MIRROR_PAD"} & set(found.operators)
        assert ("RSQRT" in found.operators) == (name == "ResNet")


@pytest.mark.parametrize("to", ["tflite", "onnx"])
@pytest.mark.parametrize("name", ["ResNet", "U-Net"])
def test_half_precision_takes_half_the_file(name: str, to: str):
    network = NETWORKS[name]()
    full, half = (
        export_translator(network, TranslatorTarget(SIZE, to, one), pictures_of(network))
        for one in ("fp32", "fp16")
    )
    assert len(half.content) < 0.75 * len(full.content)
    assert half.psnr_to_pytorch_db > 45


def test_convolutions_are_integers_and_norms_floats_in_int8():
    network = NETWORKS["U-Net of the picture's statistics"]()
    calibration = read_calibration(None, network, SIZE)
    made = export_translator(
        network, TranslatorTarget(SIZE, "tflite", "int8"), pictures_of(network), calibration
    )
    assert made.inspection.in_float["RSQRT"] == made.inspection.operators["RSQRT"]
    assert not {"CONV_2D", "TRANSPOSE_CONV"} & set(made.inspection.in_float)
    assert made.psnr_to_pytorch_db > 25
    with pytest.raises(InputError, match="int8: no pictures to calibrate on"):
        export_translator(network, TranslatorTarget(SIZE, "tflite", "int8"), pictures_of(network))


class InHalf(OperatorModule):
    """Operators in half precision, as a device computes a TFLite file's: PyTorch's own norm squares in float32."""

    def _apply_one(self, operator: Operator, x: list[Tensor]) -> Tensor:
        if operator.kind != "instance_norm":
            return super()._apply_one(operator, x)
        centred = x[0] - x[0].mean((2, 3), keepdim=True)
        y = centred * (centred.square().mean((2, 3), keepdim=True) + EPSILON).rsqrt()
        scale, shift = (self._weight(f"{operator.weights}.{name}") for name in ("weight", "bias"))
        return y if scale is None or shift is None else y * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)


def run_in_half(network: Translator, precision: str, x: Tensor) -> Tensor:
    operators, weights = lower(network, TranslatorTarget(SIZE, "tflite", precision))
    module = InHalf(operators, {name: one.detach().half() for name, one in weights.items()})
    return module(x.half()).float()


@pytest.mark.parametrize("name", ["ResNet", "U-Net of the picture's statistics"])
def test_large_weights_overflow_in_half_precision_unless_they_are_scaled(name: str):
    network = NETWORKS[name]()
    for link in network.links():
        if link.normed:
            network.get_parameter(f"convs.{link.name}.weight").data.mul_(300)
    x = pictures_of(network)[0][None]
    with torch.inference_mode():
        expected = network(x)
    assert not (run_in_half(network, "fp32", x) - expected).abs().mean() < 0.1
    assert (run_in_half(network, "fp16", x) - expected).abs().mean() < 0.02


@pytest.mark.parametrize("name", NETWORKS)
def test_scaled_weights_compute_the_same(name: str):
    network = NETWORKS[name]().double()
    operators, weights = lower(network, TranslatorTarget(SIZE, "tflite", "fp16"))
    x = pictures_of(network)[0][None].double()
    torch.testing.assert_close(OperatorModule(operators, weights)(x), network(x), atol=2e-3, rtol=0)


def test_a_picture_is_resized_until_it_covers_the_size_and_cut():
    picture = torch.rand(3, 40, 90)
    network = small_resnet()
    assert torch.equal(fit_picture(picture, network, (40, 90)), 2 * picture - 1)
    for size in ((80, 80), (20, 80), (16, 16)):
        found = fit_picture(picture, network, size)
        assert found.shape == (3, *size)
        assert found.abs().max() <= 1
    assert fit_picture(picture, small_resnet(in_channels=1), SIZE).shape == (1, *SIZE)
    with pytest.raises(InputError, match="reads 6 channels"):
        fit_picture(picture, small_resnet(in_channels=6), SIZE)


def test_a_network_that_makes_one_colour_or_no_numbers_is_refused():
    network = small_resnet()
    network.get_parameter("convs.output.weight").data.zero_()
    with pytest.raises(InputError, match=r"one colour.*mfagan coronetgan train"):
        export_translator(network, TranslatorTarget(SIZE), pictures_of(network))
    network.get_parameter("convs.output.bias").data.fill_(torch.nan)
    with pytest.raises(InputError, match="not finite"):
        export_translator(network, TranslatorTarget(SIZE), pictures_of(network))


def test_a_file_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch):
    def damage(network, target):
        operators, weights = lower(network, target)
        last = [one for one in operators if one.kind == "conv"][-1]
        return operators, weights | {f"{last.weights}.bias": weights[f"{last.weights}.bias"] + 0.01}

    monkeypatch.setattr(door, "lower", damage)
    network = small_resnet()
    with pytest.raises(InputError, match=r"differs from PyTorch's by up to .* nothing is exported"):
        export_translator(network, TranslatorTarget(SIZE), pictures_of(network))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"format": "coreml"}, "format 'coreml'.*tflite or onnx"),
        ({"precision": "int4"}, "precision 'int4'.*tflite files are written in fp32, fp16, int8"),
        ({"format": "onnx", "precision": "int8"}, "precision 'int8'.*onnx files are written in fp32, fp16"),
    ],
)
def test_unknown_targets(values: dict, words: str):
    with pytest.raises(InputError, match=words):
        TranslatorTarget(SIZE, **values)


def test_sizes_that_the_network_does_not_take_are_refused():
    network = small_unet()
    with pytest.raises(InputError, match="multiples of 16 px"):
        export_translator(network, TranslatorTarget((24, 32)), [torch.zeros(3, 24, 32)])
    with pytest.raises(InputError, match="makes 1 channels of 3"):
        require_alike(network, small_unet(out_channels=1), TranslatorTarget(SIZE))
    with pytest.raises(InputError, match="multiples of 16 px"):
        require_alike(small_resnet(), network, TranslatorTarget((24, 32)))


def test_the_network_that_is_exported_is_not_changed():
    network = small_unet()
    before = copy.deepcopy(network.state_dict())
    export_translator(network, TranslatorTarget(SIZE, "tflite", "fp16"), pictures_of(network))
    assert all(torch.equal(one, network.state_dict()[name]) for name, one in before.items())


@pytest.mark.slow
def test_the_published_resnet_and_one_of_half_its_widths_run_at_256_px():
    torch.manual_seed(0)
    size, found = (256, 256), []
    for base in (64, 32):
        network = ResnetTranslator.full(base)
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0, 0.02)
        made = export_translator(network.eval(), TranslatorTarget(size), read_compared(None, network, size))
        found.append(made.costs["input"].macs)
        assert made.inspection.partitions == 1
        assert litert.run(made.content, read_compared(None, network, size)[:1]).shape == (3, *size)
    assert found[1] / found[0] == pytest.approx(0.256221, abs=1e-6)
