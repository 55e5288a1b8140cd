from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.graph.module import OperatorModule
from mfagan.graph.weights import weight_shapes
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.network import (
    Mapping,
    MobileStyleGAN,
    Student,
    StyleGAN2,
    Synthesis,
    mix_styles,
    require_pair,
)


def build_teacher(channels: tuple[int, ...] = (16, 16, 8, 8), features: int = 8) -> StyleGAN2:
    torch.manual_seed(0)
    teacher = StyleGAN2(Mapping(features, 2), Synthesis(channels, features))
    for name, one in teacher.named_parameters():
        if name.endswith(("strength", "bias")):
            torch.nn.init.normal_(one, 1)
    teacher.set_mean(64)
    return teacher.eval().requires_grad_(False)


def build_student(**options) -> MobileStyleGAN:
    return MobileStyleGAN.for_teacher(build_teacher(), **options).eval().requires_grad_(False)


def test_a_student_takes_its_teachers_mapping_network():
    teacher, student = build_teacher(), build_student()
    z = torch.randn(3, 8)
    assert student.synthesis.channels == teacher.synthesis.channels[:-1]
    assert torch.equal(student.styles(z, 0.5), teacher.styles(z, 0.5))
    assert student(z).shape == teacher(z).shape == (3, 3, 32, 32)
    require_pair(teacher, student)
    with torch.no_grad():
        teacher.mapping.layers[0].get_parameter("bias").add_(1)
    assert not torch.equal(student.styles(z), teacher.styles(z))


def test_truncation_to_the_mean_makes_one_image():
    teacher = build_teacher()
    first, second = teacher(torch.randn(2, 8), psi=0)
    assert torch.allclose(first, second, atol=1e-5)
    assert torch.allclose(first[None], teacher.synthesis(teacher.w_mean[None]), atol=1e-5)


def test_mixed_styles_follow_their_layers():
    teacher = build_teacher()
    a, b = teacher.styles(torch.randn(2, 8))[:, None]
    rows = teacher.synthesis.n_rows
    w = mix_styles([a, b], [3], rows)
    assert torch.equal(w[:, 2], a)
    assert torch.equal(w[:, 3], b)
    assert teacher.synthesis(w).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("build", [build_teacher, build_student, lambda: build_student().inference_form()])
def test_checkpoints(build, tmp_path: Path):
    network = build()
    path = tmp_path / "network.safetensors"
    checkpoint.save(path, network.to_checkpoint("teacher", {"from": "a test"}))
    found = load_generator(path)
    assert type(found) is type(network)
    assert found.config() == network.config()
    assert checkpoint.read(path).record == {"from": "a test"}
    z = torch.randn(2, 8)
    assert torch.equal(found(z, 0.7), network(z, 0.7))
    assert not found.training


def test_checkpoints_of_other_networks(tmp_path: Path):
    path = tmp_path / "network.safetensors"
    checkpoint.save(path, Checkpoint("mfanet", "generator", {}, {"a": torch.zeros(1)}))
    with pytest.raises(
        InputError, match="its network is 'mfanet', a generator of images from latents is needed"
    ):
        load_generator(path)
    teacher = build_teacher().to_checkpoint("teacher")
    checkpoint.save(path, teacher)
    with pytest.raises(InputError, match="its network is 'stylegan2', 'mobilestylegan' is needed here"):
        MobileStyleGAN.from_checkpoint(checkpoint.read(path), path)
    for config, message in (
        ({}, "give mapping and synthesis"),
        ({"mapping": {"layers": 8}, "synthesis": {}}, "unexpected keyword argument"),
        (dict(teacher.config) | {"synthesis": {"channels": [16, 16, 8], "style_dim": 8}}, "do not fit"),
    ):
        checkpoint.save(path, Checkpoint("stylegan2", "teacher", config, teacher.state))
        with pytest.raises(InputError, match=message):
            load_generator(path)


def test_pairs_that_do_not_belong_together():
    student = build_student()
    with pytest.raises(InputError, match="teacher: its size is 64, the student's is 32"):
        require_pair(build_teacher((16, 16, 8, 8, 8)), student)
    with pytest.raises(InputError, match="teacher: its style_dim is 4, the student's is 8"):
        require_pair(build_teacher(features=4), student)
    with pytest.raises(InputError, match="makes styles of 4 features, the synthesis network reads 8"):
        StyleGAN2(Mapping(4, 2), Synthesis((8, 8, 8), 8))
    with pytest.raises(InputError, match="give multiples of 4"):
        MobileStyleGAN.for_teacher(build_teacher((10, 10, 8, 8)))


@pytest.mark.parametrize("noise", ["const", "zero"])
@pytest.mark.parametrize("kind", ["teacher", "style", "fixed"])
def test_the_listed_operators_compute_the_network(kind: str, noise):
    generator = build_teacher() if kind == "teacher" else build_student(demodulation=kind)
    network = generator.synthesis
    operators = [operator for block in network.blocks(noise) for operator in block.operators]
    constants = network.constants(noise)
    for operator in operators:
        for name, shape in weight_shapes(operator).items():
            assert constants[name].shape == shape, name
    module = OperatorModule(operators, constants)
    w = torch.randn(1, network.allowed_rows[0] if isinstance(network, Student) else network.n_rows, 8)
    read = [int(x.name.removeprefix("v")) - 1 for x in module.graph.inputs]
    image = module(*(w[:, row].view(1, 1, 1, 8) for row in read))
    assert torch.allclose(image, network(w, noise), atol=1e-4)


def test_the_listed_operators_compute_the_mapping_network():
    mapping = build_teacher().mapping
    module = OperatorModule(mapping.blocks()[0].operators, mapping.constants())
    z = torch.randn(1, 8)
    assert torch.allclose(module(z.view(1, 1, 1, 8)).flatten(1), mapping(z), atol=1e-5)
