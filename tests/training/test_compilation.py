from pathlib import Path

import pytest
import torch
from torch import nn
from torch._inductor import config as inductor

from mfagan.training.compilation import CannotCompile, compile_for


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


@pytest.fixture
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As on a machine without a C++ compiler, on which nothing has been compiled before."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch.compiler.reset()
    with inductor.patch({"cpp.cxx": (str(tmp_path / "g++"),)}):
        yield
    torch.compiler.reset()


def test_a_compiled_function_computes_the_same_and_leaves_no_gradient():
    network, x = small(), torch.rand(5, 3)
    compiled = compile_for(network.forward, (x,), network.parameters())
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    assert all(parameter.grad is None for parameter in network.parameters())
    gradients = []
    for function in (compiled, network):
        network.zero_grad()
        function(x).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])  # type: ignore[union-attr]
    torch.testing.assert_close(compiled(x), network(x))
    torch.testing.assert_close(*gradients)


def test_a_machine_without_a_compiler_is_reported_in_one_line(no_compiler: None):
    network = small()
    with pytest.raises(CannotCompile, match=r"^\w+: .+") as failure:
        compile_for(network.forward, (torch.rand(5, 3),), network.parameters())
    assert "\n" not in str(failure.value)
