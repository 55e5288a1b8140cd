from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters
from torch._inductor import config as inductor

from mfagan.training.compilation import CannotCompile, compile_for


@pytest.fixture
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As on a machine without a C++ compiler, on which nothing has been compiled before."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch.compiler.reset()
    with inductor.patch({"cpp.cxx": (str(tmp_path / "g++"),)}):
        yield
    torch.compiler.reset()


def test_a_compiled_function_computes_the_same_and_leaves_no_gradient():
    """Its second argument is made of the parameters at every call, as a slice's weights are."""
    network, x = nn.Linear(3, 4), torch.rand(5, 3)

    def inputs() -> tuple[Tensor, dict[str, Tensor]]:
        return x, {"weight": network.weight[torch.tensor([0, 2])]}

    def forward(x: Tensor, weights: dict[str, Tensor]) -> Tensor:
        return torch.tanh(x @ weights["weight"].T + network.bias[:2])

    counters.clear()
    compiled = compile_for(forward, inputs, network.parameters())
    assert counters["stats"]["unique_graphs"] == 1
    assert all(parameter.grad is None for parameter in network.parameters())
    gradients = []
    for function in (compiled, forward):
        network.zero_grad()
        function(*inputs()).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])  # type: ignore[union-attr]
    torch.testing.assert_close(compiled(*inputs()), forward(*inputs()))
    torch.testing.assert_close(*gradients)
    assert counters["stats"]["unique_graphs"] == 1


def test_a_machine_without_a_compiler_is_reported_in_one_line(no_compiler: None):
    network = nn.Linear(3, 4)
    with pytest.raises(CannotCompile, match=r"^\w+: .+") as failure:
        compile_for(network.forward, lambda: (torch.rand(5, 3),), network.parameters())
    assert "\n" not in str(failure.value)
